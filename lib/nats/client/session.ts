/**
 * The connection to NATS: connect with backoff, reconnect, tell its state.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/nats-core";
import { backoff } from "@nats-io/nats-core/internal";
import { toError } from "../../errors.ts";
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
import { Handover, otherServers } from "./handover.ts";
import { RETRY_DELAYS_MS } from "./pace.ts";
import { isUp, type SessionPlace, type Step, toHearing, toPlace, toState } from "./place.ts";
import {
  type Hooks,
  openLaneOf,
  type OutgoingMessage,
  publishVia,
  type Registration,
  type ServerLink,
  subscribeVia,
} from "./server_link.ts";
import { type NatsSessionOptions, toConnectionOptions } from "./session_options.ts";
import { pendingBytesOf, publishOn, urlOf } from "./wire.ts";
import { pause, settlesWithin } from "../../time/within.ts";

export type { NatsSessionOptions };

/** How long closing may wait for a server. */
const CLOSE_TIMEOUT_MS = 1000;
/** How long a server may take to answer a ping that measures how long it takes. */
const ROUND_TRIP_MS = 500;
/** How long requests of the client's own may still be answered over a connection that was left. */
const LINGER_MS = 5000;
/** A listener that has thrown is told all once more, over a new connection; if it throws again, not so soon. */
const REBUILD_PAUSE_MS = 30_000;
/** Until the first connection has told the server's own limit: nats-server's default. */
const DEFAULT_MAX_PAYLOAD = 1024 * 1024;

/** A {@link Bus} over the NATS client. */
export class Session implements Bus, AsyncDisposable {
  readonly #options: NatsSessionOptions;
  readonly #hooks: Hooks;
  readonly #listeners = new Set<(state: BusState) => void>();
  readonly #registrations = new Set<Registration>();
  readonly #stop = new AbortController();
  readonly #firstConnection: Promise<void>;
  #place: SessionPlace<ServerLink> = { name: "connecting" };
  /** The lane of the place's connection, while messages may take it; the hot path asks nothing else. */
  #lane: FastLane | undefined;
  /** What is published while crossing. */
  #held: OutgoingMessage[] = [];
  #moved: Promise<void> | undefined;
  #reconnects = 0;
  /** Told of all that is published; undefined for nobody. */
  onPublish: ((subject: string, data: Uint8Array, options: PublishOptions) => void) | undefined;
  #maxPayload = DEFAULT_MAX_PAYLOAD;
  #noRebuildBefore = 0;

  /** Begins to connect, and keeps trying. */
  constructor(options: NatsSessionOptions) {
    this.#options = options;
    const { onError, onFault = (_stage, error) => onError(toError(error)) } = options;
    this.#hooks = { onError, onFault };
    this.#firstConnection = this.#connect();
  }

