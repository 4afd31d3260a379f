/**
 * Where a server is, in words that can be dialled.
 *
 * @module
 */

/** TCP and TLS, or WebSockets: in the order of what a URL may begin with. */
const WEB_SOCKET = /^wss?:\/\//i;

/**
 * Completes an address: what a cluster tells of its other servers has no scheme.
 *
 * @param configured Whose scheme is taken; they are all WebSockets, with one scheme, or none is.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toUrl } from "./server_url.ts";
 *
 * assert.equal(toUrl("10.0.0.2:8080", ["ws://nats.example.com"]), "ws://10.0.0.2:8080");
 * assert.equal(toUrl("10.0.0.2:4222", ["nats://nats.example.com"]), "10.0.0.2:4222");
 * ```
 */
export function toUrl(address: string, configured: string | readonly string[] = []): string {
  if (address.includes("://")) return address;
  const [first = ""] = [configured].flat();
  return (WEB_SOCKET.exec(first)?.[0] ?? "") + address;
}
