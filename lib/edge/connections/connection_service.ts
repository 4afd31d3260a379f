/**
 * Who is connected to this gateway, answered over NATS, and its signs of life.
 *
 * @module
 */
import { renderAddress } from "../../config/units.ts";
import {
  type About,
  HEARTBEAT_INTERVAL_MS,
  type HeartbeatEvent,
  renderAbout,
  toHeartbeatSubject,
} from "../../mapping/heartbeat.ts";
import {
  type ListedConnection,
  type Listing,
  type ListRequest,
  parseListRequest,
  renderListing,
  toListSubject,
} from "../../mapping/listing.ts";
import { toHostName } from "../../mapping/subject.ts";
import type { BusMessage, BusSubscription } from "../../nats/bus.ts";
import { repeat } from "../../time/clock.ts";
import { afterTurn } from "../../time/turn.ts";
import { VERSION } from "../../version.ts";
import type { EdgeParts } from "../parts.ts";
import type { Connections } from "./connections.ts";

/** The most connections in one answer where nothing else is asked. */
const DEFAULT_LIST_LIMIT = 1000;
/** How many may wait for an answer: who gets none asks again. */
const MAX_WAITING = 256;
/** What an answer has besides its connections. */
const REPLY_ROOM = 1024;

const encoder = new TextEncoder();

/** What it takes. */
export type ServiceParts = Pick<EdgeParts, "bus" | "clock" | "config" | "gatewayId" | "log">;

/** Answers list requests and beats. */
export class ConnectionService implements Disposable {
  readonly #parts: ServiceParts;
  readonly #connections: Connections;
  readonly #subscriptions: readonly BusSubscription[];
  readonly #since = new Date().toISOString();
  readonly #endState: () => void;
  readonly #endBeats: () => void;
  readonly #waiting: BusMessage[] = [];
  /** Undefined where nobody has been answered in this turn. */
  #endTurn: (() => void) | undefined;

  /** Subscribes, and begins to beat. */
  constructor(connections: Connections, parts: ServiceParts) {
    this.#connections = connections;
    this.#parts = parts;
    const { prefix } = parts.config();
    const answer = (message: BusMessage) => this.#take(message);
    this.#subscriptions = [
      parts.bus.subscribe(toListSubject(prefix), answer),
      parts.bus.subscribe(toListSubject(prefix, parts.gatewayId), answer),
    ];
    this.#endState = parts.bus.onState((state) => {
      if (state === "connected") this.#beat("alive");
    });
    this.#endBeats = repeat(parts.clock, HEARTBEAT_INTERVAL_MS, () => this.#beat("alive"));
  }

  /** Says that this gateway takes no more; what runs goes on, so it beats until that is over. */
  drain(): void {
    this.#beat("draining");
  }

  /** Says that this gateway is gone: nothing more comes from it, and all ends have been told. */
  leave(): void {
    this.#endBeats();
    this.#beat("gone");
  }

  /** Ends the subscriptions and the beat. */
  [Symbol.dispose](): void {
    this.#endTurn?.();
    this.#endBeats();
    this.#endState();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #beat(event: HeartbeatEvent): void {
    const { bus, config, gatewayId: gateway } = this.#parts;
    bus.publish(
      toHeartbeatSubject({ gateway, event }, config().prefix),
      encoder.encode(renderAbout(this.#about())),
    );
  }

  #about(): About {
    return {
      version: VERSION,
      listen: renderAddress(this.#parts.config().listen),
      since: this.#since,
      now: new Date().toISOString(),
      connections: this.#connections.size,
    };
  }

  /** One in a turn of the event loop: each may be told of a thousand connections, and clients wait meanwhile. */
  #take(message: BusMessage): void {
    if (this.#endTurn !== undefined) {
      if (this.#waiting.length < MAX_WAITING) this.#waiting.push(message);
      return;
    }
    this.#answer(message);
    this.#endTurn = afterTurn(() => {
      this.#endTurn = undefined;
      const next = this.#waiting.shift();
      if (next !== undefined) this.#take(next);
    });
  }

  #answer({ data, reply }: BusMessage): void {
    // Who is not answered asks again at the next heartbeat.
    if (reply === "" || this.#connections.records.settling !== undefined) return;
    try {
      const list = this.#list(parseListRequest(data));
      this.#parts.bus.publish(reply, encoder.encode(renderListing(list)));
    } catch (error) {
      this.#parts.log.warn("a list request cannot be read", { error: String(error) });
    }
  }

  /** A cursor is the number of the last connection told; those that come later have larger ones. */
  #list({ subject, host, limit = DEFAULT_LIST_LIMIT, cursor = "0" }: ListRequest): Listing {
    const gateway = this.#parts.gatewayId;
    const hostName = host === undefined ? undefined : toHostName(host);
    const connections: ListedConnection[] = [];
    const about = this.#about();
    let room = this.#parts.bus.maxPayload - REPLY_ROOM;
    let last = cursor;
    for (const [number, info] of this.#connections.describe(Number(cursor))) {
      if (subject !== undefined && info.subject !== subject) continue;
      if (hostName !== undefined && toHostName(info.host) !== hostName) continue;
      room -= encoder.encode(JSON.stringify(info)).length + 1;
      if (connections.length === limit || (room < 0 && connections.length > 0)) {
        return { gateway, connections, cursor: last, about };
      }
      connections.push(info);
      last = String(number);
    }
    return { gateway, connections, about };
  }
}
