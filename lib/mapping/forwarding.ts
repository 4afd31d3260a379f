/**
 * Where a request came from, as the proxies before the gateway tell it, as far as they can be trusted.
 *
 * @module
 */
import { parseNode } from "./address.ts";

/** Who is at the other end of the connection, and what it says. */
export interface Hop {
  /** The peer's IP address. */
  readonly address: string;
  /** What the connection itself is. */
  readonly scheme: "http" | "https";
  /** A request header by its lower-case name; null without one. */
  header(name: string): string | null;
}

/** Where a request came from. */
export interface Forwarding {
  /** A trusted proxy sent it. */
  readonly isProxied: boolean;
  /** Which of its headers are its own, and not merely handed on; all where it is undefined. */
  readonly believes?: ((name: string) => boolean) | undefined;
  /** The client's IP address. */
  readonly clientAddress: string;
  /** What the client spoke. */
  readonly scheme: "http" | "https";
  /** The authority that the client asked for, where a proxy says so; undefined for that of the request. */
  readonly host: string | undefined;
  /** For `X-Forwarded-For`: the client first, then each proxy. */
  readonly forwardedFor: string;
  /** What the proxy calls this request. */
  readonly requestId: string | undefined;
  /** The trace that it belongs to (W3C Trace Context). */
  readonly traceparent: string | undefined;
  /** Goes with {@link traceparent}. */
  readonly tracestate: string | undefined;
}

const REQUEST_ID = /^[\w.:+/=@-]{1,128}$/;
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** What a peer says that is not to be trusted: nothing. */
export function fromClient(address: string, scheme: "http" | "https"): Forwarding {
  return {
    isProxied: false,
    clientAddress: address,
    scheme,
    host: undefined,
    forwardedFor: address,
    requestId: undefined,
    traceparent: undefined,
    tracestate: undefined,
  };
}

/**
 * What a trusted proxy says. `X-Forwarded-*` are believed where any of them is there, else `Forwarded`
 * (RFC 7239): most proxies set the former and let through what clients make up of the latter.
 *
 * @param isTrusted Whether an address is a trusted proxy's.
 * @returns The right-most address that is not a proxy's is the client's.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fromProxy } from "./forwarding.ts";
 *
 * const headers = new Headers({ "x-forwarded-for": "6.6.6.6, 192.0.2.7, 10.0.0.2" });
 * const header = (name: string) => headers.get(name);
 * const isTrusted = (address: string) => address.startsWith("10.");
 * const { clientAddress, forwardedFor } = fromProxy(
 *   { address: "10.0.0.1", scheme: "http", header },
 *   isTrusted,
 * );
 * assert.equal(clientAddress, "192.0.2.7");
 * assert.equal(forwardedFor, "6.6.6.6, 192.0.2.7, 10.0.0.2, 10.0.0.1");
 * ```
 */
export function fromProxy(hop: Hop, isTrusted: (address: string) => boolean): Forwarding {
  const { forwardedFor, proto, host, clientAddress } = readChain(hop, isTrusted);
  const requestId = hop.header("x-request-id");
  const traceparent = hop.header("traceparent");
  const isTraced = traceparent !== null && TRACEPARENT.test(traceparent);
  return {
    isProxied: true,
    clientAddress,
    scheme: toScheme(proto) ?? hop.scheme,
    host: host === "" ? undefined : host,
    forwardedFor,
    requestId: requestId !== null && REQUEST_ID.test(requestId) ? requestId : undefined,
    traceparent: isTraced ? traceparent : undefined,
    tracestate: isTraced ? hop.header("tracestate") ?? undefined : undefined,
  };
}

interface Chain {
  readonly clientAddress: string;
  readonly forwardedFor: string;
  readonly proto: string | undefined;
  readonly host: string | undefined;
}

function readChain(hop: Hop, isTrusted: (address: string) => boolean): Chain {
  const xFor = hop.header("x-forwarded-for");
  const xProto = hop.header("x-forwarded-proto");
  const xHost = hop.header("x-forwarded-host");
  const forwarded = hop.header("forwarded");
  if (xFor === null && xProto === null && xHost === null && forwarded !== null) {
    return readForwarded(forwarded, { hop, isTrusted });
  }
  const nodes = xFor === null ? [] : toItems(xFor);
  const { address } = findClient(nodes, { hop, isTrusted });
  return {
    clientAddress: address,
    forwardedFor: [...nodes, hop.address].join(", "),
    // The last item is what the nearest proxy says; those before it may be the client's.
    proto: xProto === null ? undefined : toItems(xProto).at(-1),
    host: xHost === null ? undefined : toItems(xHost).at(-1),
  };
}

function readForwarded(
  value: string,
  { hop, isTrusted }: { hop: Hop; isTrusted: (address: string) => boolean },
): Chain {
  const elements = splitUnquoted(value, ",").map(toPairs);
  const nodes = elements.map((pairs) => pairs.get("for") ?? "unknown");
  const { address, index } = findClient(nodes, { hop, isTrusted });
  const told = elements[index];
  const listed = nodes.map((node) => parseNode(node) ?? "unknown");
  return {
    clientAddress: address,
    forwardedFor: [...listed, hop.address].join(", "),
    proto: told?.get("proto"),
    host: told?.get("host"),
  };
}

/** Walks from the nearest proxy to the client; an entry that is no address ends what can be known. */
function findClient(
  nodes: readonly string[],
  { hop, isTrusted }: { hop: Hop; isTrusted: (address: string) => boolean },
): { address: string; index: number } {
  let found = { address: hop.address, index: nodes.length };
  for (let index = nodes.length - 1; index >= 0; index--) {
    const address = parseNode(nodes[index]!);
    if (address === undefined) break;
    found = { address, index };
    if (!isTrusted(address)) break;
  }
  return found;
}

function toScheme(proto: string | undefined): "http" | "https" | undefined {
  switch (proto?.toLowerCase()) {
    case "https":
    case "wss":
      return "https";
    case "http":
    case "ws":
      return "http";
    default:
      return undefined;
  }
}

function toItems(list: string): string[] {
  return list.split(",").map((item) => item.trim());
}

/** RFC 7239 §4: `for=…;proto=…`; values are tokens or quoted. */
function toPairs(element: string): ReadonlyMap<string, string> {
  const pairs = new Map<string, string>();
  for (const pair of splitUnquoted(element, ";")) {
    const equals = pair.indexOf("=");
    if (equals === -1) continue;
    const value = pair.slice(equals + 1).trim();
    const isQuoted = value.length > 1 && value.startsWith('"') && value.endsWith('"');
    pairs.set(
      pair.slice(0, equals).trim().toLowerCase(),
      isQuoted ? value.slice(1, -1).replace(/\\(.)/g, "$1") : value,
    );
  }
  return pairs;
}

/**
 * Splits where a separator stands outside of quotes; each character is looked at once. A quote that is
 * never closed leaves nothing: behind it, who said what cannot be told.
 */
function splitUnquoted(text: string, separator: "," | ";"): string[] {
  const parts: string[] = [];
  let begin = 0;
  let isQuoted = false;
  for (let index = 0; index < text.length; index++) {
    const character = text[index];
    if (character === '"') isQuoted = !isQuoted;
    else if (character === "\\" && isQuoted) index++;
    else if (character === separator && !isQuoted) {
      parts.push(text.slice(begin, index));
      begin = index + 1;
    }
  }
  return isQuoted ? [] : [...parts, text.slice(begin)];
}
