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

/**
 * Says the port of a WebSocket's URL: without one, the client library takes that of TCP.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { withPort } from "./nats_url.ts";
 *
 * assert.equal(withPort("wss://nats.example.com/at"), "wss://nats.example.com:443/at");
 * assert.equal(withPort("nats.example.com"), "nats.example.com");
 * ```
 */
export function withPort(address: string): string {
  const port = /^ws:/i.test(address) ? 80 : 443;
  return address.replace(/^(wss?:\/\/(?:\[[^\]]*\]|[^:/?]+))(?=[/?]|$)/i, `$1:${port}`);
}

/** Who one is in NATS, as the client library wants to be told: it does not look for it in a URL. */
export type UrlLogin = { readonly user: string; readonly pass: string } | {
  readonly token: string;
};

/**
 * Reads a login.
 *
 * @param login As {@link NatsAddress} has it.
 * @returns User and password; a token where there is no colon.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseLogin } from "./nats_url.ts";
 *
 * assert.deepEqual(parseLogin("ann:s%40cret"), { user: "ann", pass: "s@cret" });
 * ```
 */
export function parseLogin(login: string): UrlLogin {
  const colon = login.indexOf(":");
  if (colon === -1) return { token: decodeURIComponent(login) };
  const [user = "", pass = ""] = [login.slice(0, colon), login.slice(colon + 1)]
    .map(decodeURIComponent);
  return { user, pass };
}
