/**
 * Which checks are switched on, cheapest first. A check that is off is not in the chain.
 *
 * @module
 */
import type { GatewayConfig } from "../../config/schema.ts";
import type { Check } from "./check.ts";
import { hostFilter } from "./host.ts";
import { connectionLimit, inFlightLimit, type Load } from "./load.ts";
import { addressRate, type RateTable } from "./rate.ts";
import { headerBytes, headerCount, urlLength } from "./size.ts";

/** What is remembered from one request to the next, and from one configuration to the next. */
export interface Memory {
  readonly load: Load;
  readonly rates: RateTable;
}

/** The checks before and after it is known which route a request takes. */
export interface Checks {
  readonly early: readonly Check[];
  readonly late: readonly Check[];
}

/** Puts the chain together: all checks that need not know who is asking. */
export function toChain(config: GatewayConfig, { load, rates }: Memory): Checks {
  const { maxInFlight, maxConnections, maxConnectionsPerAddress, hostFilters, rate } = config;
  const hasConnectionLimit = maxConnections > 0 || maxConnectionsPerAddress > 0;
  return {
    early: [
      urlLength(config.maxUrlLength),
      headerCount(config.maxHeaders),
      headerBytes(config.maxHeaderBytes),
      ...(maxInFlight > 0 ? [inFlightLimit(maxInFlight, load)] : []),
      ...(hostFilters.length > 0 ? [hostFilter(hostFilters)] : []),
    ],
    late: [
      ...(rate === undefined ? [] : [addressRate(rate, rates)]),
      ...(hasConnectionLimit ? [connectionLimit(config, load)] : []),
    ],
  };
}
