/**
 * What people who look at messages may see of them: the one table of what is secret.
 *
 * @module
 */
import type { HeaderEntry } from "./headers.ts";
import { HEADER } from "./names.ts";

/** In the place of what is not shown. */
export const MASK = "•••";

/** Who shows one of these is who it says: credentials, sessions, and what a client resumes with. */
const SECRET: ReadonlySet<string> = new Set([
  ...["authorization", "proxy-authorization", "cookie", "set-cookie", "sec-websocket-protocol"],
  ...["sec-websocket-key", "idempotency-key", "client-id", "reply-to"],
  ...lowerCased(HEADER.session, HEADER.claims),
]);
/** What else programs call their secrets. */
const SECRET_NAME = /token|secret|passw|api-?key|credential|signature|session|jwt/i;
/** Control characters, and what turns the direction of text. */
const MOVES = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const QUERIES: ReadonlySet<string> = new Set(
  lowerCased(HEADER.originalQuery, HEADER.originalTarget),
);

/**
 * A header as it may be shown.
 *
 * @param entry Its name and value; latin-1.
 * @returns The same, or with a mask for its value; nothing in it moves a terminal's cursor.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { maskHeader } from "./masking.ts";
 *
 * assert.deepEqual(maskHeader(["Cookie", "a=b"]), ["Cookie", "•••"]);
 * assert.deepEqual(maskHeader(["Accept", "*\/*"]), ["Accept", "*\/*"]);
 * assert.deepEqual(maskHeader(["Referer", "https://a/b?t=1"]), ["Referer", "https://a/b?t=•••"]);
 * ```
 */
export function maskHeader([name, value]: HeaderEntry): HeaderEntry {
  const key = name.toLowerCase();
  const shown = SECRET.has(key) || SECRET_NAME.test(key)
    ? MASK
    : QUERIES.has(key)
    ? maskQuery(value)
    : maskUrl(value);
  return [toVisible(name), toVisible(shown)];
}

/**
 * A query as it may be shown: its names alone.
 *
 * @param query Without `?`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { maskQuery } from "./masking.ts";
 *
 * assert.equal(maskQuery("a=1&token=x&flag"), "a=•••&token=•••&flag");
 * ```
 */
export function maskQuery(query: string): string {
  return query.replace(/=[^&#]*/g, `=${MASK}`);
}

/**
 * Text of a client's as it may be shown on a terminal.
 *
 * @returns The same with `\xNN` for control characters, and for what turns the direction of text.
 */
export function toVisible(text: string): string {
  return text.replace(MOVES, (character) => {
    const code = character.charCodeAt(0).toString(16);
    return code.length > 2 ? `\\u${code.padStart(4, "0")}` : `\\x${code.padStart(2, "0")}`;
  });
}

/** A query within a URL, e.g. of `Referer`, holds as much. */
function maskUrl(value: string): string {
  return value.replace(/\?[^\s"'<>]*/g, maskQuery);
}

function lowerCased(...names: string[]): string[] {
  return names.map((name) => name.toLowerCase());
}
