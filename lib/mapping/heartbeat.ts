/**
 * Heartbeats: how a gateway says that it lives, so that workloads notice when it does not.
 *
 * @module
 */

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
 * Where a gateway publishes what it says of itself. The payload does not matter.
 *
 * @param heartbeat Who says what.
 * @param prefix Of all subjects.
 * @returns `<prefix>.control.gateway.<gateway>.<event>`.
 */
export function toHeartbeatSubject({ gateway, event }: Heartbeat, prefix: string): string {
  return `${prefix}.control.gateway.${gateway}.${event}`;
}

/**
 * The subject under which all heartbeats are heard.
 *
 * @param prefix Of all subjects.
 * @returns `<prefix>.control.gateway.*.*`.
 */
export function toHeartbeatPattern(prefix: string): string {
  return `${prefix}.control.gateway.*.*`;
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
