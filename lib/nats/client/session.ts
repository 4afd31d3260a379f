/**
 * The connection to NATS: connect with backoff, reconnect, tell its state.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/nats-core";
import { backoff } from "@nats-io/nats-core/internal";
import type {
  Bus,
  BusMessage,
  BusState,
  BusSubscription,
  PublishOptions,
  SubscribeOptions,
} from "../bus.ts";
import { takesLine } from "./control_line.ts";
import { dial } from "./dial.ts";
import { FastLane } from "./fast_lane.ts";
import {
  Handover,
  isFast,
  type Message,
  otherServers,
  publishVia,
  type Registration,
  type ServerLink,
  subscribeVia,
} from "./handover.ts";
import { RETRY_DELAYS_MS, type SessionOptions, toConnectionOptions } from "./session_options.ts";
import { pendingBytesOf, publishOn, urlOf } from "./wire.ts";
import { pause, settlesWithin } from "../../time/within.ts";

export type { SessionOptions };

/** How long closing may wait for a server. */
const CLOSE_TIMEOUT_MS = 1000;
/** How long a server may take to answer a ping that measures how long it takes. */
const ROUND_TRIP_MS = 500;
/** How long requests of the client's own may still be answered over a connection that was left. */
const LINGER_MS = 5000;
/** Until the first connection has told the server's own limit: nats-server's default. */
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;

/** A {@link Bus} over the NATS client. */
export class Session implements Bus, AsyncDisposable {
  readonly #options: SessionOptions;
  readonly #listeners = new Set<(state: BusState) => void>();
  readonly #registrations = new Set<Registration>();
  readonly #stop = new AbortController();
  readonly #firstConnection: Promise<void>;
  #link: ServerLink | undefined;
  /** Where everything is moved to, until it is there. */
  #next: ServerLink | undefined;
  #leaving: ServerLink | undefined;
  #moved: Promise<void> | undefined;
  /** What is published in the moment between two connections. */
  #held: Message[] | undefined;
  #state: BusState = "connecting";
  #reconnects = 0;
  #maxPayload = DEFAULT_MAX_PAYLOAD;
  /** False for good where the lane is off, and while another library's transport has taken its place. */
  #isFast = false;

  /**
   * Begins to connect, and keeps trying.
   *
   * @param options How to reach NATS.
   */
  constructor(options: SessionOptions) {
    this.#options = options;
    this.#firstConnection = this.#connect();
  }

  get state(): BusState {
    return this.#state;
  }

  get maxPayload(): number {
    // While it is away, the last one that is known.
    return this.#maxPayload = this.#link?.connection.info?.max_payload ?? this.#maxPayload;
  }

  get reconnects(): number {
    return this.#reconnects;
  }

