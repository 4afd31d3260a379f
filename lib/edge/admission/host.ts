/**
 * Check: which hosts are served.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import { HostSet, toHostPattern } from "../../mapping/host_pattern.ts";
import type { Candidate } from "./check.ts";

/**
 * The host that is asked for.
 *
 * @param filters Those that are served, exact or `*.example.com`, in lower case.
 * @returns The check; it throws `host_not_served`.
 */
export function hostFilter(
  filters: readonly string[],
): (candidate: Pick<Candidate, "target">) => void {
  const hosts = new HostSet(filters.map(toHostPattern));
  return ({ target }) => {
    const tokens = target.hostTokens.split(".");
    if (hosts.has(tokens, tokens.length)) return;
    throw new GatewayError("host_not_served", "This host is not served here");
  };
}
