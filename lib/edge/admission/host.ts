/**
 * Check: which hosts are served.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import { isHostMatch } from "../../mapping/route.ts";
import { toHostName } from "../../mapping/subject.ts";
import type { Check } from "./check.ts";

/**
 * The host that is asked for.
 *
 * @param filters Those that are served, exact or `*.example.com`, in lower case.
 * @returns The check; it throws `host_not_served`.
 */
export function hostFilter(filters: readonly string[]): Check {
  return ({ target }) => {
    const host = toHostName(target.authority);
    if (filters.some((filter) => isHostMatch(filter, host))) return;
    throw new GatewayError("host_not_served", "This host is not served here");
  };
}
