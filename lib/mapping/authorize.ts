/**
 * Asking over NATS whether a request may come in.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import {
  findHeader,
  type HeaderEntry,
  parseHeaderBlock,
  type RequestKind,
  toClientHeaders,
} from "./headers.ts";
import { HEADER, toOwnSubject } from "./names.ts";
import { parseReply } from "./reply.ts";
import type { HostTokens } from "./subject.ts";

/** What an authorizer says. */
export type Verdict =
  | { readonly kind: "no_responders" }
  | { readonly kind: "refused"; readonly status: number; readonly headers: readonly HeaderEntry[] }
  | {
    readonly kind: "accepted";
    /** The subprotocol that it picks. */
    readonly protocol: string | undefined;
    /** `Set-Cookie` values for the client. */
    readonly setCookies: readonly string[];
    /** One token. */
    readonly sessionId: string | undefined;
    /** Who it is, for workloads; bytes as latin-1. */
    readonly subject: string | undefined;
    /** More of who it is, for workloads. */
    readonly claims: string | undefined;
  };

/** What the workload says that decides about a handshake (section 5 of the contract). */
export type HandshakeAnswer =
  | Exclude<Verdict, { readonly kind: "accepted" }>
  | {
    readonly kind: "accepted";
    /** The subprotocol that it picks; undefined for none. */
    readonly protocol: string | undefined;
    /** What else is for the client. */
    readonly headers: readonly HeaderEntry[];
    /** By which the workload knows the connection again: one token. */
    readonly token: string | undefined;
  };

/** How connections and sessions are named. */
const TOKEN = /^[A-Za-z0-9_-]{1,64}$/;
/** Alone, it ends a header line for some who read NATS headers (Go's textproto). */
const LINE_BREAK = /[\r\n\0]/;

/**
 * Where it is asked.
 *
 * @param kind A WebSocket's handshake, or an HTTP request.
 * @param options `prefix`: of all subjects; `hostTokens`: from `toHostTokens`.
 * @returns `<prefix>.control.ws.authorize.<host>`, or `<prefix>.control.http.authorize.<host>`.
 */
export function toAuthorizeSubject(
  kind: RequestKind,
  { prefix, hostTokens }: { prefix: string; hostTokens: HostTokens },
): string {
  const name = kind === "websocket" ? "authorizeWebSocket" : "authorizeHttp";
  return toOwnSubject(prefix, name, hostTokens);
}

/**
 * Reads an authorizer's reply. Only a status that it says itself lets anybody in: a stream that captures
 * the subject answers, too, but without one.
 *
 * @param headerBlock The reply's NATS header block as latin-1 text.
 * @param payloadLength Its payload's length in bytes.
 * @throws {GatewayError} `malformed_reply` when that cannot be understood.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseVerdict } from "./authorize.ts";
 *
 * const verdict = parseVerdict("NATS/1.0\r\nStatus-Code: 101\r\nX-H8s-Session: ann\r\n\r\n", 0);
 * assert.ok(verdict.kind === "accepted" && verdict.sessionId === "ann");
 * assert.equal(parseVerdict("NATS/1.0\r\nStatus-Code: 403\r\n\r\n", 0).kind, "refused");
 * ```
 */
export function parseVerdict(headerBlock: string, payloadLength: number): Verdict {
  const entries = parseHeaderBlock(headerBlock);
  const code = findHeader(entries, "status-code") ?? findHeader(entries, "status");
  if (code !== undefined && /^\s*101(?!\d)/.test(code)) return toAccepted(entries);
  const reply = parseReply(headerBlock, payloadLength);
  if (reply.kind === "no_responders") return { kind: "no_responders" };
  const { status, headers } = reply;
  if (status > 299) return { kind: "refused", status, headers };
  if (code === undefined) throw malformed("says no status");
  return toAccepted(entries);
}

/**
 * Reads the answer of a workload that wants to be asked before a client gets its 101.
 *
 * @param headerBlock The reply's NATS header block as latin-1 text.
 * @param payloadLength Its payload's length in bytes.
 * @throws {GatewayError} `malformed_reply` when that cannot be understood.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseHandshakeAnswer } from "./authorize.ts";
 *
 * const block = "NATS/1.0\r\nStatus-Code: 101\r\nSec-WebSocket-Protocol: chat\r\nX-A: 1\r\n\r\n";
 * const answer = parseHandshakeAnswer(block, 0);
 * assert.ok(answer.kind === "accepted" && answer.protocol === "chat");
 * assert.deepEqual(answer.headers, [["X-A", "1"]]);
 * ```
 */
export function parseHandshakeAnswer(headerBlock: string, payloadLength: number): HandshakeAnswer {
  const verdict = parseVerdict(headerBlock, payloadLength);
  if (verdict.kind !== "accepted") return verdict;
  const entries = parseHeaderBlock(headerBlock);
  const token = findHeader(entries, HEADER.handshake);
  if (token !== undefined && !TOKEN.test(token)) {
    throw malformed("names itself with what is no token of A-Z a-z 0-9 _ -");
  }
  const headers = toClientHeaders(entries).filter(([name]) => !/^sec-websocket-/i.test(name));
  return { kind: "accepted", protocol: verdict.protocol, headers, token };
}

function toAccepted(entries: readonly HeaderEntry[]): Verdict {
  const sessionId = findHeader(entries, HEADER.session);
  if (sessionId !== undefined && !TOKEN.test(sessionId)) {
    throw malformed("names a session that is no token of A-Z a-z 0-9 _ -");
  }
  const [subject, claims] = [HEADER.subject, HEADER.claims].map((name) =>
    findHeader(entries, name)
  );
  if (LINE_BREAK.test(`${subject}${claims}`)) throw malformed("says who it is in several lines");
  return {
    kind: "accepted",
    protocol: findHeader(entries, "sec-websocket-protocol"),
    // HTTP cannot carry all that NATS can, and after a 101 it is too late to say so.
    setCookies: toClientHeaders(entries).filter(([name]) => name.toLowerCase() === "set-cookie")
      .map(([, value]) => value),
    sessionId,
    subject,
    claims,
  };
}

function malformed(what: string): GatewayError {
  return new GatewayError("malformed_reply", `The authorizer's reply ${what}`);
}
