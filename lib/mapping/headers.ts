/**
 * The header rules, both directions, as tables. Header values are bytes: every string in here is
 * latin-1, one character a byte, as `Headers` gives and takes them.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import type { Branded } from "./branded.ts";
import { isOwnHeader } from "./names.ts";

/** The first line of a NATS header block (NATS ADR-4). */
const VERSION_LINE = "NATS/1.0";
/** One with the status of a subject that nobody subscribes to. */
const NO_RESPONDERS = /^NATS\/1\.0 503\b/;
const CRLF = "\r\n";

/** RFC 9110 §7.6.1, and what proxies have added to it; never forwarded, either way. */
const HOP_BY_HOP: ReadonlySet<string> = new Set([
  "connection",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);

/**
 * Says whether a header is for one hop only (RFC 9110 §7.6.1).
 *
 * @returns True for `connection`, `te` and the like.
 */
export function isHopByHop(lowerCaseName: string): boolean {
  return HOP_BY_HOP.has(lowerCaseName);
}

/**
 * Lower case → canonical, worked out once for the names that nearly every request has: all of them from
 * the client to the application.
 */
export const COMMON_NAMES: ReadonlyMap<string, string> = new Map(
  [
    "accept",
    "accept-encoding",
    "accept-language",
    "authorization",
    "cache-control",
    "content-encoding",
    "content-type",
    "cookie",
    "dnt",
    "expect",
    "if-match",
    "if-modified-since",
    "if-none-match",
    "origin",
    "pragma",
    "priority",
    "range",
    "referer",
    "sec-ch-ua",
    "sec-ch-ua-mobile",
    "sec-ch-ua-platform",
    "sec-fetch-dest",
    "sec-fetch-mode",
    "sec-fetch-site",
    "sec-fetch-user",
    "sec-websocket-extensions",
    "sec-websocket-key",
    "sec-websocket-protocol",
    "sec-websocket-version",
    "upgrade-insecure-requests",
    "user-agent",
    "x-requested-with",
  ].map((name) => [name, canonicalize(name)]),
);

const CONNECTION = "connection";
/** A token of HTTP, e.g. the name of a header, a method or a cookie (RFC 9110 §5.6.2). */
export const HTTP_TOKEN: RegExp = /^[!#$%&'*+\-.^_`|~\w]+$/;
/** RFC 9110 §5.5: no control characters but the tab; bytes above 0x7F pass as they are. */
// deno-lint-ignore no-control-regex -- these are the characters to refuse
const BAD_VALUE = /[\x00-\x08\x0a-\x1f\x7f]/;

/** One header line: the name and its value. */
export type HeaderEntry = readonly [name: string, value: string];

/**
 * The canonical MIME form of a header name, as Go writes it; Go's NATS headers are case-sensitive.
 *
 * @returns E.g. `"Content-Type"` for `"content-type"`, `"X-H8s-Window"` for `"X-H8S-WINDOW"`.
 */
export function toCanonicalName(name: string): string {
  return COMMON_NAMES.get(name) ?? canonicalize(name);
}

/**
 * The platform's headers as a list.
 *
 * @returns Names in lower case, each once but `set-cookie`.
 */
export function toHeaderEntries(headers: Headers): HeaderEntry[] {
  const entries: HeaderEntry[] = [];
  // Deno 2.9 sorts and joins all of them anew for each step of an iteration: 5000 take four seconds so.
  headers.forEach((value, name) => entries.push([name, value]));
  return entries;
}

/** What a request's headers become a NATS header block for. */
export type RequestKind = "http" | "websocket";

/** Lines of a NATS header block, each with its end; latin-1 text. */
export type HeaderLines = Branded<"HeaderLines">;

/** A whole NATS header block; latin-1 text. */
export type HeaderBlock = Branded<"HeaderBlock">;

/** Where there is nothing to say. */
export const NO_LINES = "" as HeaderLines;

/**
 * One line of a NATS header block.
 *
 * @param value The value, already free of CR and LF.
 * @returns `"Name: value\r\n"`.
 */
export function toHeaderLine(name: string, value: string): HeaderLines {
  return `${name}: ${value}\r\n` as HeaderLines;
}

/**
 * Makes what writes the same lines each time, with other values: of lines that are made one by one, a message
 * needs twice as many texts.
 *
 * @param names Of the lines, in order.
 * @returns Takes the values, already free of CR and LF.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { linesOf } from "./headers.ts";
 *
 * assert.equal(linesOf("A", "B")("1", "2"), "A: 1\r\nB: 2\r\n");
 * ```
 */
export function linesOf<const Names extends readonly string[]>(
  ...names: Names
): (...values: { [Index in keyof Names]: string }) => HeaderLines {
  const starts = names.map((name, index) => `${index === 0 ? "" : CRLF}${name}: `);
  return (...values) => {
    let lines = "";
    for (let index = 0; index < starts.length; index++) lines += starts[index]! + values[index]!;
    return `${lines}\r\n` as HeaderLines;
  };
}

/** Several lines as one text. */
export function joinLines(...lines: readonly HeaderLines[]): HeaderLines {
  let joined = "";
  for (let index = 0; index < lines.length; index++) joined += lines[index];
  return joined as HeaderLines;
}

/** Lines that were kept, or changed, as a text. */
export function toHeaderLines(text: string): HeaderLines {
  return text as HeaderLines;
}

/**
 * Puts lines between the version line and the empty line that make them a NATS header block.
 *
 * @param lines Lines from {@link toHeaderLine}, joined.
 * @returns The block as latin-1 text; empty when there are no lines.
 */
export function toHeaderBlock(lines: HeaderLines): HeaderBlock {
  return (lines === "" ? "" : `${VERSION_LINE}\r\n${lines}\r\n`) as HeaderBlock;
}

/**
 * Reads a NATS header block.
 *
 * @param block Latin-1 text; an empty one gives no entries.
 * @returns The lines in order, names as they were written; empty for a line without one.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseHeaderBlock } from "./headers.ts";
 *
 * assert.deepEqual(parseHeaderBlock("NATS/1.0\r\nA: 1\r\n\r\n"), [["A", "1"]]);
 * ```
 */
export function parseHeaderBlock(block: string): HeaderEntry[] {
  const entries: HeaderEntry[] = [];
  let colon = -1;
  // Lines are looked for in place: this is done for every reply.
  for (let begin = toEnd(block.indexOf(CRLF), block) + CRLF.length; begin < block.length;) {
    const end = toEnd(block.indexOf(CRLF, begin), block);
    // One that is behind this line is that of the next one with a colon: not to be looked for again.
    if (colon < begin) colon = toEnd(block.indexOf(":", begin), block);
    if (colon < end) {
      entries.push([block.slice(begin, colon), trimBlanks(block.slice(colon + 1, end))]);
    } else if (end > begin) entries.push(["", block.slice(begin, end)]);
    begin = end + CRLF.length;
  }
  return entries;
}

/**
 * Says whether a message is NATS's own word that nobody subscribes to a subject; as a rule most
 * of what comes to WebSockets that are only opened and closed.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { isNoResponders } from "./headers.ts";
 *
 * assert.equal(isNoResponders("NATS/1.0 503\r\n\r\n", 0), true);
 * ```
 */
export function isNoResponders(headerBlock: string, payloadLength: number): boolean {
  return payloadLength === 0 && NO_RESPONDERS.test(headerBlock);
}

function toEnd(index: number, block: string): number {
  return index === -1 ? block.length : index;
}

/** The first value of a header among those whose names are in lower case. */
export function valueOf(headers: readonly HeaderEntry[], name: string): string | undefined {
  for (const entry of headers) if (entry[0] === name) return entry[1];
  return undefined;
}

/** The first value of a header, whatever the case of its name. */
export function findHeader(entries: readonly HeaderEntry[], name: string): string | undefined {
  const { length } = name;
  const wanted = name.toLowerCase();
  return entries.find(([key]) => key.length === length && key.toLowerCase() === wanted)?.[1];
}

/**
 * What of a workload's reply headers goes to the client: all but `Status*`, `X-H8s-*`, `Nats-*`,
 * `Content-Length` (the server counts) and what is for one hop only. Several of one name stay
 * several.
 *
 * @throws {GatewayError} `malformed_reply` when HTTP could not carry one of them.
 */
export function toClientHeaders(entries: readonly HeaderEntry[]): HeaderEntry[] {
  const named = namedByConnection(entries);
  return entries.filter(([name, value]) => {
    const key = name.toLowerCase();
    if (!HTTP_TOKEN.test(name)) throw malformedReply();
    if (key.startsWith("status") || key === "content-length" || isOwnHeader(key)) return false;
    if (HOP_BY_HOP.has(key) || named?.has(key)) return false;
    if (BAD_VALUE.test(value)) throw malformedReply();
    return true;
  });
}

/**
 * RFC 9110 §7.6.1: what `Connection` names is for this hop only, too.
 *
 * @returns The names in lower case; undefined where there is no `Connection`.
 */
export function namedByConnection(
  entries: readonly HeaderEntry[],
): ReadonlySet<string> | undefined {
  let names: Set<string> | undefined;
  for (const [name, value] of entries) {
    if (name.length !== CONNECTION.length || name.toLowerCase() !== CONNECTION) continue;
    names ??= new Set();
    for (const option of value.split(",")) names.add(option.trim().toLowerCase());
  }
  return names;
}

function malformedReply(): GatewayError {
  const detail = "The workload's reply has a header that HTTP cannot carry";
  return new GatewayError("malformed_reply", detail);
}

/** Blanks and tabs only: `trim()` would take 0xA0 for a blank, which ends many a UTF-8 character. */
function trimBlanks(text: string): string {
  let [begin, end] = [0, text.length];
  while (begin < end && isBlank(text.charCodeAt(begin))) begin++;
  while (begin < end && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(begin, end);
}

function isBlank(code: number): boolean {
  return code === 0x20 || code === 0x09;
}

function canonicalize(name: string): string {
  const words = name.toLowerCase().split("-");
  return words.map((word) => word.charAt(0).toUpperCase() + word.slice(1)).join("-");
}
