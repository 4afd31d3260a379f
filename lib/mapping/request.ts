/**
 * An HTTP request or a WebSocket handshake → subject and headers of NATS messages.
 *
 * @module
 */
import { toByteText } from "./latin1.ts";
import { GatewayError } from "../errors.ts";
import { fromClientHeaders, type toCrossing } from "./client_headers.ts";
import {
  type HeaderEntry,
  type HeaderLines,
  joinLines,
  linesOf,
  NO_LINES,
  type RequestKind,
  toHeaderLine,
  valueOf,
} from "./headers.ts";
import { HEADER, toOwnSubject, toPushTokens } from "./names.ts";
import {
  type HostTokens,
  type PathTokens,
  type Subject,
  toHostName,
  toHostTokens,
  toMethodToken,
  toPathTokens,
  toSubject,
} from "./subject.ts";
import { STREAM_BODY_LINE } from "./flow.ts";

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
  readonly hostTokens: HostTokens;
  /** {@link path} as subject tokens; empty for the root. */
  readonly pathTokens: PathTokens;
  /** The path exactly as the client sent it. */
  readonly path: string;
  /** The query without `?`; empty if none. */
  readonly query: string;
  /** Present for a `?` with nothing behind it. */
  readonly isQueryEmpty?: true;
  /** Where the message is published by convention. */
  readonly subject: Subject;
}

/**
 * Checks the shape of a request and works out its subject.
 *
 * @param options `prefix`: the first tokens of the subject; `kind`: whether it is an upgrade; `host`: the
 * authority that a trusted proxy was asked for, instead of the request's own; `listen`: the authority of a
 * request that names none; `hostTokensOf`: what remembers the tokens of hosts.
 * @throws {GatewayError} `malformed_request`, `method_not_allowed`, `uri_too_long` or `unknown_coding`.
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
  { prefix, kind, host: forwarded, listen, hostTokensOf = toHostTokens }: {
    prefix: string;
    kind: RequestKind;
    host?: string | undefined;
    listen?: ListenAddress | undefined;
    hostTokensOf?: typeof toHostTokens | undefined;
  },
): Target {
  const method = toMethodToken(request.method);
  // deno-lint-ignore no-control-regex -- these are the characters to refuse
  if (/[\x00-\x20\x7f]/.test(request.url)) {
    throw new GatewayError("malformed_request", "Cannot accept a target with control characters");
  }
  checkCoding(request.headers);
  const { scheme, authority: asked, path, query, isQueryEmpty } = splitUrl(request.url);
  // Deno's, where it listens on what is no address; then what stands there for the host may be the socket's name.
  const isSocket = scheme === "http+unix" || scheme === "http+vsock";
  if (scheme !== "http" && scheme !== "https" && !isSocket) {
    throw new GatewayError("malformed_request", "Cannot accept a target that is not http or https");
  }
  const host = valueOf(request.headers, "host");
  const own = isSocket ? host ?? "" : toOwnAuthority({ scheme, authority: asked, host, listen });
  const authority = forwarded ?? own;
  const hostTokens = hostTokensOf(authority);
  const pathTokens = toPathTokens(path);
  const isWebSocket = kind === "websocket";
  const subject = toSubject({
    prefix,
    scheme: isWebSocket ? "ws" : "http",
    method: isWebSocket ? "ws" : method,
    host: hostTokens,
    path: pathTokens,
  });
  const target = { authority, hostTokens, pathTokens, path, query, subject };
  return isQueryEmpty ? { ...target, isQueryEmpty } : target;
}

/**
 * Says whether a request is about the server as a whole: `OPTIONS *` (RFC 9110 §9.3.7), which `Deno.serve`
 * gives as if the target were `/*`. (A path that really has that name is asked for as `/%2A`.)
 *
 * @returns True when it is; it then has no path, and no subject.
 */
export function isServerWide({ method, url }: Pick<RequestSnapshot, "method" | "url">): boolean {
  return method === "OPTIONS" && url.endsWith("/*") && splitUrl(url).path === "/*";
}