  get state(): BusState {
    return toState(this.#place);
  }

  get maxPayload(): number {
    // While it is away, the last one that is known.
    return this.#maxPayload = this.#place.link?.connection.info?.max_payload ?? this.#maxPayload;
  }

  get reconnects(): number {
    return this.#reconnects;
  }

  get unsentBytes(): number {
    const { link } = this.#place;
    return link === undefined ? 0 : pendingBytesOf(link.connection) + link.lane.unsentBytes;
  }

  async roundTripMs(): Promise<number | undefined> {
    if (this.state !== "connected") return undefined;
    let ms: number | undefined;
    const asked = this.connection?.rtt().then((taken) => ms = taken);
    await settlesWithin(asked?.catch(() => {}) ?? Promise.resolve(), ROUND_TRIP_MS);
    return ms;
  }

  /** The client's own connection, for what is not on the hot path; undefined until connected. */
  get connection(): NatsConnection | undefined {
    return this.#place.link?.connection;
  }

  publish(subject: string, data: Uint8Array, options: PublishOptions = {}): boolean {
    if (this.onPublish !== undefined) this.onPublish(subject, data, options);
    const message = { subject, data, options };
    if (this.#lane !== undefined) return this.#lane.publish(message, this.maxPayload);
    const place = this.#place;
    if (!isUp(place)) return false;
    if (place.name === "crossing") this.#held.push(message);
    else publishOn(place.link.connection, message);
    return true;
  }

  subscribe(
    subject: string,
    onMessage: (message: BusMessage) => void,
    options: SubscribeOptions = {},
  ): BusSubscription {
    const registration: Registration = { subject, onMessage, options, end: undefined };
    this.#registrations.add(registration);
    const link = toHearing(this.#place);
    if (link !== undefined) registration.end = subscribeVia(link, registration, this.#hooks);
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
    const { link } = this.#place;
    if (link === undefined || link !== toHearing(this.#place)) return;
    for (const registration of this.#registrations) {
      if (registration.subject !== subject) continue;
      registration.end?.();
      registration.end = subscribeVia(link, registration, this.#hooks);
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
    const servers = this.connection === undefined ? [] : [urlOf(this.connection)];
    return takesLine(bytes, {
      ...toConnectionOptions(this.#options, servers),
      name: `${this.#options.name}-line`,
    });
  }

  async flush(): Promise<void> {
    await this.connection?.flush();
  }

  /** Closes the connection without waiting; {@link Session.flush} first where that matters. */
  async [Symbol.asyncDispose](): Promise<void> {
    const links = [this.#place.link, toHearing(this.#place)];
    this.#stop.abort();
    this.#go({ type: "close" });
    // A server that accepts and then keeps silent would hold this up; the attempt ends by itself.
    await settlesWithin(this.#firstConnection, CLOSE_TIMEOUT_MS);
    for (const link of new Set(links)) {
      if (link !== undefined) await settlesWithin(link.connection.close(), CLOSE_TIMEOUT_MS);
    }
  }

  async #connect(): Promise<void> {
    const delays = backoff(RETRY_DELAYS_MS);
    for (let attempt = 1; !this.#stop.signal.aborted; attempt++) {
      try {
        const link = await this.#dial(this.#options.login.servers);
        if (this.#stop.signal.aborted) return await link.connection.close();
        for (const registration of this.#registrations) {
          registration.end = subscribeVia(link, registration, this.#hooks);
        }
        this.#go({ type: "connect", link });
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
    const { onFault } = this.#hooks;
    const isOn = this.#options.fastLane ?? true;
    const lane = new FastLane({ isOn, onFault: (error) => onFault("session", error) });
    return {
      connection: await dial(toConnectionOptions(this.#options, servers), lane) as NatsConnection,
      lane,
    };
  }

  async #watch(link: ServerLink): Promise<void> {
    for await (const status of link.connection.status()) {
      if (status.type === "error") this.#tell(() => this.#options.onError(status.error));
      switch (status.type) {
        case "ldm":
          if (this.#options.onMove) this.#leave(link).catch(this.#options.onError);
          break;
        case "staleConnection":
        case "disconnect":
          this.#go({ type: "down", link });
          break;
        case "reconnect":
          if (this.#place.link === link) this.#reconnects++;
          this.#go({ type: "up", link });
          break;
        case "close":
          if (this.#place.link === link) this.#go({ type: "close" });
          break;
      }
    }
  }

  /** Make before break. With nowhere to go it stays until the server closes the connection. */
  async #leave(from: ServerLink): Promise<void> {
    const servers = otherServers(from.connection, this.#options.login.servers);
    if (servers.length === 0 || !this.#go({ type: "leave", link: from })) return;
    await this.#moved;
    const to = await this.#dial(servers).catch((error) => {
      this.#go({ type: "stay" });
      throw error;
    });
    if (!this.#go({ type: "move", to })) return await to.connection.close();
    await (this.#moved = this.#move(from, to));
    await pause(LINGER_MS, { signal: this.#stop.signal });
    await settlesWithin(from.connection.close(), CLOSE_TIMEOUT_MS);
  }

  async #move(from: ServerLink, to: ServerLink): Promise<void> {
    this.#watch(to).catch(this.#options.onError);
    const handover = new Handover({ from, to }, this.#registrations, this.#hooks);
    await handover.listening();
    this.#go({ type: "cross" });
    await handover.passed();
    if (this.#stop.signal.aborted) return;
    for (const message of this.#held.splice(0)) publishVia(to, message);
    this.#go({ type: "arrive" });
    await handover.finished();
    if (this.#stop.signal.aborted) return;
    this.#options.onMove?.(to.connection.getServer());
    this.#tellState();
  }

  /** Returns false where the step does not fit the place. */
  #go(step: Step<ServerLink>): boolean {
    const before = this.#place;
    const place = this.#place = toPlace(before, step);
    this.#lane = isUp(place) && place.name !== "crossing" ? openLaneOf(place.link) : undefined;
    if (toState(place) !== toState(before)) this.#tellState();
    return place !== before;
  }

  /** Also when it is the same state on another server, for those who keep something at the server. */
  #tellState(): void {
    const { state } = this;
    for (const listener of this.#listeners) {
      if (this.#tell(() => listener(state)) || state !== "connected") continue;
      // What it keeps at the server, or was to say, is not known any more.
      const now = performance.now();
      if (now < this.#noRebuildBefore) continue;
      this.#noRebuildBefore = now + REBUILD_PAUSE_MS;
      this.connection?.reconnect().catch(this.#options.onError);
    }
  }

  /** Returns false where it throws: nobody else is to suffer from that. */
  #tell(tell: () => void): boolean {
    try {
      tell();
      return true;
    } catch (error) {
      this.#hooks.onFault("session", error);
      return false;
    }
  }
}
