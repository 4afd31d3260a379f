/**
 * A NATS message from the gateway → what a workload needs to know of the request, the handshake or
 * the event that it stands for: the way back of `request.ts`.
 *
 * @module
 */
import { fromByteText } from "./latin1.ts";
import { isReservedName } from "./client_headers.ts";
import { type HeaderEntry, parseHeaderBlock } from "./headers.ts";
import { HEADER, OWN_HEADERS, type OwnName } from "./names.ts";
import {
  fromPathTokens,
  type HostTokens,
  type PathTokens,
  readPathTokens,
  toHostTokens,
} from "./subject.ts";

/** What is said in headers of ours, asked for by names that are. */
export interface Control extends Iterable<readonly [name: string, value: string]> {
  get(name: OwnName): string | undefined;
  has(name: OwnName): boolean;
}

/** A message's headers, told apart. */
export interface Incoming {
  /** The client's, and what the gateway says of the client; names and values as they came. */
  readonly headers: readonly HeaderEntry[];
  /** `X-H8s-*`: name in lower case without that prefix → the first value. */
  readonly control: Control;
  /**
   * The host as the client sent it: `X-H8s-Original-Host`, else `Host`, which the gateway in Go sends
   * with WebSockets alone; undefined where neither is there.
   */
  readonly host: string | undefined;
  /** True where the message went into a stream, and its reply subject is for the acknowledgement. */
  readonly isPersisted: boolean;
  /** `Content-Length`, which is not among the {@link headers}. */
  readonly contentLength: string | undefined;
}

/** Who the gateway found the client to be; it lets no client say so itself. */
const IDENTITY: ReadonlySet<string> = new Set(
  [HEADER.subject, HEADER.claims].map((name) => name.toLowerCase()),
);
const MESSAGE_ID = HEADER.natsMessageId.toLowerCase();

/**
 * Reads a message's headers. Names that an application behind CGI or WSGI would take for others are left
 * out here, too: not every gateway does so.
 *
 * @param headerBlock The NATS header block as latin-1 text; empty without one.
 * @returns What the application may see, and what it may not.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseIncoming } from "./incoming.ts";
 *
 * const block = "NATS/1.0\r\nX-H8s-Original-Host: e.com\r\nX-H8s-Original-Path: /a\r\n\r\n";
 * const { headers, control, host } = parseIncoming(block);
 * assert.deepEqual(headers, [["Host", "e.com"]]);
 * assert.equal(control.get("original-path"), "/a");
 * assert.equal(host, "e.com");
 * ```
 */
export function parseIncoming(headerBlock: string): Incoming {
  const headers: HeaderEntry[] = [];
  const control = new Map<string, string>();
  let sentHost: string | undefined;
  let contentLength: string | undefined;
  let isPersisted = false;
  for (const entry of parseHeaderBlock(headerBlock)) {
    const name = entry[0].toLowerCase();
    if (name.startsWith(OWN_HEADERS)) {
      const key = name.slice(OWN_HEADERS.length);
      if (!control.has(key)) control.set(key, entry[1]);
      if (IDENTITY.has(name)) headers.push(entry);
    } else if (name === "host") sentHost ??= entry[1];
    else if (name === "content-length") contentLength ??= entry[1];
    else if (name === MESSAGE_ID) isPersisted = true;
    else if (name !== "transfer-encoding" && !isReservedName(name)) headers.push(entry);
  }
  const host = control.get("original-host") ?? sentHost;
  if (host !== undefined) headers.push(["Host", host]);
  return { headers, control, host, contentLength, isPersisted };
}

/**
 * The headers of a request with the length of its body, where somebody announced one. What the message says
 * of it is not believed: a length without the bytes that it counts makes whoever sends the request on take
 * the next one for them.
 *
 * @param length How many bytes the body has; undefined where they come in messages of their own.
 */
export function toBodyHeaders(
  { headers, control, contentLength }: Incoming,
  length: number | undefined,
): readonly HeaderEntry[] {
  const announced = length === undefined ? control.get("content-length") : contentLength;
  if (announced === undefined) return headers;
  return [...headers, ["Content-Length", String(length ?? announced)]];
}

/** Where a message was for, read from its subject with the help of its host. */
export interface Destination {
  /** As `toHostTokens` gives them; undefined where neither the message nor the caller knows. */
  readonly hostTokens: HostTokens | undefined;
  /** As `toPathTokens` gives them; undefined together with {@link hostTokens}. */
  readonly pathTokens: PathTokens | undefined;
}