/** What the gateway adds to every request. */
export interface Provenance {
  /** A trusted proxy sent it. */
  readonly isProxied: boolean;
  /** Which of its headers are its own; all where it is undefined. */
  readonly believes?: ((name: string) => boolean) | undefined;
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
 */
export function toRequestHeaders(
  headers: readonly HeaderEntry[],
  { target, subject, kind, provenance, crossingOf }: {
    target: Target;
    subject: Subject;
    kind: RequestKind;
    provenance: Provenance;
    crossingOf?: typeof toCrossing | undefined;
  },
): HeaderLines {
  const { isProxied, believes, tracestate, sessionId } = provenance;
  const { authority } = target;
  const path = toByteText(target.path);
  return joinLines(
    fromClientHeaders(headers, { kind, isProxied, believes, crossingOf }),
    kind === "websocket" ? toHeaderLine("Host", authority) : NO_LINES,
    toProvenanceLines(
      provenance.forwardedFor,
      provenance.scheme,
      authority,
      provenance.requestId,
      provenance.traceparent,
      subject,
      authority,
      toByteText(target.query),
      path,
    ),
    tracestate === undefined ? NO_LINES : toHeaderLine("Tracestate", tracestate),
    target.isQueryEmpty ? toHeaderLine(HEADER.originalTarget, `${path}?`) : NO_LINES,
    sessionId === undefined ? NO_LINES : toSessionLines(sessionId, toPushTokens(sessionId)),
  );
}

const toProvenanceLines = linesOf(
  "X-Forwarded-For",
  "X-Forwarded-Proto",
  "X-Forwarded-Host",
  "X-Request-Id",
  "Traceparent",
  HEADER.publishSubject,
  HEADER.originalHost,
  HEADER.originalQuery,
  HEADER.originalPath,
);

/** As the NATSRun demo's workloads read them. */
const toSessionLines = linesOf("Client-Id", "Reply-To");

/** What an HTTP request's message carries besides. */
export interface ReplyAddresses {
  /** The inbox of this request. */
  readonly reply: string;
  /** Where its end will be told. */
  readonly closeSubject: string;
  /** How many bytes of a streamed reply may be sent ahead of credit. */
  readonly windowBytes: number;
}

/** The header lines that tell a workload where an HTTP request's answer and end go. */
export function toReplyHeaders({ reply, closeSubject, windowBytes }: ReplyAddresses): HeaderLines {
  return toReplyLines(reply, closeSubject, String(windowBytes));
}

const toReplyLines = linesOf(HEADER.replySubject, HEADER.connectionCloseSubject, HEADER.window);

/**
 * The header lines that tell of a body: `Content-Length` never crosses without the bytes that it counts, or
 * whoever sends the request on takes the next one for them.
 *
 * @param announced The client's own `Content-Length`; undefined without one.
 * @param length How many bytes the message carries; undefined where they come in messages of their own.
 * @returns The lines; none where there is no body.
 */
export function toBodyLines(
  announced: string | undefined,
  length: number | undefined,
): HeaderLines {
  if (length === undefined) {
    if (announced === undefined) return STREAM_BODY_LINE;
    return joinLines(toHeaderLine(HEADER.contentLength, announced), STREAM_BODY_LINE);
  }
  if (announced === undefined && length === 0) return NO_LINES;
  return toHeaderLine("Content-Length", String(length));
}

/**
 * Where the head of a request goes whose body does not fit into one message.
 *
 * @returns `<prefix>.upload.<METHOD>.<host>.<path>`; a route's own subject gets `.upload` before it.
 */
export function toUploadSubject(subject: string, prefix: string): string {
  const byConvention = `${prefix}.http.`;
  if (!subject.startsWith(byConvention)) return toOwnSubject(prefix, "upload", subject);
  return toOwnSubject(prefix, "upload", subject.slice(byConvention.length));
}

/**
 * The parts of a URL, as they stand there.
 *
 * @returns Nothing of it is decoded or normalised.
 */
export function splitUrl(
  url: string,
): Pick<Target, "authority" | "path" | "query" | "isQueryEmpty"> & { scheme: string } {
  const schemeEnd = url.indexOf("://");
  const start = schemeEnd + 3;
  const hash = url.indexOf("#", start);
  const end = hash === -1 ? url.length : hash;
  const slash = url.indexOf("/", start);
  const question = url.indexOf("?", start);
  const pathEnd = question === -1 || question > end ? end : question;
  const pathStart = slash === -1 || slash > pathEnd ? pathEnd : slash;
  const parts = {
    // RFC 3986 §3.1: in any case.
    scheme: url.slice(0, schemeEnd).toLowerCase(),
    authority: url.slice(start, pathStart),
    path: pathStart === pathEnd ? "/" : url.slice(pathStart, pathEnd),
    query: pathEnd === end ? "" : url.slice(pathEnd + 1, end),
  };
  return pathEnd + 1 === end ? { ...parts, isQueryEmpty: true } : parts;
}

/** Where a listener is, as it is configured. */
export interface ListenAddress {
  /** A name or an IP address, without brackets. */
  readonly hostname: string;
  /** 0 where the system picks one. */
  readonly port: number;
}

/**
 * RFC 9112 §3.2: an absolute-form target must agree with `Host`. Without one it is a request of HTTP/2,
 * whose `:authority` is all that there is, or one of HTTP/1 for which `Deno.serve` makes up
 * `localhost:<port>`: those of load balancers that speak HTTP/1.0, and those of HTTP/1.1 that it ought to
 * refuse. It does not tell them apart, so all are for the address that is listened on.
 */
function toOwnAuthority({ scheme, authority, host, listen }: {
  scheme: string;
  authority: string;
  host: string | undefined;
  listen: ListenAddress | undefined;
}): string {
  if (host !== undefined) {
    if (host === authority || toHostName(host) === toHostName(authority)) return authority;
    const detail = "Cannot accept a request whose target and Host header differ";
    throw new GatewayError("malformed_request", detail);
  }
  const madeUp = scheme === "http" ? /^localhost(:\d+)?$/.exec(authority) : null;
  if (madeUp === null) return authority;
  if (listen === undefined) {
    throw new GatewayError("malformed_request", "Cannot accept a request without a Host header");
  }
  const [, port = ""] = madeUp;
  // On port 80 none is made up.
  if (listen.port !== 0 && listen.port !== Number(port.slice(1) || 80)) return authority;
  const { hostname } = listen;
  return (hostname.includes(":") ? `[${hostname}]` : hostname) + port;
}

/** RFC 9112 §6.1: the server takes the chunks apart, and knows no other coding. */
function checkCoding(headers: readonly HeaderEntry[]): void {
  const coding = valueOf(headers, "transfer-encoding");
  if (coding === undefined || coding.trim().toLowerCase() === "chunked") return;
  throw new GatewayError("unknown_coding", "Only the transfer coding chunked is understood here");
}
