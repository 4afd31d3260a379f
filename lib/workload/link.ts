/**
 * The NATS connection as the parts of a workload see it: messages as bytes, the state of the
 * connection, and subscriptions that can be drained.
 *
 * @module
 */
import type { NatsConnection, Status } from "@nats-io/nats-core";
import type { BusMessage, PublishOptions } from "../nats/bus.ts";
import type { FastLane } from "../nats/client/fast_lane.ts";
import { flushPending, isLoggedIn, laneOf, publishOn, toBusMessage } from "../nats/client/wire.ts";

/** Where it is unknown: nats-server's default. */
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;

/**
 * A connection of the NATS client: a `NatsConnection` of `@nats-io/nats-core`, from whichever transport,
 * registry or version 3 it comes.
 */
export interface NatsClient {
  /**
   * Publishes.
   *
   * @param subject Literal tokens.
   * @param payload Bytes, or text.
   */
  publish(subject: string, payload?: Uint8Array | string): void;
  /**
   * Subscribes.
   *
   * @param subject May hold wildcards.
   * @returns The subscription.
   */
  subscribe(subject: string): AsyncDisposable;
  /** Waits until the server has taken all that was published before. */
  flush(): Promise<void>;
  /** Resolves when the connection is closed. */
  closed(): Promise<void | Error>;
  /** True once the connection is closed for good. */
  isClosed(): boolean;
  /** Tells what happens to the connection. */
  status(): AsyncIterable<{ readonly type: string }>;
}

/** The connection to NATS was lost, or closed for good. */
export class LinkLostError extends Error {
  /** Always `"LinkLostError"`. */
  override readonly name = "LinkLostError";
}

/** A subscription that can be ended in order. */
export interface LinkSubscription {
  /**
   * Takes no new messages.
   *
   * @returns When those that were under way have been handed over.
   */
  drain(): Promise<void>;
  /** Ends it at once. */
  unsubscribe(): void;
}

/** What a subscription has besides its subject. */
export interface LinkSubscribeOptions {
  /** The queue group: each message goes to one member of it. */
  readonly queue?: string;
}

/** A NATS connection that somebody else opened and will close. */
export class Link implements Disposable {
  readonly #connection: NatsConnection;
  readonly #lane: FastLane | undefined;
  readonly #onError: (error: unknown) => void;
  readonly #statuses: AsyncIterable<Status>;
  readonly #listeners = new Set<(isConnected: boolean) => void>();
  #isConnected: boolean;
  #losses = 0;
  #maxPayload = DEFAULT_MAX_PAYLOAD;

  /**
   * Begins to watch the connection.
   *
   * @param client Connected.
   * @param onError Told of what goes wrong outside of a call, e.g. a missing permission.
   */
  constructor(client: NatsClient, onError: (error: unknown) => void) {
    // The rest of its type would have to be ours, too, or be documented here.
    const connection = this.#connection = client as NatsConnection;
    this.#lane = laneOf(connection);
    this.#onError = onError;
    this.#isConnected = !connection.isClosed();
    this.#statuses = connection.status();
    this.#watch().catch(onError);
    connection.closed().then(() => this.#setConnected(false), onError);
  }

  /** False while NATS is away: what is published then would be lost. */
  get isConnected(): boolean {
    return this.#isConnected && !this.#connection.isClosed();
  }

  /** True once the connection is closed for good. */
  get isClosed(): boolean {
    return this.#connection.isClosed();
  }

  /** How often NATS was lost. What was published before a loss may not have arrived. */
  get losses(): number {
    return this.#losses;
  }

  /** The largest message, headers and payload together, in bytes. */
  get maxPayload(): number {
    return this.#maxPayload = this.#connection.info?.max_payload ?? this.#maxPayload;
  }

  /**
   * Publishes without waiting for the server.
   *
   * @param subject Literal tokens.
   * @param data The payload.
   * @param options Reply subject and headers.
   * @returns False when it was not taken because NATS is not connected.
   * @throws {Error} when it is larger than {@link Link.maxPayload}.
   */
  publish(subject: string, data: Uint8Array, options: PublishOptions = {}): boolean {
    if (!this.isConnected) return false;
    if (!this.#lane?.isOpen || !isLoggedIn(this.#connection)) {
      publishOn(this.#connection, { subject, data, options });
      return true;
    }
    // What the connection was given before goes before; and whoever made the bytes may use them again.
    flushPending(this.#connection);
    return this.#lane.publish({ subject, data: new Uint8Array(data), options }, this.maxPayload);
  }

  /**
   * Subscribes.
   *
   * @param subject May hold wildcards.
   * @param onMessage Called for each message in the order of the server; what it throws is reported.
   * @param options The queue group.
   * @returns The subscription; it outlives a loss of the connection.
   */
  subscribe(
    subject: string,
    onMessage: (message: BusMessage) => void,
    options: LinkSubscribeOptions = {},
  ): LinkSubscription {
    const handle = (message: BusMessage) => {
      try {
        onMessage(message);
      } catch (thrown) {
        this.#onError(thrown);
      }
    };
    const subscription = this.#connection.subscribe(subject, {
      ...options,
      callback: (error, message) =>
        error === null ? handle(toBusMessage(message)) : this.#onError(error),
    });
    const leave = this.#lane?.take(subscription.getID(), { onMessage: handle, borrows: false });
    return {
      async drain() {
        try {
          if (!subscription.isClosed()) await subscription.drain();
        } finally {
          leave?.();
        }
      },
      unsubscribe() {
        leave?.();
        if (!subscription.isClosed()) subscription.unsubscribe();
      },
    };
  }

  /**
   * Calls back when NATS is lost and when it is back.
   *
   * @param listener Called with {@link Link.isConnected}.
   * @returns Ends the calls.
   */
  onState(listener: (isConnected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Waits for NATS.
   *
   * @param signal Ends the waiting.
   * @throws {LinkLostError} when the connection is closed for good.
   * @throws {unknown} the signal's reason, when it is aborted.
   */
  async connected(signal: AbortSignal): Promise<void> {
    while (!this.isConnected) {
      if (this.isClosed) throw new LinkLostError("Cannot wait for NATS: the connection is closed");
      signal.throwIfAborted();
      await this.#change(signal);
    }
  }

  /**
   * Waits until the server has taken all that was published before.
   *
   * @throws {LinkLostError} when the connection is lost meanwhile, or closed.
   */
  async flush(): Promise<void> {
    try {
      await this.#connection.flush();
    } catch (cause) {
      throw new LinkLostError("Cannot wait for the server: NATS was lost", { cause });
    }
  }

  /** Stops watching; the connection stays open. */
  [Symbol.dispose](): void {
    this.#listeners.clear();
    // The client's iterator can be stopped, though its type does not tell.
    (this.#statuses as { stop?: () => void }).stop?.();
  }

  #change(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    const end = this.onState(() => resolve());
    const onAbort = () => resolve();
    signal.addEventListener("abort", onAbort);
    return promise.finally(() => {
      end();
      signal.removeEventListener("abort", onAbort);
    });
  }

  async #watch(): Promise<void> {
    for await (const { type } of this.#statuses) {
      if (type === "disconnect") this.#setConnected(false);
      else if (type === "reconnect") this.#setConnected(true);
    }
  }

  #setConnected(isConnected: boolean): void {
    if (!isConnected) this.#losses++;
    this.#isConnected = isConnected;
    for (const listener of [...this.#listeners]) listener(isConnected);
  }
}
