/**
 * The connection to NATS: connect with backoff, reconnect, tell its state.
 *
 * @module
 */
import type { ConnectionOptions, NatsConnection } from "@nats-io/nats-core";
import { backoff } from "@nats-io/nats-core/internal";
import { splitNatsUrl } from "../mapping/nats_url.ts";
import type {
  Bus,
  BusMessage,
  BusState,
  BusSubscription,
  PublishOptions,
  SubscribeOptions,
} from "./bus.ts";
import { FastLane } from "./fast_lane.ts";
import { connect } from "./transport.ts";
import { flushPending, pendingBytesOf, publishOn, subscribeOn } from "./wire.ts";
import { settlesWithin } from "./within.ts";

/** Milliseconds between attempts, jittered; the last one repeats. */
const RETRY_DELAYS_MS = [100, 250, 500, 1000, 2000];
/** How long a server may take to answer. */
const CONNECT_TIMEOUT_MS = 5000;
/**
 * How often the server is asked whether it lives, and how many such questions may go unanswered: one
 * that hangs is noticed within 6 s. Its answer waits behind the messages that it sends, so that a
 * busy gateway needs a few seconds, not a few moments.
 */
const PING_INTERVAL_MS = 2000;
const MAX_PINGS_OUT = 2;
/** How long closing may wait for a server. */
const CLOSE_TIMEOUT_MS = 1000;
/** Until the first connection has told the server's own limit: nats-server's default. */
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;

/** How to reach NATS, and whom to tell what. */
export interface SessionOptions {
  /** One or more URLs, e.g. `nats://127.0.0.1:4222`. */
  readonly servers: readonly string[];
  /** The connection's name in NATS monitoring. */
  readonly name: string;
  /**
   * Whether messages pass by the client library, which costs less.
   *
   * @default true
   */
  readonly fastLane?: boolean;
  /** Called for each attempt at the first connection that failed. */
  readonly onRetry: (error: Error, attempt: number) => void;
  /** Called for what goes wrong later, e.g. a missing permission. */
  readonly onError: (error: Error) => void;
}

interface Registration {
  readonly subject: string;
  readonly onMessage: (message: BusMessage) => void;
  readonly options: SubscribeOptions;
  /** Ends it at the server; undefined until connected. */
  end: (() => void) | undefined;
}

/** A {@link Bus} over the NATS client. */
export class Session implements Bus, AsyncDisposable {
  readonly #options: SessionOptions;
  readonly #listeners = new Set<(state: BusState) => void>();
  readonly #registrations = new Set<Registration>();
  readonly #stop = new AbortController();
  readonly #lane: FastLane;
  readonly #firstConnection: Promise<void>;
  #connection: NatsConnection | undefined;
  #state: BusState = "connecting";
  #reconnects = 0;
  /** False for good where the lane is off, and while another library's transport has taken its place. */
  #isFast = false;

  /**
   * Begins to connect, and keeps trying.
   *
   * @param options How to reach NATS.
   */
  constructor(options: SessionOptions) {
    this.#options = options;
    this.#lane = new FastLane({ isOn: options.fastLane ?? true });
    this.#firstConnection = this.#connect();
  }

  get state(): BusState {
    return this.#state;
  }

  get maxPayload(): number {
    return this.#connection?.info?.max_payload ?? DEFAULT_MAX_PAYLOAD;
  }

  get reconnects(): number {
    return this.#reconnects;
  }

  get unsentBytes(): number {
    if (this.#connection === undefined) return 0;
    return pendingBytesOf(this.#connection) + this.#lane.unsentBytes;
  }

  /** The client's own connection, for what is not on the hot path; undefined until connected. */
  get connection(): NatsConnection | undefined {
    return this.#connection;
  }

  publish(subject: string, data: Uint8Array, options: PublishOptions = {}): boolean {
    if (this.#state !== "connected" || this.#connection === undefined) return false;
    if (this.#isFast) return this.#lane.publish({ subject, data, options }, this.maxPayload);
    publishOn(this.#connection, { subject, data, options });
    return true;
  }

  subscribe(
    subject: string,
    onMessage: (message: BusMessage) => void,
    options: SubscribeOptions = {},
  ): BusSubscription {
    const registration: Registration = { subject, onMessage, options, end: undefined };
    this.#registrations.add(registration);
    if (this.#connection !== undefined) this.#register(this.#connection, registration);
    return {
      unsubscribe: () => {
        this.#registrations.delete(registration);
        registration.end?.();
      },
    };
  }

  onState(listener: (state: BusState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async flush(): Promise<void> {
    await this.#connection?.flush();
  }

  /** Closes the connection without waiting; {@link Session.flush} first where that matters. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#setState("closed");
    // A server that accepts and then keeps silent would hold this up; the attempt ends by itself.
    await settlesWithin(this.#firstConnection, CLOSE_TIMEOUT_MS);
    if (this.#connection !== undefined) {
      await settlesWithin(this.#connection.close(), CLOSE_TIMEOUT_MS);
    }
  }

  async #connect(): Promise<void> {
    const delays = backoff(RETRY_DELAYS_MS);
    const options: ConnectionOptions = {
      ...toLogin(this.#options.servers),
      name: this.#options.name,
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: MAX_PINGS_OUT,
      maxReconnectAttempts: -1,
      reconnectDelayHandler: () => delays.backoff(1),
      ignoreAuthErrorAbort: true,
    };
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      try {
        const connection = await connect(options, this.#lane);
        if (this.#stop.signal.aborted) return await connection.close();
        this.#connection = connection;
        for (const registration of this.#registrations) this.#register(connection, registration);
        this.#setState("connected");
        this.#watch(connection).catch(this.#options.onError);
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#options.onRetry(toError(error), attempt);
        await pause(delays.backoff(attempt - 1), this.#stop.signal);
      }
    }
  }

  async #watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      switch (status.type) {
        case "staleConnection":
        case "disconnect":
          this.#setState("disconnected");
          break;
        case "reconnect":
          this.#reconnects++;
          this.#setState("connected");
          break;
        case "error":
          this.#options.onError(status.error);
          break;
        case "close":
          this.#setState("closed");
          break;
      }
    }
  }

  #register(connection: NatsConnection, registration: Registration): void {
    const { onError } = this.#options;
    const end = subscribeOn(connection, { ...registration, onError, lane: this.#lane });
    flushPending(connection);
    registration.end = () => {
      end();
      flushPending(connection);
    };
  }

  #setState(state: BusState): void {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    this.#isFast = this.#lane.isOn && this.#lane.isOpen;
    for (const listener of this.#listeners) {
      try {
        listener(state);
      } catch (error) {
        this.#options.onError(toError(error));
      }
    }
  }
}

/** The client library does not look at the login in a URL. */
function toLogin(
  urls: readonly string[],
): Pick<ConnectionOptions, "servers" | "user" | "pass" | "token"> {
  const parts = urls.map(splitNatsUrl);
  const servers = parts.map(({ address }) => address);
  const login = parts.find(({ login }) => login !== undefined)?.login;
  if (login === undefined) return { servers };
  const [user = "", pass] = login.split(":").map(decodeURIComponent);
  return pass === undefined ? { servers, token: user } : { servers, user, pass };
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    resolve();
  }, { once: true });
  return promise;
}

function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
