/**
 * The subjects on which the gateway itself and NATS speak. A client must not get there by choosing
 * its path: `/http/POST` under the template `{prefix}.{room}.{client}.>` would hear everybody's
 * requests.
 *
 * @module
 */

import { toPushTokens } from "./names.ts";
import { doOverlap } from "./subject_pattern.ts";

/** What may follow the prefix only where a template says so itself. */
const RESERVED_TOKENS: ReadonlySet<string> = new Set([
  "http",
  "ws",
  "upload",
  "control",
  "events",
  "resumed",
]);
/** `_INBOX` of everybody's replies; `$SYS`, `$JS`, `$KV` and the like are the server's. */
const SYSTEM = /^(?:\$|_INBOX)/;

/**
 * Says whether a subject is, or a pattern covers some of, `<prefix>.(http|ws|upload|control|events|resumed)`,
 * `_INBOX` or `$…`.
 *
 * @param subject May hold wildcards; may be the beginning of one.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { touchesReserved } from "./reserved.ts";
 *
 * assert.ok(touchesReserved("h8s.control.ws", "h8s"));
 * assert.ok(touchesReserved("*.*.in", "h8s"));
 * assert.ok(!touchesReserved("h8s.lobby.control", "h8s"));
 * ```
 */
export function touchesReserved(subject: string, prefix: string): boolean {
  if (SYSTEM.test(subject)) return true;
  const tokens = subject.split(".");
  for (const [index, own] of prefix.split(".").entries()) {
    if (tokens[index] === ">") return true;
    if (tokens[index] !== "*" && tokens[index] !== own) return false;
    tokens[index] = own;
  }
  const next = tokens[prefix.split(".").length] ?? "";
  return next === "*" || next === ">" || RESERVED_TOKENS.has(next);
}

/**
 * Says whether a subject is, or a pattern covers some of, `<prefix>.<session>.push`, where whoever knows a
 * session reaches all of its sockets.
 */
export function touchesPush(subject: string, prefix: string): boolean {
  return doOverlap(subject, `${prefix}.${toPushTokens("*")}`);
}