  get unsentBytes(): number {
    if (this.#link === undefined) return 0;
    return pendingBytesOf(this.#link.connection) + this.#link.lane.unsentBytes;
  }

  async roundTripMs(): Promise<number | undefined> {
    if (this.#state !== "connected") return undefined;
    let ms: number | undefined;
    const asked = this.#link?.connection.rtt().then((taken) => ms = taken);
    await settlesWithin(asked?.catch(() => {}) ?? Promise.resolve(), ROUND_TRIP_MS);
    return ms;
  }

  /** The client's own connection, for what is not on the hot path; undefined until connected. */
  get connection(): NatsConnection | undefined {
    return this.#link?.connection;
  }

  publish(subject: string, data: Uint8Array, options: PublishOptions = {}): boolean {
    if (this.#state !== "connected" || this.#link === undefined) return false;
    if (this.#isFast) return this.#link.lane.publish({ subject, data, options }, this.maxPayload);
    if (this.#held === undefined) publishOn(this.#link.connection, { subject, data, options });
    else this.#held.push({ subject, data, options });
    return true;
  }

  subscribe(
    subject: string,
    onMessage: (message: BusMessage) => void,
    options: SubscribeOptions = {},
  ): BusSubscription {
    const registration: Registration = { subject, onMessage, options, end: undefined };
    this.#registrations.add(registration);
    const link = this.#next ?? this.#link;
    if (link !== undefined) registration.end = subscribeVia(link, registration, this.#options);
    return {
      unsubscribe: () => {
        this.#registrations.delete(registration);
        registration.end?.();
      },
    };
  }

  /**
   * Subscribes anew, after NATS did not permit it.
   *
   * @param subject As it was given to {@link Session.subscribe}.
   */
  resubscribe(subject: string): void {
    // A move subscribes to everything by itself.
    if (this.#link === undefined || this.#next !== undefined) return;
    for (const registration of this.#registrations) {
      if (registration.subject !== subject) continue;
      registration.end?.();
      registration.end = subscribeVia(this.#link, registration, this.#options);
    }
  }

  onState(listener: (state: BusState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /**
   * Asks whether the server takes a line of the protocol, over a connection that is made for it: a line
   * that is too long costs the connection.
   *
   * @param bytes The length of subject, reply subject and sizes together.
   * @returns False when it does not.
   * @throws {Error} when it cannot be asked.
   */
  takesLine(bytes: number): Promise<boolean> {
    const servers = this.#link === undefined ? [] : [urlOf(this.#link.connection)];
    return takesLine(bytes, {
      ...toConnectionOptions(this.#options, servers),
      name: `${this.#options.name}-line`,
    });
  }

  async flush(): Promise<void> {
    await this.#link?.connection.flush();
  }

  /** Closes the connection without waiting; {@link Session.flush} first where that matters. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    this.#setState("closed");
    // A server that accepts and then keeps silent would hold this up; the attempt ends by itself.
    await settlesWithin(this.#firstConnection, CLOSE_TIMEOUT_MS);
    for (const link of [this.#link, this.#next]) {
      if (link !== undefined) await settlesWithin(link.connection.close(), CLOSE_TIMEOUT_MS);
    }
  }

  async #connect(): Promise<void> {
    const delays = backoff(RETRY_DELAYS_MS);
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      try {
        const link = await this.#dial(this.#options.login.servers);
        if (this.#stop.signal.aborted) return await link.connection.close();
        this.#link = link;
        for (const registration of this.#registrations) {
          registration.end = subscribeVia(link, registration, this.#options);
        }
        this.#setState("connected");
        this.#watch(link).catch(this.#options.onError);
        return;
      } catch (error) {
        if (this.#stop.signal.aborted) return;
        this.#options.onRetry(toError(error), attempt);
        await pause(delays.backoff(attempt - 1), { signal: this.#stop.signal });
      }
    }
  }

  async #dial(servers: string[]): Promise<ServerLink> {
    const lane = new FastLane({ isOn: this.#options.fastLane ?? true });
    return {
      connection: await dial(toConnectionOptions(this.#options, servers), lane) as NatsConnection,
      lane,
    };
  }

  async #watch(link: ServerLink): Promise<void> {
    for await (const status of link.connection.status()) {
      if (status.type === "error") this.#options.onError(status.error);
      // What was left is about to close.
      if (this.#link !== link) continue;
      switch (status.type) {
        case "ldm":
          if (this.#options.onMove) this.#leave(link).catch(this.#options.onError);
          break;
        case "staleConnection":
        case "disconnect":
          this.#setState("disconnected");
          break;
        case "reconnect":
          this.#reconnects++;
          this.#setState("connected");
          break;
        case "close":
          this.#setState("closed");
          break;
      }
    }
  }

  /** Make before break. With nowhere to go it stays until the server closes the connection. */
  async #leave(from: ServerLink): Promise<void> {
    const servers = otherServers(from.connection, this.#options.login.servers);
    // A lame duck may say so more than once.
    if (servers.length === 0 || this.#leaving === from) return;
    this.#leaving = from;
    await this.#moved;
    const to = await this.#dial(servers);
    if (this.#stop.signal.aborted) return await to.connection.close();
    await (this.#moved = this.#move(from, to));
    await pause(LINGER_MS, { signal: this.#stop.signal });
    await settlesWithin(from.connection.close(), CLOSE_TIMEOUT_MS);
  }

  async #move(from: ServerLink, to: ServerLink): Promise<void> {
    this.#next = to;
    this.#watch(to).catch(this.#options.onError);
    const handover = new Handover({ from, to }, this.#registrations, this.#options.onError);
    await handover.listening();
    this.#held = [];
    this.#isFast = false;
    await handover.passed();
    this.#link = to;
    this.#next = undefined;
    for (const message of this.#held) publishVia(to, message);
    this.#held = undefined;
    this.#isFast = isFast(to);
    // The old one may have been lost meanwhile.
    this.#setState("connected");
    await handover.finished();
    this.#options.onMove?.(to.connection.getServer());
    this.#tellState();
  }

  #setState(state: BusState): void {
    if (this.#state === state || this.#state === "closed") return;
    this.#state = state;
    this.#isFast = this.#held === undefined && isFast(this.#link);
    this.#tellState();
  }

  /** Also when it is the same state on another server, for those who keep something at the server. */
  #tellState(): void {
    const state = this.#state;
    for (const listener of this.#listeners) {
      try {
        listener(state);
      } catch (error) {
        this.#options.onError(toError(error));
      }
    }
  }
}

function toError(value: unknown): Error {
  return value instanceof Error ? value : new Error(String(value));
}
