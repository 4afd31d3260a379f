/**
 * A workload's reply → status, headers and kind of body.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import { type HeaderEntry, isNoResponders, parseHeaderBlock, toClientHeaders } from "./headers.ts";
import { HEADER } from "./names.ts";

/**
 * What the first message of a reply says.
 *
 * - `no_responders`: nobody subscribes to the subject (NATS's own 503).
 * - `single`: its payload is the whole body.
 * - `bare`: it does not say whether more follows; where nothing else is known its payload is the whole
 *   body, too.
 * - `stream`: it is the first chunk of many; the end is told by {@link toStreamEnd}.
 */
export type Reply =
  | { readonly kind: "no_responders" }
  | {
    readonly kind: "single" | "bare" | "stream";
    /** 200–599. */
    readonly status: number;
    readonly headers: readonly HeaderEntry[];
    /**
     * The length that the workload tells: `Content-Length`, or of a stream `X-H8s-Content-Length`. A HEAD
     * request asks for it.
     */
    readonly contentLength: string | undefined;
    /** An empty payload is no end: chunks follow. */
    readonly isHeadAlone: boolean;
    /** Events may be far apart. */
    readonly isEventStream: boolean;
  };

/**
 * Reads the head of a reply.
 *
 * @param headerBlock The first message's NATS header block as latin-1 text.
 * @param payloadLength Its payload's length in bytes.
 * @throws {GatewayError} `malformed_reply` when the status or a header cannot be sent to a client.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseReply } from "./reply.ts";
 *
 * const reply = parseReply("NATS/1.0\r\nStatus-Code: 201\r\nContent-Length: 2\r\n\r\n", 2);
 * assert.ok(reply.kind === "single" && reply.status === 201);
 * ```
 */
export function parseReply(headerBlock: string, payloadLength: number): Reply {
  if (headerBlock === "") return BARE;
  if (isNoResponders(headerBlock, payloadLength)) return { kind: "no_responders" };
  const entries = parseHeaderBlock(headerBlock);
  const first = toFirstValues(entries);
  const { ownLength, streamLength, serviceError, body, type } = first;
  const isWhole = ownLength !== undefined || serviceError !== undefined;
  const isEventStream = type !== undefined && EVENT_STREAM.test(type);
  return {
    kind: isWhole ? "single" : isEventStream || isStream(first) ? "stream" : "bare",
    status: serviceError === undefined ? toStatus(first) : toServiceErrorStatus(serviceError),
    headers: toClientHeaders(entries),
    contentLength: ownLength ?? streamLength,
    isHeadAlone: body === "stream",
    isEventStream,
  };
}

/** The first values of what is looked at; undefined for what is not there. */
class FirstValues {
  ownLength: string | undefined;
  streamLength: string | undefined;
  serviceError: string | undefined;
  statusCode: string | undefined;
  status: string | undefined;
  coding: string | undefined;
  type: string | undefined;
  body: string | undefined;
}

const BARE = {
  kind: "bare",
  status: 200,
  headers: [],
  contentLength: undefined,
  isHeadAlone: false,
  isEventStream: false,
} as const;

const SERVICE_ERROR = HEADER.natsServiceErrorCode.toLowerCase();
const BODY = HEADER.body.toLowerCase();
/** Only that of a single reply is called `Content-Length`. */
const STREAM_LENGTH = HEADER.contentLength.toLowerCase();

const EVENT_STREAM = /^text\/event-stream[ \t]*(;|$)/i;

const TERMINATION_CHUNK = "0\r\n\r\n";

/** How a stream ends in order: the words of the close subject. */
export type StreamEnd = "completed" | "termination_chunk";

/**
 * Says whether a message of a stream is its end rather than a chunk.
 *
 * @returns `completed` for an empty one, `termination_chunk` for `0\r\n\r\n`, else undefined.
 */
export function toStreamEnd(payload: Uint8Array): StreamEnd | undefined {
  if (payload.length === 0) return "completed";
  if (payload.length !== TERMINATION_CHUNK.length) return undefined;
  for (let index = 0; index < payload.length; index++) {
    if (payload[index] !== TERMINATION_CHUNK.charCodeAt(index)) return undefined;
  }
  return "termination_chunk";
}

/**
 * Says whether a response of this status has no body (RFC 9110 §6.4.1).
 *
 * @returns True for 204, 205 and 304.
 */
export function isBodyless(status: number): boolean {
  return status === 204 || status === 205 || status === 304;
}

function toFirstValues(entries: readonly HeaderEntry[]): FirstValues {
  const first = new FirstValues();
  for (const [name, value] of entries) {
    switch (name.toLowerCase()) {
      case "content-length":
        first.ownLength = toLength(value, first.ownLength);
        break;
      case STREAM_LENGTH:
        first.streamLength = toLength(value, first.streamLength);
        break;
      case SERVICE_ERROR:
        first.serviceError ??= value;
        break;
      case "status-code":
        first.statusCode ??= value;
        break;
      case "status":
        first.status ??= value;
        break;
      case "transfer-encoding":
        first.coding ??= value;
        break;
      case "content-type":
        first.type ??= value;
        break;
      case BODY:
        first.body ??= value;
        break;
    }
  }
  return first;
}

/** RFC 9112 §6.3: several lengths that differ are as bad as one that is no number. */
function toLength(value: string, before: string | undefined): string {
  if (/^\d+$/.test(value) && value === (before ?? value)) return value;
  throw new GatewayError("malformed_reply", "The workload's reply has a malformed length");
}

/** Without any of these a first message may be a whole response, as plain `nats reply` sends it. */
function isStream({ statusCode, status, coding }: FirstValues): boolean {
  return statusCode !== undefined || status !== undefined || coding !== undefined;
}

function toStatus({ statusCode, status: whole }: FirstValues): number {
  const text = statusCode ?? whole;
  if (text === undefined) return 200;
  const status = Number(/^\s*(\d{3})(?!\d)/.exec(text)?.[1]);
  if (status >= 200 && status <= 599) return status;
  throw new GatewayError("malformed_reply", "The workload's reply has a status outside 200–599");
}

function toServiceErrorStatus(code: string): number {
  return /^[45]\d\d$/.test(code) ? Number(code) : 500;
}
