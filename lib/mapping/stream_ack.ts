/**
 * What a stream answers that captured a message which was not meant for it, e.g. one that keeps every
 * request for an audit. JetStream acknowledges to the reply subject, as a workload would answer.
 *
 * @module
 */
import { parseHeaderBlock } from "./headers.ts";
import { parseObject } from "./jetstream.ts";

/** All that an acknowledgement may hold (NATS ADR-1, nats-server's `JSPubAckResponse`). */
const KEYS: ReadonlySet<string> = new Set(
  ["stream", "seq", "domain", "duplicate", "val", "batch", "count", "error"],
);
/** Names of streams are short, and so are the errors. */
const MAX_LENGTH = 4096;
/** `{"`, then the `s` of `stream` or the `e` of `error`: JetStream writes these first. */
const [BRACE, QUOTE, S, E] = [0x7b, 0x22, 0x73, 0x65];

/**
 * Says whether a message is a stream's acknowledgement, or its refusal.
 *
 * A workload that means such JSON as its own reply sends a header with it.
 *
 * @param headerBlock The message's NATS header block as latin-1 text.
 * @returns The stream's name; undefined for anything else.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toAckedStream } from "./stream_ack.ts";
 *
 * const ack = new TextEncoder().encode('{"stream":"AUDIT","seq":1}');
 * assert.equal(toAckedStream("", ack), "AUDIT");
 * assert.equal(toAckedStream("NATS/1.0\r\nContent-Type: application/json\r\n\r\n", ack), undefined);
 * ```
 */
export function toAckedStream(headerBlock: string, payload: Uint8Array): string | undefined {
  if (payload[0] !== BRACE || payload[1] !== QUOTE) return undefined;
  if (payload[2] !== S && payload[2] !== E) return undefined;
  if (payload.length > MAX_LENGTH || !isBare(headerBlock)) return undefined;
  const ack = parseObject(payload);
  if (!Object.keys(ack).every((key) => KEYS.has(key))) return undefined;
  const { stream, seq } = ack;
  return typeof stream === "string" && Number.isSafeInteger(seq) ? stream : undefined;
}

/** What was read from a stream has that stream's headers. */
function isBare(headerBlock: string): boolean {
  if (headerBlock === "") return true;
  return parseHeaderBlock(headerBlock).every(([name]) => /^nats-/i.test(name));
}
