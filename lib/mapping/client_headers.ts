/**
 * Which of a client's headers cross.
 *
 * @module
 */
import {
  COMMON_NAMES,
  type HeaderEntry,
  type HeaderLines,
  isHopByHop,
  namedByConnection,
  NO_LINES,
  type RequestKind,
  toCanonicalName,
  toHeaderLines,
} from "./headers.ts";
import { isOwnHeader } from "./names.ts";
import { isSpokenByProxies } from "./proxy_headers.ts";

/** Of one hop, but the handshake itself, too: a workload sees it whole. */
const HANDSHAKE: ReadonlySet<string> = new Set(["connection", "upgrade"]);

/**
 * What the gateway itself says of a request; what came with it is dropped, whoever says so. The length
 * is told with the body that it counts, and nowhere else.
 */
const SET_BY_GATEWAY: ReadonlySet<string> = new Set([
  "client-id",
  "content-length",
  "host",
  "reply-to",
  "traceparent",
  "tracestate",
  "x-forwarded-for",
  "x-forwarded-host",
  "x-forwarded-proto",
  "x-request-id",
]);

const PLAIN_NAME = /^[a-z0-9-]*$/;
const ODD_CHARACTERS = /[^a-z0-9]/g;

/** How headers of one name cross. */
export interface Crossing {
  /** A line up to its value, e.g. `"User-Agent: "`; the name is canonical. */
  readonly start: string;
  /** The same behind another line, with what ends that: of fewer texts, lines are put together faster. */
  readonly next: string;
  /** Whose word crosses: a trusted proxy's alone, a handshake's alone, anybody's or nobody's. */
  readonly of: "anybody" | "handshake" | "proxy" | "nobody";
}

const COMMON: ReadonlyMap<string, Crossing> = new Map(
  [...COMMON_NAMES].map(([name, canonical]) => [name, { ...toStarts(canonical), of: "anybody" }]),
);

/**
 * Finds out how headers of a name cross. It depends on nothing but the name: whoever reads many requests may
 * remember it.
 *
 * @param name In lower case.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toCrossing } from "./client_headers.ts";
 *
 * const { start, of } = toCrossing("x-api-version");
 * assert.deepEqual([start, of], ["X-Api-Version: ", "anybody"]);
 * assert.equal(toCrossing("x-forwarded-port").of, "proxy");
 * assert.equal(toCrossing("nats-rollup").of, "nobody");
 * ```
 */
export function toCrossing(name: string): Crossing {
  return COMMON.get(name) ?? { ...toStarts(toCanonicalName(name)), of: toSpeaker(name) };
}

function toStarts(canonical: string): Pick<Crossing, "start" | "next"> {
  return { start: `${canonical}: `, next: `\r\n${canonical}: ` };
}

function toSpeaker(name: string): Crossing["of"] {
  if (HANDSHAKE.has(name)) return "handshake";
  if (isHopByHop(name) || isReservedName(name)) return "nobody";
  const plain = toPlainName(name);
  if (SET_BY_GATEWAY.has(plain)) return "nobody";
  if (!isSpokenByProxies(plain)) return "anybody";
  return plain === name ? "proxy" : "nobody";
}

/** How a request's headers become lines. */
export interface ClientHeaderOptions {
  /** A WebSocket's handshake keeps `Connection` and `Upgrade`, so that a workload has all of it. */
  readonly kind: RequestKind;
  /** A trusted proxy's word passes; what a client says in a proxy's name does not. */
  readonly isProxied?: boolean;
  /** Which of a trusted proxy's headers are its own; all where it is undefined. */
  readonly believes?: ((name: string) => boolean) | undefined;
  /** {@link toCrossing}, or what remembers it. */
  readonly crossingOf?: typeof toCrossing | undefined;
}

/**
 * A client's headers as lines of a NATS header block: names canonical, values in order, without
 * what a client may not set, what the gateway sets itself, and what is for one hop only.
 *
 * @param headers The request's headers with names in lower case, as `Request.headers` iterates.
 * @param options What kind of request it is, and whether a trusted proxy sent it.
 * @returns Lines, each ended by CRLF; to be completed by `toHeaderLine` and
 * `toHeaderBlock`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { fromClientHeaders } from "./client_headers.ts";
 *
 * const headers = new Headers({ "content-type": "text/plain", "nats-rollup": "all", "a_b": "1" });
 * assert.equal(fromClientHeaders([...headers], { kind: "http" }), "Content-Type: text/plain\r\n");
 * ```
 */
export function fromClientHeaders(
  headers: readonly HeaderEntry[],
  { kind, isProxied = false, believes, crossingOf = toCrossing }: ClientHeaderOptions,
): HeaderLines {
  const named = namedByConnection(headers);
  let lines = "";
  for (const [name, value] of headers) {
    const { start, next, of } = crossingOf(name);
    if (of === "nobody" || (of === "handshake" && kind !== "websocket")) continue;
    if (of === "proxy" && !(believes?.(name) ?? isProxied)) continue;
    if (of !== "handshake" && named?.has(name)) continue;
    lines += (lines === "" ? start : next) + value;
  }
  return lines === "" ? NO_LINES : toHeaderLines(`${lines}\r\n`);
}

/**
 * Says whether a header's name is, or an application could read it as, one of those that only the gateway
 * and NATS speak. A name with `_` is, whatever it says: CGI, WSGI and PHP read `X_H8s_Subject` as
 * `X-H8s-Subject` (RFC 3875 §4.1.18), and some of them every other character but letters and digits
 * so, too. A `Nats-Rollup` from outside could erase a stream. A message with a `Status` is no message for
 * consumers in Go (`checkMsg` of nats.go), Python and Ruby (`is_status_msg`): they take it for the word of
 * nats-server that there is none, or that the consumer is gone.
 *
 * @param name In lower case.
 * @returns True for `x-h8s-…`, `nats-…`, `x.h8s.…`, `status` and everything with `_` in it.
 */
export function isReservedName(name: string): boolean {
  if (name.includes("_")) return true;
  const plain = toPlainName(name);
  return plain === "status" || isOwnHeader(plain);
}

/** As CGI reads it: letters, digits, and one character for all others. */
function toPlainName(name: string): string {
  return PLAIN_NAME.test(name) ? name : name.replace(ODD_CHARACTERS, "-");
}
