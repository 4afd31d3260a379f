/**
 * Checks: which web pages may talk to us (RFC 6454). A browser sends `Origin` with every WebSocket
 * handshake and lets any page open one; who sends none is no browser.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import { isListed } from "../../mapping/cors.ts";
import type { Check } from "./check.ts";

/**
 * The page's origin is one of a list.
 *
 * @param allowed Exact origins in lower case; `null` only where it is listed; `*` for all.
 * @returns The check; it throws `origin_not_allowed`.
 */
export function listedOrigin(allowed: readonly string[]): Check {
  return ({ request }) => {
    const origin = request.headers.get("origin");
    if (origin !== null && !isListed(origin, allowed)) throw notAllowed();
  };
}

/**
 * The page of a WebSocket comes from the host that it asks for. HTTP requests pass: there the browser
 * itself keeps pages of other origins from reading the answer.
 *
 * @param candidate Who wants to get in.
 * @throws {GatewayError} `origin_not_allowed`.
 */
export const sameHostOrigin: Check = ({ request, kind, target }) => {
  if (kind !== "websocket") return;
  const origin = request.headers.get("origin");
  if (origin === null) return;
  const url = /^https?:\/\//i.test(origin) ? URL.parse(origin) : null;
  // The URL drops a port that its scheme has anyway, which the Host header may spell.
  const own = url && URL.parse(`${url.protocol}//${target.authority}`);
  if (url !== null && own?.host === url.host) return;
  throw notAllowed();
};

function notAllowed(): GatewayError {
  const detail = "Pages of this origin may not connect here";
  return new GatewayError("origin_not_allowed", detail);
}
