/**
 * NATS URLs, which may hold a login.
 *
 * @module
 */

/** Up to the last `@`, as URLs are read: what stands before one is never shown. */
const LOGIN = /^(?<scheme>(?:[a-z]+:\/\/)?)(?<login>[^/]*)@/i;

/** A NATS URL, taken apart. */
export interface NatsAddress {
  /** Without the login: fit for a log. */
  readonly address: string;
  /** What stands before `@`: `user:password` or a token, percent-encoded; undefined without one. */
  readonly login: string | undefined;
}

/**
 * Splits the login off a NATS URL, with or without a scheme.
 *
 * @param url E.g. `"nats://ann:secret@127.0.0.1:4222"`.
 * @returns The two parts.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { splitNatsUrl } from "./nats_url.ts";
 *
 * assert.deepEqual(splitNatsUrl("nats://ann:secret@a:4222"), {
 *   address: "nats://a:4222",
 *   login: "ann:secret",
 * });
 * ```
 */
export function splitNatsUrl(url: string): NatsAddress {
  return { address: url.replace(LOGIN, "$<scheme>"), login: LOGIN.exec(url)?.groups?.login };
}
