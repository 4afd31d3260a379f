/**
 * The subprotocol `h8s.ack.v1`: a client numbers what it says, and is told of each message that it is
 * kept.
 *
 * | who     | text                             | binary                        |
 * | ------- | -------------------------------- | ----------------------------- |
 * | client  | `{"id": 7, "data": …}`           | 8 bytes of id, then the bytes |
 * | gateway | `{"ack": 7, "seq": 1042}`        |                               |
 * | gateway | `{"data": "…"}` from a workload  | the bytes as they are         |
 *
 * @module
 */
import type { FrameKind } from "./frame.ts";

/** The subprotocol's name. */
export const ACK_PROTOCOL = "h8s.ack.v1";

/** A client's message. */
export interface NumberedMessage {
  /** 0 … 2⁵³ − 1; the client's own number. */
  readonly id: number;
  readonly kind: FrameKind;
  readonly bytes: Uint8Array;
}

/** What a client can be recognised by after a reconnect: unguessable, so that nobody else speaks under it. */
const CLIENT_ID = /^[A-Za-z0-9_-]{16,64}$/;
const ID_BYTES = 8;

/**
 * Says whether a client named itself so that nobody else could have.
 *
 * @param id From `h8s.ack.client.<id>`.
 * @returns True for 16 to 64 characters of `A–Z a–z 0–9 _ -`.
 */
export function isAckClientId(id: string): boolean {
  return CLIENT_ID.test(id);
}

/**
 * Reads a client's message.
 *
 * @returns The message; `data` that is no string crosses as the JSON that it is. Undefined for anything else.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseNumbered } from "./ack.ts";
 *
 * const message = parseNumbered('{"id": 7, "data": "hello"}');
 * assert.equal(message?.id, 7);
 * assert.deepEqual(message?.bytes, new TextEncoder().encode("hello"));
 * ```
 */
export function parseNumbered(data: string | ArrayBuffer): NumberedMessage | undefined {
  return typeof data === "string" ? parseText(data) : parseBinary(data);
}

/**
 * Tells a client that a message is kept.
 *
 * @param seq The message's sequence in the stream; of the first one where it was said twice.
 */
export function renderAck(id: number, seq: number): string {
  return `{"ack":${id},"seq":${seq}}`;
}

/** Wraps what a workload says, so that it cannot be taken for the gateway's word. */
export function renderData(text: string): string {
  return `{"data":${JSON.stringify(text)}}`;
}

function parseText(text: string): NumberedMessage | undefined {
  try {
    const { id, data } = JSON.parse(text) ?? {};
    if (!Number.isSafeInteger(id) || id < 0 || data === undefined) return undefined;
    const payload = typeof data === "string" ? data : JSON.stringify(data);
    return { id, kind: "text", bytes: new TextEncoder().encode(payload) };
  } catch {
    return undefined;
  }
}

function parseBinary(data: ArrayBuffer): NumberedMessage | undefined {
  if (data.byteLength < ID_BYTES) return undefined;
  const id = Number(new DataView(data).getBigUint64(0));
  if (!Number.isSafeInteger(id)) return undefined;
  return { id, kind: "binary", bytes: new Uint8Array(data, ID_BYTES) };
}
