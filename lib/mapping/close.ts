/**
 * Every way in which a WebSocket ends: with which code and reason, and what its client does then.
 * It imports nothing, since a browser reads it as well.
 *
 * @module
 */

/** How a connection ended. */
export interface CloseInfo {
  /** Of RFC 6455 §7.4. */
  readonly code: number;
  /** What a close frame can hold is 123 bytes of it. */
  readonly reason: string;
}

/**
 * What a client does after a close: it comes back at once (`retry`), after a pause that grows
 * (`later`), with new credentials (`renew`), or not at all (`stop`): the end was meant, or would be
 * the same again.
 */
export type Advice = "retry" | "later" | "renew" | "stop";

/** RFC 6455 §7.4.1: a close frame without a code. */
export const NO_STATUS = 1005;
/** RFC 6455 §7.4.1: no close frame at all. */
const ABNORMAL = 1006;
/** RFC 6455 §7.1.7: a reason is at most 123 bytes of UTF-8. */
const MAX_REASON_LENGTH = 123;

/** RFC 6455 §7.4.1 and the IANA registry, and ours; whatever else a workload says is final. */
const ADVICE: ReadonlyMap<number, Advice> = new Map<number, Advice>([
  [1000, "stop"],
  [1001, "retry"],
  [1002, "stop"],
  [1003, "stop"],
  [NO_STATUS, "stop"],
  [ABNORMAL, "retry"],
  [1007, "stop"],
  [1008, "stop"],
  [1009, "stop"],
  [1010, "stop"],
  [1011, "later"],
  [1012, "retry"],
  [1013, "later"],
  [4401, "renew"],
  [4499, "retry"],
]);

/** No close frame came. */
export const VANISHED = { code: ABNORMAL, reason: "" } as const satisfies CloseInfo;
/** The client has to show another token. */
export const EXPIRED = { code: 4401, reason: "the token has expired" } as const satisfies CloseInfo;
/** Said by a client, named after nginx's 499: a goodbye would end what it is about to come back to. */
export const RETURNING = { code: 4499, reason: "comes back" } as const satisfies CloseInfo;

/**
 * What the gateway, the workload library and the reverse daemon close with, or tell of an end. The client has
 * use for those above alone, and a page need not load the others.
 */
export const CLOSE = {
  vanished: VANISHED,
  expired: EXPIRED,
  returning: RETURNING,
  slowConsumer: { code: 1013, reason: "slow consumer" },
  tooFast: {
    code: 1008,
    reason: "too fast: what was said waits for NATS, and the receive buffer is full",
  },
  bufferFull: { code: 1013, reason: "NATS is away and the receive buffer is full" },
  natsAway: { code: 1013, reason: "NATS is not connected" },
  draining: { code: 1001, reason: "gateway is draining" },
  gatewayLost: { code: ABNORMAL, reason: "gateway lost" },
  cutOff: { code: 1013, reason: "the gateway was cut off" },
  failed: { code: 1011, reason: "the gateway failed on this connection" },
  invalidCode: { code: 1011, reason: "invalid close code from the workload" },
  resumedElsewhere: { code: 1008, reason: "resumed elsewhere" },
  heldElsewhere: { code: 1013, reason: "held elsewhere" },
  cannotResume: { code: 1013, reason: "cannot resume now" },
  tooMuchWaits: { code: 1013, reason: "too much waits for it" },
  workloadTooSlow: { code: 1013, reason: "the workload is too slow" },
  gatewaySilent: { code: ABNORMAL, reason: "its gateway fell silent" },
  gatewayLeft: { code: ABNORMAL, reason: "its gateway has left" },
  gatewayGone: { code: ABNORMAL, reason: "its gateway was lost" },
  toldWhileAway: { code: ABNORMAL, reason: "its end was told while NATS was away" },
  proxyRestarts: { code: 1012, reason: "the backend's proxy restarts" },
  proxyGone: { code: 1012, reason: "the backend's proxy has gone" },
  backendUnread: { code: 1013, reason: "the backend does not read" },
  backendSilent: { code: 1011, reason: "the backend does not answer" },
  backendLost: { code: 1011, reason: "the connection to the backend was lost" },
} as const satisfies Record<string, CloseInfo>;

/** A message over the limit, in bytes. */
export function tooBig(maxBytes: number): CloseInfo {
  return { code: 1009, reason: `message larger than ${maxBytes} bytes` };
}

/** The stream does not keep what the client said. */
export function notStored(reason: string): CloseInfo {
  return { code: 1013, reason: `not stored: ${reason}` };
}

/** The client speaks a subprotocol of ours, and not as it is. */
export function notSpoken(protocol: string, expected: string): CloseInfo {
  return { code: 1008, reason: `${protocol}: expected ${expected}` };
}

/** The backend's answer to the handshake is no 101. */
export function backendRefused(status: number): CloseInfo {
  return { code: 1011, reason: `the backend refuses with ${status}` };
}

/**
 * What a client does after its connection ended.
 *
 * @param code Of its close event.
 * @returns The advice; `stop` for a code that only a workload gives a meaning to.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { CLOSE, toAdvice } from "./close.ts";
 *
 * assert.equal(toAdvice(CLOSE.draining.code), "retry");
 * assert.equal(toAdvice(4000), "stop");
 * ```
 */
export function toAdvice(code: number): Advice {
  return ADVICE.get(code) ?? "stop";
}

/** Says whether a client whose connection ended so may go on with it. */
export function mayResume({ code }: CloseInfo): boolean {
  return toAdvice(code) !== "stop";
}

/** RFC 6455 §7.4.2: what an endpoint may put into a close frame. */
export function isSendable(code: number): boolean {
  if (code >= 3000) return code <= 4999;
  return ADVICE.has(code) && code !== NO_STATUS && code !== ABNORMAL;
}

/** Cuts a reason to what a close frame can hold, and no character in two. */
export function toCloseReason(reason: string): string {
  const { read } = new TextEncoder().encodeInto(reason, new Uint8Array(MAX_REASON_LENGTH));
  return reason.slice(0, read);
}

/** The code of a `CloseEvent`; `Deno.upgradeWebSocket` says 0 where the peer has vanished. */
export function fromCloseEventCode(code: number): number {
  return code === 0 ? ABNORMAL : code;
}
