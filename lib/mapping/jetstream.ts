/**
 * Publishing into a JetStream stream: what the message says of itself, and what the stream answers
 * (NATS ADR-1).
 *
 * @module
 */
import { type HeaderLines, isNoResponders, joinLines, toHeaderLine } from "./headers.ts";
import { HEADER } from "./names.ts";

/** Made once: that costs more than reading an answer. */
const DECODER = new TextDecoder();

/**
 * The header lines by which a stream tells a message from others, and that it is the stream that was meant.
 *
 * @param message `stream`: its name; `messageId`: the same each time the message is published.
 */
export function toPersistLines(
  { stream, messageId }: { stream: string; messageId: string },
): HeaderLines {
  return joinLines(
    toHeaderLine(HEADER.natsMessageId, messageId),
    toHeaderLine(HEADER.natsExpectedStream, stream),
  );
}

/**
 * An answer.
 *
 * - `stored`: the stream has it; `seq` is that of the first one where it came twice.
 * - `refused`: the stream does not take it.
 * - `nobody`: no stream captures the subject now, or JetStream has no leader at the moment.
 */
export type PubAck =
  | {
    readonly kind: "stored";
    readonly stream: string;
    readonly seq: number;
    readonly duplicate: boolean;
  }
  | { readonly kind: "refused"; readonly reason: string }
  | { readonly kind: "nobody" };

/**
 * JetStream's own "temporarily unavailable", and "duplicate message id is in process", said to the second of
 * two that come at once; trying again helps.
 */
const LATER: ReadonlySet<unknown> = new Set([10008, 10158]);

/**
 * Reads an answer.
 *
 * @param headerBlock The message's NATS header block as latin-1 text.
 * @returns The answer; undefined when it is none, e.g. a word of a subscriber who saw the message as well.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parsePubAck } from "./jetstream.ts";
 *
 * const payload = new TextEncoder().encode('{"stream":"S","seq":7}');
 * assert.deepEqual(parsePubAck("", payload), {
 *   kind: "stored", stream: "S", seq: 7, duplicate: false,
 * });
 * ```
 */
export function parsePubAck(headerBlock: string, payload: Uint8Array): PubAck | undefined {
  const answer = parseApiAnswer(headerBlock, payload);
  switch (answer.kind) {
    case "nobody":
      return answer;
    case "refused": {
      const { code, reason } = answer;
      return LATER.has(code) ? { kind: "nobody" } : { kind: "refused", reason };
    }
    case "done": {
      const { stream, seq, duplicate, error } = answer.fields;
      const isAck = typeof stream === "string" && Number.isSafeInteger(seq) && error === undefined;
      if (!isAck) return undefined;
      return { kind: "stored", stream, seq: Number(seq), duplicate: duplicate === true };
    }
  }
}

/**
 * An answer of JetStream's API, or to a message for a stream, read (NATS ADR-1).
 *
 * - `done`: what was asked for; its fields are those of the answer.
 * - `refused`: `code` is JetStream's own, e.g. 10071 for another last sequence than was expected.
 * - `nobody`: there is no JetStream, or no such stream.
 */
export type ApiAnswer =
  | { readonly kind: "done"; readonly fields: Readonly<Record<string, unknown>> }
  | { readonly kind: "refused"; readonly code: number; readonly reason: string }
  | { readonly kind: "nobody" };

/**
 * Reads an answer of JetStream.
 *
 * @param headerBlock The message's NATS header block as latin-1 text.
 * @returns What it says; no fields where it is no JSON object.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseApiAnswer } from "./jetstream.ts";
 *
 * const payload = new TextEncoder().encode('{"error":{"err_code":10071,"description":"wrong"}}');
 * assert.deepEqual(parseApiAnswer("", payload), { kind: "refused", code: 10071, reason: "wrong" });
 * ```
 */
export function parseApiAnswer(headerBlock: string, payload: Uint8Array): ApiAnswer {
  if (isNoResponders(headerBlock, payload.length)) return { kind: "nobody" };
  const fields = parseObject(payload);
  const { error } = fields;
  if (typeof error !== "object" || error === null) return { kind: "done", fields };
  const { err_code: code, description } = error as { err_code?: unknown; description?: unknown };
  const reason = typeof description === "string" ? description : "no reason";
  return { kind: "refused", code: Number(code), reason };
}

/** Which message a consumer delivers, and how many come after it. */
export interface Delivered {
  /** Its number in the stream. */
  readonly seq: number;
  /** Its number among those that this consumer has delivered. */
  readonly consumerSeq: number;
  /** When the stream took it, in milliseconds since 1970. */
  readonly time: number;
  readonly pending: number;
}

/**
 * Reads the reply subject of what a consumer delivers (NATS ADR-15):
 * `$JS.ACK.<stream>.<consumer>.<delivered>.<seq>.<consumer seq>.<time>.<pending>`; with two more tokens
 * before the stream where there are domains.
 *
 * @returns What it says; `NaN` for what it does not.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseDelivery } from "./jetstream.ts";
 *
 * assert.deepEqual(parseDelivery("$JS.ACK.S.c.1.7.2.1700000000000000000.3"), {
 *   seq: 7, consumerSeq: 2, time: 1_700_000_000_000, pending: 3,
 * });
 * ```
 */
export function parseDelivery(reply: string): Delivered {
  const tokens = reply.split(".");
  const [seq, consumerSeq, nanos, pending] = tokens.slice(tokens.length === 9 ? 5 : 7).map(Number);
  return {
    seq: seq ?? Number.NaN,
    consumerSeq: consumerSeq ?? Number.NaN,
    time: Math.floor((nanos ?? Number.NaN) / 1e6),
    pending: pending ?? 0,
  };
}

/** Reads what JetStream says; no fields where it is no JSON object. */
export function parseObject(payload: Uint8Array): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(DECODER.decode(payload));
    return typeof value === "object" && value !== null ? value as Record<string, unknown> : {};
  } catch {
    return {};
  }
}
