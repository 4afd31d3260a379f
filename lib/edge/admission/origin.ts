/**
 * Checks: which web pages may talk to us (RFC 6454). A browser sends `Origin` with every WebSocket
 * handshake and lets any page open one; who sends none is no browser.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import { isListed } from "../../mapping/cors.ts";
import { valueOf } from "../../mapping/headers.ts";
import type { Candidate } from "./check.ts";

/** What is looked at of a request. */
export type OriginCandidate = Pick<Candidate, "headers" | "kind" | "target">;

/**
 * Checks the page that a request comes from.
 *
 * @param allowed Exact origins in lower case; `null` only where it is listed; `*` for all. Undefined: a
 * WebSocket's page comes from the host that it asks for. HTTP requests pass then: the browser itself keeps
 * pages of other origins from reading the answer.
 * @throws {GatewayError} `origin_not_allowed`.
 */
export function checkOrigin(
  candidate: OriginCandidate,
  allowed: readonly string[] | undefined,
): void {
  const origin = valueOf(candidate.headers, "origin");
  if (origin === undefined) return;
  const isAllowed = allowed === undefined
    ? candidate.kind === "http" || isSameHost(origin, candidate.target.authority)
    : isListed(origin, allowed);
  if (isAllowed) return;
  throw new GatewayError("origin_not_allowed", "Pages of this origin may not connect here");
}

function isSameHost(origin: string, authority: string): boolean {
  const url = /^https?:\/\//i.test(origin) ? URL.parse(origin) : null;
  // The URL drops a port that its scheme has anyway, which the Host header may spell.
  return url !== null && URL.parse(`${url.protocol}//${authority}`)?.host === url.host;
}
