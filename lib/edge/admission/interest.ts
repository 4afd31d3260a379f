/**
 * Check: whether anybody said that they listen.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import type { Interests } from "../../nats/interest.ts";
import type { Candidate } from "./check.ts";

/**
 * A workload has registered for the host, path and method.
 *
 * @returns The check; it throws `no_interest`.
 */
export function registeredInterest(
  interests: Pick<Interests, "has">,
): (candidate: Pick<Candidate, "kind" | "request" | "target">) => void {
  return ({ kind, request, target: { hostTokens, pathTokens } }) => {
    const method = kind === "websocket" ? "ws" : request.method;
    if (interests.has({ hostTokens, pathTokens, method })) return;
    const detail = "No workload has registered for this host, path and method";
    throw new GatewayError("no_interest", detail);
  };
}
