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
const SECRET_NAME =
  /auth|cookie|token|secret|pass|pwd|key|credential|signature|session|jwt|\b(?:otp|pin|dpop)\b/;
/** What is a credential, whatever the name: of a scheme, a JSON Web Token, whoever stands before a host. */
const SECRET_VALUES: readonly (readonly [RegExp, string])[] = [
  [/\b(Basic|Bearer|Digest|Negotiate) +[^\s,]+/gi, `$1 ${MASK}`],
  [/(?<![\w-])eyJ[\w-]+(?:(?:\.|%2E)[\w-]*)+/g, MASK],
  [/\/\/[^\s/?#@]*@/g, `//${MASK}@`],
];
/** A word of a query without a name is shown when it is a word, like `debug`. */
const LONGEST_WORD = 16;
/** Control characters, and what turns the direction of text. */
const MOVES = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;
const QUERIES: ReadonlySet<string> = new Set(
  lowerCased(HEADER.originalQuery, HEADER.originalTarget),
);

/**
 * Says whether a header, by its name, holds what only its sender should know.
 *
 * @param name In lower case.
 */
export function isSecretHeader(name: string): boolean {
  return SECRET.has(name) || SECRET_NAME.test(name);
}

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
  const shown = isSecretHeader(key) ? MASK : QUERIES.has(key) ? maskQuery(value) : maskValue(value);
  return [toVisible(name), toVisible(shown)];
}

/**
 * A query as it may be shown: its names, and what is short without one.
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
  return query.replace(/[^&#?]+/g, (part) => {
    const equals = part.indexOf("=");
    if (equals >= 0) return `${part.slice(0, equals)}=${MASK}`;
    return part.length > LONGEST_WORD ? MASK : part;
  });
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

/**
 * Any other text as it may be shown: a subject, a header's value.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { maskValue } from "./masking.ts";
 *
 * assert.equal(maskValue("https://me:secret@a/b?t=1"), "https://•••@a/b?t=•••");
 * ```
 */
export function maskValue(value: string): string {
  // A query within a URL, e.g. of `Referer`, holds as much as one of its own.
  const masked = value.replace(/\?[^\s"'<>]*/g, maskQuery);
  return SECRET_VALUES.reduce((text, [secret, mask]) => text.replace(secret, mask), masked);
}

function lowerCased(...names: string[]): string[] {
  return names.map((name) => name.toLowerCase());
}
