/**
 * What a configuration says of where requests go and what they are asked for.
 *
 * @module
 */
import { toAuth } from "../../config/options/identity.ts";
import { hasSessions } from "../../config/options/routing.ts";
import { toRouteTable } from "../../config/route_table.ts";
import type { GatewayConfig } from "../../config/schema.ts";
import { Guards } from "../../mapping/guards.ts";
import type { RouteTable } from "../../mapping/route_table.ts";

/** The routes, ready to decide. */
export interface Rules {
  readonly table: RouteTable;
  readonly guards: Guards;
  /** Whether clients may have a session. */
  readonly hasSessions: boolean;
}

/** Makes the routes ready. */
export function toRules(config: GatewayConfig): Rules {
  const { routes, prefix } = config;
  return {
    table: toRouteTable(config),
    guards: new Guards(routes, { prefix, auth: toAuth(config) }),
    hasSessions: hasSessions(config),
  };
}
