/**
 * Heartbeats: how a gateway says that it lives, so that workloads notice when it does not.
 *
 * @module
 */

import { type JsonObject, parseJsonObject } from "./contract_error.ts";
import { toOwnSubject } from "./names.ts";

/** How often a gateway says that it lives, in milliseconds. */
export const HEARTBEAT_INTERVAL_MS = 5000;

/**
 * After how many silent milliseconds a gateway, and all its connections, count as lost. The contract's
 * 15 s are when all have been told; noticing it and agreeing on who tells it take the rest.
 */
export const SILENCE_MS = 13_000;

/**
 * The same for the other gateways: sooner, so that as a rule one of them has told the end of all its
 * connections before any workload gives them up by itself.
 */
export const PEER_SILENCE_MS = 11_000;

const EVENTS = ["alive", "draining", "gone"] as const;

/**
 * What a gateway says of itself.
 *
 * - `alive`: again and again, until it is gone.
 * - `draining`: once; it takes no new work, and what runs goes on.
 * - `gone`: the last response is out, and the end of each connection has been told.
 */
export type HeartbeatEvent = typeof EVENTS[number];

/** A heartbeat, read from its subject. */
export interface Heartbeat {
  readonly gateway: string;
  readonly event: HeartbeatEvent;
}

/**
 * Where a gateway publishes what it says of itself. That it does matters; the payload may be empty.
 *
 * @returns `<prefix>.control.gateway.<gateway>.<event>`.
 */
export function toHeartbeatSubject({ gateway, event }: Heartbeat, prefix: string): string {
  return toOwnSubject(prefix, "gateway", gateway, event);
}

/**
 * The subject under which all heartbeats are heard.
 *
 * @returns `<prefix>.control.gateway.*.*`.
 */
export function toHeartbeatPattern(prefix: string): string {
  return toOwnSubject(prefix, "gateway", "*", "*");
}

/**
 * Reads a heartbeat's subject.
 *
 * @param subject As NATS delivered it under {@link toHeartbeatPattern}.
 * @returns Who says what; undefined for an event that is none of these.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fromHeartbeatSubject } from "./heartbeat.ts";
 *
 * const heartbeat = fromHeartbeatSubject("h8s.control.gateway.G1.alive");
 * assert.deepEqual(heartbeat, { gateway: "G1", event: "alive" });
 * ```
 */
export function fromHeartbeatSubject(subject: string): Heartbeat | undefined {
  const [last, gateway = ""] = subject.split(".").reverse();
  const event = EVENTS.find((event) => event === last);
  return event === undefined ? undefined : { gateway, event };
}

/** What a gateway tells of itself with a heartbeat, and with its list of connections. */
export interface About {
  /** Of the program. */
  readonly version: string;
  /** Where it listens: HOST:PORT. */
  readonly listen: string;
  /** When it started: ISO 8601, UTC. */
  readonly since: string;
  /** What its clock says: ISO 8601, UTC. */
  readonly now: string;
  /** How many WebSockets it holds. */
  readonly connections: number;
}

/** A heartbeat's payload. */
export function renderAbout({ version, listen, since, now, connections }: About): string {
  return JSON.stringify({ version, listen, since, now, connections });
}

/**
 * Reads a heartbeat's payload. Keys that it does not know are ignored.
 *
 * @returns What is told; undefined for a gateway that tells nothing, as older ones do.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseAbout, renderAbout } from "./heartbeat.ts";
 *
 * const now = new Date(0).toISOString();
 * const about = { version: "1.2.3", listen: "127.0.0.1:80", since: now, now, connections: 7 };
 * assert.deepEqual(parseAbout(new TextEncoder().encode(renderAbout(about))), about);
 * assert.equal(parseAbout(new Uint8Array()), undefined);
 * ```
 */
export function parseAbout(payload: Uint8Array): About | undefined {
  try {
    return toAbout(parseJsonObject(payload, "a heartbeat"));
  } catch {
    return undefined;
  }
}

/**
 * The same, of JSON that has been read.
 *
 * @returns What is told; undefined for anything else.
 */
export function toAbout(json: JsonObject): About | undefined {
  const { version, listen, since, now, connections } = json;
  const isText = [version, listen, since, now].every((value) => typeof value === "string");
  if (!isText || typeof connections !== "number") return undefined;
  return { version, listen, since, now, connections } as About;
}
