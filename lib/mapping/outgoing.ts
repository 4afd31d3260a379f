/**
 * A response → the messages of a reply: the way back of `reply.ts`.
 *
 * @module
 */
import {
  type HeaderEntry,
  type HeaderLines,
  joinLines,
  namedByConnection,
  toCanonicalName,
  toHeaderLine,
} from "./headers.ts";
import { HEADER, isOwnHeader } from "./names.ts";
import { toStreamEnd } from "./reply.ts";
import { toAckedStream } from "./stream_ack.ts";

/** What is for the hop to the gateway only, or would say something else than the application means. */
const NOT_FORWARDED: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "keep-alive",
  "proxy-connection",
  "status",
  "status-code",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/** What the first message of a reply says besides its payload. */
export interface ReplyHead {
  /** 200–599. */
  readonly status: number;
  /** Names in any case; several of one name stay several. */
  readonly headers: readonly HeaderEntry[];
  /** In bytes. Present in a single reply, absent in the first message of a stream. */
  readonly contentLength?: number;
  /** In bytes: of a whole stream, where it is known at its first message. */
  readonly streamLength?: number;
}

/**
 * The header lines of a reply's first message.
 *
 * @returns Lines for a NATS header block: `Status-Code`, `Content-Length` for a single reply, then the
 * response's own headers, names canonical.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toReplyLines } from "./outgoing.ts";
 *
 * const headers = [["content-type", "text/plain"], ["nats-x", "1"]] as const;
 * assert.equal(
 *   toReplyLines({ status: 201, headers, contentLength: 2 }),
 *   "Status-Code: 201\r\nContent-Length: 2\r\nContent-Type: text/plain\r\n",
 * );
 * ```
 */
export function toReplyLines(
  { status, headers, contentLength, streamLength }: ReplyHead,
): HeaderLines {
  let lines = toHeaderLine("Status-Code", String(status));
  if (streamLength !== undefined) {
    lines = joinLines(lines, toHeaderLine(HEADER.contentLength, String(streamLength)));
  }
  if (contentLength !== undefined) {
    lines = joinLines(lines, toHeaderLine("Content-Length", String(contentLength)));
  }
  const named = namedByConnection(headers);
  for (const [name, value] of headers) {
    const key = name.toLowerCase();
    if (NOT_FORWARDED.has(key) || named?.has(key) || isOwnHeader(key)) continue;
    lines = joinLines(lines, toHeaderLine(toCanonicalName(key), value));
  }
  return lines;
}

/**
 * The length that a response itself announces.
 *
 * @returns Bytes; undefined when it announces none, or nonsense.
 */
export function toAnnouncedLength(headers: readonly HeaderEntry[]): number | undefined {
  const value = headers.find(([name]) => name.toLowerCase() === "content-length")?.[1];
  return value !== undefined && /^\d{1,15}$/.test(value) ? Number(value) : undefined;
}

/**
 * Cuts a chunk of a stream into what can be sent as messages: none empty and none `0\r\n\r\n`, which
 * would both end the stream, and none that looks like the acknowledgement of one in NATS.
 *
 * @param chunk Any number of bytes.
 * @param limit The most bytes of one message, at least 1; of the first piece, where `first` is given.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { splitChunk } from "./outgoing.ts";
 *
 * const pieces = splitChunk(Uint8Array.of(1, 2, 3, 4, 5), { limit: 2 });
 * assert.deepEqual(pieces.map((piece) => [...piece]), [[1, 2], [3, 4], [5]]);
 * ```
 */
export function splitChunk(
  chunk: Uint8Array,
  { limit, first = limit }: { limit: number; first?: number },
): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let offset = 0;
  while (offset < chunk.length) {
    const piece = chunk.subarray(offset, offset + (offset === 0 ? first : limit));
    offset += piece.length;
    if (isChunk(piece)) pieces.push(piece);
    else pieces.push(piece.subarray(0, 1), piece.subarray(1));
  }
  return pieces;
}

function isChunk(piece: Uint8Array): boolean {
  return toStreamEnd(piece) === undefined && toAckedStream("", piece) === undefined;
}