/**
 * Splits what follows the method in a subject into host and path.
 *
 * The subject alone does not tell: `com.example.foo` is `/foo` on `example.com` as well as `/` on
 * `foo.example.com`. The host tells.
 *
 * @param rest The tokens after `<prefix>.http.<METHOD>.` or `<prefix>.ws.ws.`.
 * @param options `host`: what {@link parseIncoming} found; `assumedTokens`: whose message it is where that is nothing.
 * @returns The tokens; undefined for a subject that does not begin with the host.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toDestination } from "./incoming.ts";
 *
 * assert.deepEqual(
 *   toDestination("com.example.foo.bar", { host: "foo.example.com:8080" }),
 *   { hostTokens: "com.example.foo", pathTokens: "bar" },
 * );
 * ```
 */
export function toDestination(
  rest: string,
  { host, assumedTokens }: { host: string | undefined; assumedTokens?: HostTokens | undefined },
): Destination | undefined {
  const hostTokens = host === undefined ? assumedTokens : safeHostTokens(host);
  if (hostTokens === undefined) {
    return host === undefined ? { hostTokens, pathTokens: undefined } : undefined;
  }
  if (rest === hostTokens) return { hostTokens, pathTokens: readPathTokens("") };
  if (!rest.startsWith(`${hostTokens}.`)) return undefined;
  return { hostTokens, pathTokens: readPathTokens(rest.slice(hostTokens.length + 1)) };
}

/**
 * The URL that the client asked for.
 *
 * @param options `host` and `pathTokens` stand in for what the headers do not tell.
 * @returns The URL; its path and query are what the client sent, as far as a URL can hold them.
 * @throws {TypeError} when no URL can be made of it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseIncoming, toRequestUrl } from "./incoming.ts";
 * import { toPathTokens } from "./subject.ts";
 *
 * const pathTokens = toPathTokens("/a/b");
 * const incoming = parseIncoming(
 *   "NATS/1.0\r\nHost: e.com\r\nX-Forwarded-Proto: https\r\nX-H8s-Original-Path: /a//b\r\n" +
 *     "X-H8s-Original-Query: c=%20\r\n\r\n",
 * );
 * assert.equal(toRequestUrl(incoming, { host: "", pathTokens }), "https://e.com/a//b?c=%20");
 * ```
 */
export function toRequestUrl(
  { headers, control, host: sentHost }: Incoming,
  { host, pathTokens }: { host: string; pathTokens: PathTokens },
): string {
  const sentPath = control.get("original-path");
  const path = sentPath === undefined ? fromPathTokens(pathTokens) : fromByteText(sentPath);
  const query = fromByteText(control.get("original-query") ?? "");
  const url = `${toScheme(headers)}://${sentHost ?? host}${path.startsWith("/") ? "" : "/"}${path}`;
  return new URL(query === "" ? url : `${url}?${query}`).href;
}

/**
 * What the client asked for, octet by octet: no URL, which would change dot segments, quotes and more.
 *
 * @param control From {@link parseIncoming}.
 * @param pathTokens Stand in for a path that the headers do not tell.
 * @returns Path and query; latin-1, one character a byte.
 * @throws {URIError} when a token of the path is not valid percent-encoded UTF-8.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseIncoming, toOriginalTarget } from "./incoming.ts";
 * import { toPathTokens } from "./subject.ts";
 *
 * const { control } = parseIncoming(
 *   "NATS/1.0\r\nX-H8s-Original-Path: /a/./b\r\nX-H8s-Original-Query: c='\r\n\r\n",
 * );
 * assert.equal(toOriginalTarget(control, toPathTokens("/a/b")), "/a/./b?c='");
 * ```
 */
export function toOriginalTarget(control: Control, pathTokens: PathTokens): string {
  const target = control.get("original-target");
  if (target !== undefined) return target;
  const path = control.get("original-path") ?? fromPathTokens(pathTokens);
  const query = control.get("original-query") ?? "";
  return `${path.startsWith("/") ? "" : "/"}${path}${query === "" ? "" : `?${query}`}`;
}

/**
 * The address of the client, or of the proxy before the gateway.
 *
 * @param headers From {@link parseIncoming}.
 * @returns The last one of `X-Forwarded-For`: the one that the gateway itself saw; empty if unknown.
 */
export function toRemoteAddress(headers: readonly HeaderEntry[]): string {
  return findLast(headers, "x-forwarded-for")?.split(",").at(-1)?.trim() ?? "";
}

function toScheme(headers: readonly HeaderEntry[]): string {
  const [first = ""] = findLast(headers, "x-forwarded-proto")?.split(",") ?? [];
  return first.trim().toLowerCase() === "https" ? "https" : "http";
}

function findLast(headers: readonly HeaderEntry[], name: string): string | undefined {
  return headers.findLast(([key]) => key.toLowerCase() === name)?.[1];
}

/** A host that is none comes from no gateway; the message is then nobody's. */
function safeHostTokens(host: string): HostTokens | undefined {
  try {
    return toHostTokens(host);
  } catch {
    return undefined;
  }
}
