/**
 * The workload's side of a WebSocket: what it reads from the messages and events of a connection, and
 * what it publishes to the connection's inbox.
 *
 * @module
 */
import { fromByteText, toHeaderText } from "./latin1.ts";
import { type CloseInfo, NO_STATUS, toCloseReason } from "./close.ts";
import { type FrameKind, toFrame, toFrameHeader } from "./frame.ts";
import { ASK_LINE } from "./flow.ts";
import {
  findHeader,
  type HeaderBlock,
  joinLines,
  NO_LINES,
  toHeaderBlock,
  toHeaderLine,
} from "./headers.ts";
import { type Incoming, toRemoteAddress } from "./incoming.ts";
import type { ListedConnection } from "./listing.ts";
import { HEADER } from "./names.ts";

const EMPTY = new Uint8Array();

/**
 * The header block of a message for a client.
 *
 * @param asksForCredit Whether the gateway is to say at its reply subject when the client has taken it.
 * @returns Latin-1 text.
 */
export function toSendBlock(kind: FrameKind, asksForCredit = false): HeaderBlock {
  return toHeaderBlock(joinLines(toFrameHeader(kind), asksForCredit ? ASK_LINE : NO_LINES));
}

/**
 * The header block of the message that closes a client's socket.
 *
 * @param end A code of 1000–1003, 1007–1013 or 3000–4999, or 1005 for a close frame without one; a reason,
 * which is cut to 123 bytes of UTF-8.
 * @returns Latin-1 text.
 * @throws {RangeError} when a close frame may not carry the code.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toCloseBlock } from "./socket_message.ts";
 *
 * assert.equal(toCloseBlock({ code: 4001, reason: "bye" }), "NATS/1.0\r\nX-H8s-Close: 4001 bye\r\n\r\n");
 * assert.throws(() => toCloseBlock({ code: 1006, reason: "" }), RangeError);
 * ```
 */
export function toCloseBlock({ code, reason }: CloseInfo): HeaderBlock {
  const text = toHeaderText(toCloseReason(reason));
  const block = toHeaderBlock(toHeaderLine(HEADER.close, `${code} ${text}`));
  const frame = toFrame(block, EMPTY);
  if (frame.kind === "close" && frame.code === code) return block;
  throw new RangeError(`Cannot close: "${code}" is no code that a close frame may carry`);
}

/**
 * A client's message as it was sent.
 *
 * @param control From `parseIncoming`.
 * @returns Text for a text message, bytes for a binary one; without `X-H8s-Frame`, text when it is
 * valid UTF-8.
 */
export function toSocketData(
  control: Incoming["control"],
  payload: Uint8Array,
): string | Uint8Array {
  const frame = control.get("frame") === "binary" ? undefined : toFrame("", payload);
  return frame?.kind === "text" ? frame.text : toPlainBytes(payload);
}

/**
 * How a connection ended.
 *
 * @param control The headers of its `closed` event, from `parseIncoming`.
 * @returns Code and reason; 1005 where the event tells none.
 */
export function toCloseInfo(control: Incoming["control"]): CloseInfo {
  const code = Number(control.get("close-code"));
  const reason = fromByteText(control.get("close-reason") ?? "");
  return { code: Number.isSafeInteger(code) && code >= 1000 ? code : NO_STATUS, reason };
}

/** An inbox of a gateway, or what stands for one where a request came from another account of NATS. */
const GATEWAY_INBOX = /^(?:_INBOX\.h8s|_R_)\./;

/**
 * Where the reply to a request goes, or a message for a connection: to the reply subject. Only where the
 * message came through a stream, whose own that is, to `X-H8s-ReplySubject`: the gateway in Go has
 * an outdated inbox there.
 *
 * @param incoming The headers, from `parseIncoming`.
 * @returns The inbox; empty where nobody waits for a reply.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseIncoming } from "./incoming.ts";
 * import { toInbox } from "./socket_message.ts";
 *
 * const incoming = parseIncoming("NATS/1.0\r\nX-H8s-ReplySubject: _INBOX.h8s.G.1\r\n\r\n");
 * assert.equal(toInbox(incoming, "_INBOX.h8s.G.2"), "_INBOX.h8s.G.2");
 * assert.equal(toInbox(incoming, "$JS.ACK.said.c.1.7.7.1700000000000000000.0"), "_INBOX.h8s.G.1");
 * ```
 */
export function toInbox({ control, isPersisted }: Incoming, reply: string): string {
  if (!isPersisted && GATEWAY_INBOX.test(reply)) return reply;
  return control.get("replysubject") ?? reply;
}

/**
 * The id of an event's connection.
 *
 * @returns `X-H8s-Connection-Id`, else the inbox, where a gateway names no id.
 */
export function toConnectionId(incoming: Incoming, reply: string): string {
  return incoming.control.get("connection-id") ?? toInbox(incoming, reply);
}

/** A connection, and the gateway that holds it. */
export interface KnownConnection extends ListedConnection {
  /** The token in `_INBOX.h8s.<gateway>.<id>`; empty where it is unknown. */
  readonly gateway: string;
}

/**
 * Reads an `established` event as its gateway would list the connection.
 *
 * @param options `reply`: the event's; `since`: when it came, as ISO 8601.
 * @returns The connection; undefined when the event does not name its inbox and subject.
 */
export function toKnownConnection(
  incoming: Incoming,
  { reply, since }: { reply: string; since: string },
): KnownConnection | undefined {
  const { headers, control, host = "" } = incoming;
  const inbox = toInbox(incoming, reply);
  const subject = control.get("publishsubject");
  if (inbox === "" || subject === undefined) return undefined;
  const session = control.get("session") ?? findHeader(headers, "client-id");
  const offered = findHeader(headers, "sec-websocket-protocol");
  return {
    gateway: control.get("gateway-id") ?? "",
    id: toConnectionId(incoming, reply),
    inbox,
    subject,
    host,
    path: fromByteText(control.get("original-path") ?? "/"),
    query: fromByteText(control.get("original-query") ?? ""),
    remote: toRemoteAddress(headers),
    since,
    protocol: control.get("protocol") ?? offered?.split(",")[0]?.trim() ?? "",
    ...(session === undefined ? {} : { session }),
  };
}

/** The NATS client may give a `Buffer`, whose `slice` and `toString` are not those of a `Uint8Array`. */
function toPlainBytes({ buffer, byteOffset, length }: Uint8Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, length);
}
