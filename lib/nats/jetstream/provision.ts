/**
 * What has to be there at NATS before everything works, seen to at each connect.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/nats-core";
import type { Session } from "../client/session.ts";
import { StreamError } from "./stream.ts";

/** How long to wait before doing it again, in milliseconds. */
const RETRY_MS = 1000;

/** What is to be done, and who is told when it cannot be. */
export interface ProvisionOptions {
  /** Does it; doing it again does no harm. */
  readonly task: (connection: NatsConnection) => Promise<void>;
  /** Told of each failure. */
  readonly onTrouble: (error: Error) => void;
}

/** One thing that is seen to at the first connect, after each reconnect, and when it seems to be gone. */
export class Provision implements Disposable {
  readonly #session: Session;
  readonly #options: ProvisionOptions;
  readonly #endState: () => void;
  readonly #ready = Promise.withResolvers<void>();
  #isReady = false;
  /** Nobody's hint that it is gone is news while this is true. */
  #isFresh = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(session: Session, options: ProvisionOptions) {
    this.#session = session;
    this.#options = options;
    // Whoever does not wait for it need not hear that it failed.
    this.#ready.promise.catch(() => {});
    this.#endState = session.onState((state) => {
      clearTimeout(this.#timer);
      if (state === "connected") this.#run();
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
    if (this.#session.state === "connected" && !this.#isFresh) this.#run();
  }

  /** Tries no more. */
  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
    this.#endState();
  }

  #run(): void {
    const { connection } = this.#session;
    if (connection === undefined) return;
    this.#isFresh = true;
    this.#options.task(connection).then(() => {
      this.#isReady = true;
      this.#ready.resolve();
      this.#after(() => this.#isFresh = false);
    }, (error: Error) => this.#onFailure(error));
  }

  #onFailure(error: Error): void {
    if (this.#session.state !== "connected") return;
    this.#options.onTrouble(error);
    if (!(error instanceof StreamError)) return this.#after(() => this.#run());
    this.#ready.reject(error);
    this.#after(() => this.#isFresh = false);
  }

  #after(next: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(next, RETRY_MS);
  }
}
