/**
 * WebSocket message ↔ NATS message, and close codes.
 *
 * @module
 */
import { findHeader, parseHeaderBlock, toHeaderLine } from "./headers.ts";

/** What a WebSocket message is made of. */
export type FrameKind = "text" | "binary";

/** What a NATS message asks the gateway to do with a WebSocket. */
export type Frame =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "binary"; readonly bytes: Uint8Array }
  | { readonly kind: "close"; readonly code: number; readonly reason: string }
  /**
   * NATS's own word that nobody subscribes to a subject, which servers before 2.11 do not name;
   * nothing for the client.
   */
  | { readonly kind: "no_responders"; readonly subject: string | undefined };

/** Made once: that costs more than decoding a short message. */
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** RFC 6455 §7.1.7: a reason is at most 123 bytes of UTF-8. */
const MAX_REASON_LENGTH = 123;
/** RFC 6455 §7.4.1 and the IANA registry: what an endpoint may put into a close frame. */
const SENDABLE_CODES: ReadonlySet<number> = new Set(
  [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013],
);
/** RFC 6455 §7.4.1: a close frame without a code. */
export const NO_STATUS = 1005;

/** Close codes that the gateway itself uses. */
export const CLOSE = {
  goingAway: 1001,
  abnormal: 1006,
  invalidPayload: 1007,
  policy: 1008,
  tooBig: 1009,
  internal: 1011,
  tryAgainLater: 1013,
  /** The client's identity has ended; private use, named after the HTTP status. */
  unauthorized: 4401,
} as const;

/**
 * The header line that tells a workload what kind of message the client sent.
 *
 * @param kind Of the WebSocket message.
 * @returns A line for a NATS header block.
 */
export function toFrameHeader(kind: FrameKind): string {
  return toHeaderLine("X-H8s-Frame", kind);
}

/**
 * Reads a NATS message that was sent to a connection's inbox.
 *
 * @param headerBlock Its NATS header block as latin-1 text, empty without one.
 * @param payload Its payload.
 * @returns What to do. Without `X-H8s-Frame` it is text when it is valid UTF-8, else binary; bytes
 * that are not UTF-8 are binary whatever the header says, since no text frame could carry them.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toFrame } from "./frame.ts";
 *
 * const bytes = new TextEncoder().encode("hi");
 * assert.deepEqual(toFrame("", bytes), { kind: "text", text: "hi" });
 * assert.deepEqual(
 *   toFrame("NATS/1.0\r\nX-H8s-Close: 4000 done\r\n\r\n", new Uint8Array()),
 *   { kind: "close", code: 4000, reason: "done" },
 * );
 * ```
 */
export function toFrame(headerBlock: string, payload: Uint8Array): Frame {
  if (headerBlock !== "") {
    const { status, entries } = parseHeaderBlock(headerBlock);
    if (status === 503 && payload.length === 0) {
      return { kind: "no_responders", subject: findHeader(entries, "nats-subject") };
    }
    const close = findHeader(entries, "x-h8s-close");
    if (close !== undefined) return parseClose(close);
    if (findHeader(entries, "x-h8s-frame") === "binary") return { kind: "binary", bytes: payload };
  }
  const text = decodeUtf8(payload);
  return text === undefined ? { kind: "binary", bytes: payload } : { kind: "text", text };
}

/**
 * Cuts a close reason to what a close frame can hold.
 *
 * @param reason Any text.
 * @returns At most 123 bytes of UTF-8, no character cut in two.
 */
export function toCloseReason(reason: string): string {
  const bytes = new Uint8Array(MAX_REASON_LENGTH);
  const { read } = new TextEncoder().encodeInto(reason, bytes);
  return reason.slice(0, read);
}

/**
 * The code of a `CloseEvent` as the contract tells it.
 *
 * @param code 0 is what `Deno.upgradeWebSocket` gives where the peer vanished.
 * @returns A code of RFC 6455 §7.4; 1006 for 0.
 */
export function fromCloseEventCode(code: number): number {
  return code === 0 ? CLOSE.abnormal : code;
}

function parseClose(value: string): Frame {
  const [code = "", ...words] = value.split(" ");
  const number = /^\d{4}$/.test(code) ? Number(code) : Number.NaN;
  if (number === NO_STATUS) return { kind: "close", code: NO_STATUS, reason: "" };
  if (!SENDABLE_CODES.has(number) && !(number >= 3000 && number <= 4999)) {
    return { kind: "close", code: CLOSE.internal, reason: "invalid close code from the workload" };
  }
  const reason = decodeUtf8(Uint8Array.from(words.join(" "), (char) => char.charCodeAt(0)));
  return { kind: "close", code: number, reason: toCloseReason(reason ?? "") };
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return UTF8.decode(bytes);
  } catch {
    return undefined;
  }
}
