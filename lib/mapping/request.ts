/**
 * An HTTP request or a WebSocket handshake → subject and headers of NATS messages.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import { fromClientHeaders, type HeaderEntry, type RequestKind, toHeaderLine } from "./headers.ts";
import { toHostName, toHostTokens, toMethodToken, toPathTokens, toSubject } from "./subject.ts";

/** What is needed of a request before anything else happens to it. */
export interface RequestSnapshot {
  /** As the client sent it. */
  readonly method: string;
  /** As the server gives it, not normalised: scheme, authority, path, query. */
  readonly url: string;
  /** Names in lower case. */
  readonly headers: readonly HeaderEntry[];
}

/** Where a request goes, and what of it the subject does not tell. */
export interface Target {
  /** The authority that the client asked for, e.g. `"example.com:8080"`. */
  readonly authority: string;
  /** {@link authority} as subject tokens. */
  readonly hostTokens: string;
  /** {@link path} as subject tokens; empty for the root. */
  readonly pathTokens: string;
  /** The path exactly as the client sent it. */
  readonly path: string;
  /** The query without `?`; empty if none. */
  readonly query: string;
  /** Where the message is published by convention. */
  readonly subject: string;
}

/**
 * Checks the shape of a request and works out its subject.
 *
 * @param request The request as it came.
 * @param options `prefix`: the first tokens of the subject; `kind`: whether it is an upgrade; `host`: the
 * authority that a trusted proxy was asked for, instead of the request's own.
 * @returns Where it goes.
 * @throws {GatewayError} `malformed_request`, `method_not_allowed` or `uri_too_long`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toTarget } from "./request.ts";
 *
 * const target = toTarget({
 *   method: "GET",
 *   url: "http://shop.example.com/cart/7?full=1",
 *   headers: [["host", "shop.example.com"]],
 * }, { prefix: "h8s", kind: "http" });
 * assert.equal(target.subject, "h8s.http.GET.com.example.shop.cart.7");
 * assert.equal(target.query, "full=1");
 * ```
 */
export function toTarget(
  request: RequestSnapshot,
  { prefix, kind, host: forwarded }: {
    prefix: string;
    kind: RequestKind;
    host?: string | undefined;
  },
): Target {
  const method = toMethodToken(request.method);
  // deno-lint-ignore no-control-regex -- these are the characters to refuse
  if (/[\x00-\x20\x7f]/.test(request.url)) {
    throw new GatewayError("malformed_request", "Cannot accept a target with control characters");
  }
  const { scheme, authority: own, path, query } = splitUrl(request.url);
  const host = request.headers.find(([name]) => name === "host")?.[1];
  checkAuthority({ scheme, authority: own, host });
  const authority = forwarded ?? own;
  const hostTokens = toHostTokens(authority);
  const pathTokens = toPathTokens(path);
  const isWebSocket = kind === "websocket";
  const subject = toSubject({
    prefix,
    scheme: isWebSocket ? "ws" : "http",
    method: isWebSocket ? "ws" : method,
    host: hostTokens,
    path: pathTokens,
  });
  return { authority, hostTokens, pathTokens, path, query, subject };
}

/** What the gateway adds to every request. */
export interface Provenance {
  /** What the client, or a trusted proxy, can quote. */
  readonly requestId: string;
  /** W3C Trace Context. */
  readonly traceparent: string;
  /** Goes with a trusted proxy's {@link traceparent}. */
  readonly tracestate: string | undefined;
  /** The scheme that the client used. */
  readonly scheme: "http" | "https";
  /** The client, then each proxy. */
  readonly forwardedFor: string;
  /** The client's session, where sessions are on. */
  readonly sessionId: string | undefined;
}

/**
 * The header lines of an HTTP request and of a WebSocket handshake: the client's own, where it came
 * from, and the host, subject, query and path of the contract. `Host` itself is a handshake's alone:
 * existing daemons in Go end with a panic at an HTTP message that has one.
 *
 * @param headers The client's own, names in lower case.
 * @param options `target`: the request's parts; `subject`: where its messages go; its kind; and what the gateway
 * knows of it.
 * @returns Lines for a NATS header block.
 */
