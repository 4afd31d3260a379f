/**
 * What has to be there at NATS before everything works, seen to at each connect.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/nats-core";
import { toError } from "../../errors.ts";
import type { Clock } from "../../time/clock.ts";
import type { Session } from "../client/session.ts";
import { StreamError } from "./stream.ts";

/** How long to wait before doing it again, in milliseconds. */
const RETRY_MS = 1000;

/** Where it is to be done. */
export interface ProvisionParts {
  readonly session: Pick<Session, "connection" | "state" | "onState">;
  /** A guarded one: what is thrown in vain arrives there. */
  readonly clock: Clock;
}

/** What is to be done, and who is told when it cannot be. */
export interface ProvisionOptions {
  /** Does it; doing it again does no harm. */
  readonly task: (connection: NatsConnection) => Promise<void>;
  /** Told of each failure. */
  readonly onTrouble: (error: Error) => void;
}

/** One thing that is seen to at the first connect, after each reconnect, and when it seems to be gone. */
export class Provision implements Disposable {
  readonly #parts: ProvisionParts;
  readonly #options: ProvisionOptions;
  readonly #endState: () => void;
  readonly #ready = Promise.withResolvers<void>();
  #isReady = false;
  /** Nobody's hint that it is gone is news while this is true. */
  #isFresh = false;
  #endTimer: (() => void) | undefined;

  constructor(parts: ProvisionParts, options: ProvisionOptions) {
    this.#parts = parts;
    this.#options = options;
    // Whoever does not wait for it need not hear that it failed.
    this.#ready.promise.catch(() => {});
    this.#endState = parts.session.onState((state) => {
      this.#endTimer?.();
      if (state === "connected") this.#runIn(0);
    });
  }

  /** Resolves when it is done for the first time; rejects when it never can be. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** True once it is done. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /** Does it once more, since it seems to be gone: somebody may have deleted it. Not more often than now and then. */
  again(): void {
    if (this.#parts.session.state === "connected" && !this.#isFresh) this.#runIn(0);
  }

  /** Tries no more. */
  [Symbol.dispose](): void {
    this.#endTimer?.();
    this.#endState();
  }

  #runIn(delayMs: number): void {
    this.#isFresh = true;
    this.#after(delayMs, () => this.#run());
  }

  #after(delayMs: number, next: () => void | Promise<void>): void {
    this.#endTimer?.();
    this.#endTimer = this.#parts.clock.after(delayMs, next);
  }

  readonly #onOld = (): void => {
    this.#isFresh = false;
  };

  async #run(): Promise<void> {
    const { connection } = this.#parts.session;
    if (connection === undefined) return;
    try {
      await this.#options.task(connection);
      this.#isReady = true;
      this.#ready.resolve();
      this.#after(RETRY_MS, this.#onOld);
    } catch (error) {
      this.#onFailure(toError(error));
    }
  }

  #onFailure(error: Error): void {
    if (this.#parts.session.state !== "connected") return;
    if (error instanceof StreamError) {
      this.#ready.reject(error);
      this.#after(RETRY_MS, this.#onOld);
    } else {
      this.#runIn(RETRY_MS);
    }
    this.#options.onTrouble(error);
  }
}
