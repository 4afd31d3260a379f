/**
 * A configuration that stands in a key of a NATS KV bucket, and is watched.
 *
 * @module
 */
import type { NatsConnection, QueuedIterator } from "@nats-io/nats-core";
import { type KV, type KvEntry, Kvm } from "@nats-io/kv";
import { parseOptions, type Written } from "../../config/load.ts";
import { ConfigFileError } from "../../config/options.ts";
import { type KvSource, toSourceName } from "../../config/source.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Login } from "../client/login.ts";
import { Session } from "../client/session.ts";
import { isNotFound } from "./stream.ts";
import { pause } from "../../time/within.ts";

/** How long to wait after a watch that ended, in milliseconds. */
const RETRY_MS = 500;

/** What a watch needs. */
export interface ConfigWatchOptions {
  /** Where NATS is, and who one is there; that cannot come from the configuration that is read there. */
  readonly login: Login;
  /** Told of versions that cannot be used. */
  readonly log: Log;
}

/** A watched configuration, with a NATS connection of its own. */
export class ConfigWatch implements AsyncDisposable {
  readonly #name: string;
  readonly #key: string;
  readonly #log: Log;
  readonly #session: Session;
  readonly #stop = new AbortController();
  #kv: KV | undefined;
  #entries: QueuedIterator<KvEntry> | undefined;
  #revision = 0;
  #written: Written | undefined;
  #watching: Promise<void> | undefined;

  /**
   * Reads the first version; waits for NATS where that is away.
   *
   * @throws {ConfigFileError} when there is none, or it cannot be used.
   */
  static async open(source: KvSource, options: ConfigWatchOptions): Promise<ConfigWatch> {
    await using stack = new AsyncDisposableStack();
    const watch = stack.use(new ConfigWatch(source, options));
    await watch.#read(source);
    stack.move();
    return watch;
  }

  private constructor(source: KvSource, { login, log }: ConfigWatchOptions) {
    this.#name = toSourceName(source);
    this.#key = source.key;
    this.#log = log;
    this.#session = new Session({
      login,
      name: "h8s-config",
      fastLane: false,
      onRetry: (error, attempt) => {
        if (attempt === 1) log.warn(`cannot read ${this.#name} yet`, { error: error.message });
      },
      onError: (error) => log.error("configuration", { error: error.message }),
    });
  }

  /** The first version, not checked yet. */
  get written(): Written | undefined {
    return this.#written;
  }

  /**
   * Hands on every later version. One that cannot be used is logged and skipped, like the key's deletion.
   *
   * @param apply Takes a version whole, or throws a {@link ConfigFileError}.
   */
  follow(apply: (written: Written) => void): void {
    if (this.#watching !== undefined) return;
    this.#watching = this.#follow(apply);
    // A server that came back may have forgotten who watches.
    this.#session.onState((state) => state === "connected" && this.#entries?.stop());
  }

  /** Ends the watch and its connection. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#entries?.stop();
    await this.#session[Symbol.asyncDispose]();
    await this.#watching;
  }

  async #read({ bucket, key }: KvSource): Promise<void> {
    const connection = await this.#connect();
    try {
      this.#kv = await new Kvm(connection).open(bucket);
      const entry = await this.#kv.get(key);
      if (entry?.operation !== "PUT") {
        throw this.#cannotRead(
          `there is no such key; make it with \`nats kv put ${bucket} ${key} < h8s.yaml\``,
        );
      }
      this.#revision = entry.revision;
      this.#written = parseOptions(entry.string(), this.#name);
    } catch (error) {
      if (error instanceof ConfigFileError) throw error;
      const hint = `there is no such bucket; make it with \`nats kv add ${bucket}\``;
      throw this.#cannotRead(isNotFound(error) ? hint : String(error), error);
    }
  }

  #cannotRead(reason: string, cause?: unknown): ConfigFileError {
    return new ConfigFileError(`Cannot read ${this.#name}: ${reason}`, { cause });
  }

  async #connect(): Promise<NatsConnection> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#session.onState((state) => state === "connected" && resolve());
    await promise;
    return this.#session.connection!;
  }

  /** A watch begins with the present version, so that one written meanwhile is not missed. */
  async #follow(apply: (written: Written) => void): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        this.#entries = await this.#kv!.watch({ key: this.#key });
        if (this.#stop.signal.aborted) this.#entries.stop();
        for await (const entry of this.#entries) this.#take(entry, apply);
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#log.warn("the configuration cannot be watched", { error: String(error) });
      }
      await pause(RETRY_MS, { signal: this.#stop.signal });
    }
  }

  #take(entry: KvEntry, apply: (written: Written) => void): void {
    // A bucket that was made anew counts from the start again.
    if (entry.revision === this.#revision) return;
    this.#revision = entry.revision;
    const fields = { source: this.#name, revision: entry.revision };
    if (entry.operation !== "PUT") {
      return this.#log.warn("the configuration was deleted; the last version stays", fields);
    }
    try {
      apply(parseOptions(entry.string(), this.#name));
    } catch (error) {
      if (!(error instanceof ConfigFileError)) throw error;
      this.#log.error("the new configuration was refused; the last version stays", {
        ...fields,
        error: error.message,
      });
    }
  }
}