export function toRequestHeaders(
  headers: readonly HeaderEntry[],
  { target, subject, kind, provenance }: {
    target: Target;
    subject: string;
    kind: RequestKind;
    provenance: Provenance;
  },
): string {
  return fromClientHeaders(headers, kind) +
    (kind === "websocket" ? toHeaderLine("Host", target.authority) : "") +
    toHeaderLine("X-Forwarded-For", provenance.forwardedFor) +
    toHeaderLine("X-Forwarded-Proto", provenance.scheme) +
    toHeaderLine("X-Forwarded-Host", target.authority) +
    toHeaderLine("X-Request-Id", provenance.requestId) +
    toHeaderLine("Traceparent", provenance.traceparent) +
    (provenance.tracestate === undefined ? "" : toHeaderLine("Tracestate", provenance.tracestate)) +
    toHeaderLine("X-H8s-PublishSubject", subject) +
    toHeaderLine("X-H8s-Original-Host", target.authority) +
    toHeaderLine("X-H8s-Original-Query", toByteString(target.query)) +
    toHeaderLine("X-H8s-Original-Path", toByteString(target.path)) +
    (provenance.sessionId === undefined ? "" : toSessionHeaders(provenance.sessionId));
}

/** As the NATSRun demo's workloads read them. */
function toSessionHeaders(sessionId: string): string {
  return toHeaderLine("Client-Id", sessionId) + toHeaderLine("Reply-To", `${sessionId}.push`);
}

/** What an HTTP request's message carries besides. */
export interface ReplyAddresses {
  /** The inbox of this request. */
  readonly reply: string;
  /** Where its end will be told. */
  readonly closeSubject: string;
  /** How many bytes of a streamed reply may be sent ahead of credit. */
  readonly windowBytes: number;
}

/**
 * The header lines that tell a workload where an HTTP request's answer and end go.
 *
 * @param addresses The two subjects, and the window.
 * @returns Lines for a NATS header block.
 */
export function toReplyHeaders({ reply, closeSubject, windowBytes }: ReplyAddresses): string {
  return toHeaderLine("X-H8s-ReplySubject", reply) +
    toHeaderLine("X-H8s-Connection-Close-Subject", closeSubject) +
    toHeaderLine("X-H8s-Window", String(windowBytes));
}

/**
 * Where the head of a request goes whose body does not fit into one message.
 *
 * @param subject Where it would go otherwise.
 * @param prefix Of all subjects.
 * @returns `<prefix>.upload.<METHOD>.<host>.<path>`; a route's own subject gets `.upload` before it.
 */
export function toUploadSubject(subject: string, prefix: string): string {
  const byConvention = `${prefix}.http.`;
  if (!subject.startsWith(byConvention)) return `${prefix}.upload.${subject}`;
  return `${prefix}.upload.${subject.slice(byConvention.length)}`;
}

/** A target may hold raw UTF-8, which the server has decoded; a header line holds bytes. */
function toByteString(text: string): string {
  if (/^[\x20-\x7e]*$/.test(text)) return text;
  return String.fromCharCode(...new TextEncoder().encode(text));
}

function splitUrl(url: string): { scheme: string; authority: string; path: string; query: string } {
  const schemeEnd = url.indexOf("://");
  const start = schemeEnd + 3;
  const hash = url.indexOf("#", start);
  const end = hash === -1 ? url.length : hash;
  const slash = url.indexOf("/", start);
  const question = url.indexOf("?", start);
  const pathEnd = question === -1 || question > end ? end : question;
  const pathStart = slash === -1 || slash > pathEnd ? pathEnd : slash;
  return {
    scheme: url.slice(0, schemeEnd),
    authority: url.slice(start, pathStart),
    path: pathStart === pathEnd ? "/" : url.slice(pathStart, pathEnd),
    query: pathEnd === end ? "" : url.slice(pathEnd + 1, end),
  };
}

/**
 * RFC 9112 §3.2: an HTTP/1.1 request without `Host` is malformed, and an absolute-form target must
 * agree with it. HTTP/2 has `:authority` and no `Host`; `Deno.serve` does not tell which of the two
 * it was, but makes up `localhost:<port>` for the former.
 */
function checkAuthority(
  { scheme, authority, host }: { scheme: string; authority: string; host: string | undefined },
): void {
  if (host === undefined) {
    if (scheme === "http" && /^localhost(:\d+)?$/.test(authority)) {
      throw new GatewayError("malformed_request", "Cannot accept a request without a Host header");
    }
  } else if (host !== authority && toHostName(host) !== toHostName(authority)) {
    throw new GatewayError(
      "malformed_request",
      "Cannot accept a request whose target and Host header differ",
    );
  }
}
