/**
 * The routes as they are configured, ready to decide.
 *
 * @module
 */
import { toHostPattern } from "../mapping/host_pattern.ts";
import { RouteTable } from "../mapping/route_table.ts";
import { toAuth } from "./options/identity.ts";
import type { GatewayConfig } from "./schema.ts";

/** Files the routes. */
export function toRouteTable(config: GatewayConfig): RouteTable {
  return new RouteTable(config.routes, {
    auth: toAuth(config),
    hosts: config.hostFilters.map(toHostPattern),
  });
}
