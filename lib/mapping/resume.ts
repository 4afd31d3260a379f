/**
 * The subprotocol `h8s.resume.v1`: what a client gets is numbered, so that it can go on where it stopped
 * after its connection broke. What the client says is as it is without.
 *
 * | the gateway sends                                     | which is                               |
 * | ----------------------------------------------------- | -------------------------------------- |
 * | `{"resume": {"token", "windowMs", "seq", "isNew"}}`   | first of all: how to come back         |
 * | `{"seq": 7, "data": "…"}`                             | a text message                         |
 * | 8 bytes of `seq`, big-endian, then the bytes          | a binary message                       |
 * | `{"mark": 9}`                                         | up to here nothing is missing          |
 * | `{"gap": {"from": 8, "to": 12}}`                      | what of these was meant for it is lost |
 *
 * @module
 */
import { ACK_PROTOCOL } from "./ack.ts";
import type { DataFrame } from "./frame.ts";
import { INBOX, toOwnSubject } from "./names.ts";

/** The subprotocol's name. */
export const RESUME_PROTOCOL = "h8s.resume.v1";
/** The name of this one together with `h8s.ack.v1`. */
export const ACK_RESUME_PROTOCOL = "h8s.ack-resume.v1";

/**
 * The name of neither: messages are as they are. For clients that have something to say in passing, since
 * browsers fail a handshake whose offer has nothing that is picked.
 */
export const PLAIN_PROTOCOL = "h8s.plain.v1";

const SEQ_BYTES = 8;
/** What a gateway makes of its own id and a number; it becomes a subject token. */
const CONNECTION_ID = /^[A-Za-z0-9]{1,64}-[0-9a-z]{1,16}$/;

/**
 * Says whether a client numbers what it says.
 *
 * @returns True for `h8s.ack.v1`, alone or with resuming.
 */
export function speaksAck(protocol: string | undefined): boolean {
  return protocol === ACK_PROTOCOL || protocol === ACK_RESUME_PROTOCOL;
}

/**
 * Says whether a client can resume.
 *
 * @returns True for `h8s.resume.v1`, alone or with acknowledgements.
 */
export function speaksResume(protocol: string | undefined): boolean {
  return protocol === RESUME_PROTOCOL || protocol === ACK_RESUME_PROTOCOL;
}

/**
 * The gateway's own subprotocols that a connection can have.
 *
 * @param connection Whether its messages are stored, and how long its client may be away.
 */
export function listSpoken(
  { isPersistent, windowMs }: { readonly isPersistent: boolean; readonly windowMs: number },
): string[] {
  return [
    ...(isPersistent ? [ACK_PROTOCOL] : []),
    ...(windowMs > 0 ? [RESUME_PROTOCOL] : []),
    ...(isPersistent && windowMs > 0 ? [ACK_RESUME_PROTOCOL] : []),
    PLAIN_PROTOCOL,
  ];
}

/** Where what is sent to resumable connections goes, and how it comes from there. */
export interface ResumeSubjects {
  /** The stream's name. */
  readonly stream: string;
  /** What the stream captures: every inbox. */
  readonly inboxes: string;
  /** Where the stream publishes what it has kept, with its number. */
  readonly republished: string;
}

/** The stream of the resumable connections of a prefix. Two prefixes must not share an inbox pattern. */
export function toResumeSubjects(prefix: string): ResumeSubjects {
  return {
    stream: `${prefix.replaceAll(/[^\w-]/g, "_").toUpperCase()}_RESUME`,
    inboxes: toResumeInbox("*", prefix),
    republished: toResumedSubject("{{wildcard(1)}}", prefix),
  };
}

/**
 * The inbox of a resumable connection: it belongs to no one gateway.
 *
 * @returns `_INBOX.h8s.resume.<id>`.
 */
export function toResumeInbox(id: string, prefix: string): string {
  const owner = prefix === "h8s" ? "resume" : `resume-${prefix.replaceAll(".", "_")}`;
  return `${INBOX}.${owner}.${id}`;
}

/**
 * Says whether an inbox outlives the gateway of its connection.
 *
 * @returns True for those of {@link toResumeInbox}.
 */
export function isResumeInbox(inbox: string): boolean {
  return /^_INBOX\.h8s\.resume(-[^.]+)?\./.test(inbox);
}

/**
 * Where a message to a resumable connection is heard once the stream has it.
 *
 * @returns `<prefix>.resumed.<id>`.
 */
export function toResumedSubject(id: string, prefix: string): string {
  return toOwnSubject(prefix, "resumed", id);
}

/** With what a client comes back. */
export interface ResumeRequest {
  readonly id: string;
  /** Only the client knows it. */
  readonly secret: string;
  /** The last number that the client has seen. */
  readonly lastSeq: number;
}

/**
 * Reads what a client says in `h8s.resume.token.<token>.<last seq>`.
 *
 * @param text What follows `h8s.resume.token.`.
 * @returns The request; undefined when it cannot be one.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseResumeRequest } from "./resume.ts";
 *
 * const secret = "s".repeat(43);
 * assert.deepEqual(parseResumeRequest(`G-1.${secret}.42`), { id: "G-1", secret, lastSeq: 42 });
 * assert.equal(parseResumeRequest(`*.${secret}.42`), undefined);
 * ```
 */
export function parseResumeRequest(text: string): ResumeRequest | undefined {
  const [id = "", secret = "", last = "", ...more] = text.split(".");
  const lastSeq = Number(last);
  const isValid = CONNECTION_ID.test(id) && /^[A-Za-z0-9_-]{43}$/.test(secret) &&
    /^\d{1,16}$/.test(last) && Number.isSafeInteger(lastSeq) && more.length === 0;
  return isValid ? { id, secret, lastSeq } : undefined;
}

/**
 * The token that a client comes back with.
 *
 * @param secret 32 random bytes in base64url.
 */
export function toResumeToken(id: string, secret: string): string {
  return `${id}.${secret}`;
}

/**
 * The first message.
 *
 * @param welcome `token`: what to come back with; `windowMs`: how long it may take; `seq`: the number to
 * come back with until there is a larger one; `isNew`: false where an older connection goes on.
 */
export function renderWelcome(
  { token, windowMs, seq, isNew }: {
    token: string;
    windowMs: number;
    seq: number;
    isNew: boolean;
  },
): string {
  return JSON.stringify({ resume: { token, windowMs, seq, isNew } });
}

/**
 * A message of a workload.
 *
 * @param seq Its number; 0 for what is not kept.
 * @returns Text or bytes for the socket.
 */
export function renderNumbered(
  frame: DataFrame,
  seq: number,
): string | Uint8Array {
  if (frame.kind === "text") return `{"seq":${seq},"data":${JSON.stringify(frame.text)}}`;
  const bytes = new Uint8Array(SEQ_BYTES + frame.bytes.length);
  new DataView(bytes.buffer).setBigUint64(0, BigInt(seq));
  bytes.set(frame.bytes, SEQ_BYTES);
  return bytes;
}

/** Tells a client that it has all up to a number. */
export function renderMark(seq: number): string {
  return `{"mark":${seq}}`;
}

/**
 * Tells a client that what was meant for it may be lost.
 *
 * @param from The first number that is not there any more.
 * @param to The last one; undefined where the stream itself was lost, and numbers begin anew.
 */
export function renderGap(from: number, to: number | undefined): string {
  return JSON.stringify({ gap: { from, to: to ?? null } });
}
