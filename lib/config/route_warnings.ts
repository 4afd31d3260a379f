/**
 * What is allowed of routes, and may well be a mistake.
 *
 * @module
 */
import type { RequestKind } from "../mapping/headers.ts";
import type { PathPattern } from "../mapping/path_pattern.ts";
import type { Route } from "../mapping/route.ts";
import type { RouteQuery } from "../mapping/route_table.ts";
import { toAuth } from "./options/identity.ts";
import { toRouteTable } from "./route_table.ts";
import type { GatewayConfig } from "./schema.ts";
import { readHostTokens, readPathTokens } from "../mapping/subject.ts";

/** Of one kind; more of them say no more. */
const MOST = 20;
const KIND_NAMES: Readonly<Record<RequestKind, string>> = {
  http: "requests",
  websocket: "WebSockets",
};

/**
 * Looks for what may be a mistake.
 *
 * @returns Sentences; each begins with the route that it is about.
 */
export function listRouteWarnings(config: GatewayConfig): string[] {
  return [
    ...listUnreached(config),
    ...listOpenHalves(config),
    ...listOverlaps(config),
    ...listAnyHosts(config),
  ];
}

/** A route that guards requests and leaves the handshake open beside them, or the other way round. */
function listOpenHalves(config: GatewayConfig): string[] {
  const table = toRouteTable(config);
  return config.routes.flatMap((route, index) => {
    const { http, websocket } = route.sides;
    const other = http === undefined ? "http" : websocket === undefined ? "websocket" : undefined;
    const auth = route.auth ?? toAuth(config);
    const sample = other && toSample(route, other);
    if (sample === undefined || auth === "none") return [];
    if (table.decide(sample).demands.includes(auth)) return [];
    const asks = `asks ${KIND_NAMES[other === "http" ? "websocket" : "http"]} for ${auth}`;
    return [`routes.${index} ${asks}, and leaves ${KIND_NAMES[other!]} of the same path without`];
  }).slice(0, MOST);
}

/** A route that nothing comes to, since an earlier one takes it all. */
function listUnreached(config: GatewayConfig): string[] {
  const table = toRouteTable(config);
  return config.routes.flatMap((route, index) => {
    const takers = (["http", "websocket"] as const).flatMap((kind) => {
      const sample = route.sides[kind] && toSample(route, kind);
      return sample === undefined ? [] : [table.decide(sample).match?.route];
    });
    if (takers.length === 0 || takers.includes(route) || takers.includes(undefined)) return [];
    const taker = config.routes.findIndex((other) => other === takers[0]);
    return [`routes.${index} takes nothing: routes.${taker} comes first; move or narrow that one`];
  }).slice(0, MOST);
}

/** The subjects of a host's routes that are those of a path of another host. */
function listOverlaps({ routes }: GatewayConfig): string[] {
  const byHost = new Map<string, { readonly route: Route; readonly index: number }[]>();
  for (const [index, route] of routes.entries()) {
    if (route.host === undefined) continue;
    const name = route.host.tokens.join(".");
    byHost.set(name, [...byHost.get(name) ?? [], { route, index }]);
  }
  const found: string[] = [];
  for (const inner of [...byHost.values()].flat()) {
    const { tokens, isBelow } = inner.route.host!;
    const longest = isBelow ? tokens.length : tokens.length - 1;
    for (let length = 1; length <= longest; length++) {
      for (const outer of byHost.get(tokens.slice(0, length).join(".")) ?? []) {
        if (outer.route.host!.isBelow) continue;
        const rest = [...tokens.slice(length), ...(isBelow ? [undefined] : [])];
        if (!doMeet(outer.route.path, { rest, path: inner.route.path })) continue;
        const first = Math.min(inner.index, outer.index);
        const [one, other] = first === inner.index ? [inner, outer] : [outer, inner];
        found.push(
          `routes.${one.index} and routes.${other.index} share subjects (${
            toHostName(one.route)
          } and ` +
            `${
              toHostName(other.route)
            }): the former takes them, and each asks for what it asks for`,
        );
        if (found.length === MOST) return found;
      }
    }
  }
  return found;
}

/** Without a name for its host, a route that asks for something else is about the ends of paths. */
function listAnyHosts(config: GatewayConfig): string[] {
  const byDefault = toAuth(config);
  if (config.hostFilters.length > 0) return [];
  return config.routes.flatMap(({ host, auth = byDefault, path }, index) => {
    if (host !== undefined || auth === byDefault || path.text === "*") return [];
    const what = `a path that ends like ${path.text} is, on a subdomain, ${path.text} itself`;
    const so = auth === "none"
      ? `its subject is open to whoever names that host`
      : `it is asked for ${auth}, too`;
    return [`routes.${index} names no host: ${what}, so ${so}; name hosts there or in hostFilters`];
  }).slice(0, MOST);
}

/** A request that the route would take if it were of that kind; undefined where that is not known. */
function toSample(
  { host, path: { steps, rest }, methods }: Route,
  kind: RequestKind,
): RouteQuery | undefined {
  if (rest !== undefined || (kind === "websocket" && methods?.includes("GET") === false)) return;
  const path = steps.map((step) =>
    step.kind === "literal" ? step.token : step.kind === "among" ? step.tokens[0]! : "~any"
  );
  return {
    hostTokens: readHostTokens(
      [...host?.tokens ?? ["host"], ...host?.isBelow ? ["below"] : []].join("."),
    ),
    pathTokens: readPathTokens(path.join(".")),
    method: kind === "websocket" ? "GET" : methods?.[0] ?? "GET",
    kind,
  };
}

/** Whether the outer host's pattern takes some path that begins with the rest of the inner one's host. */
function doMeet(
  outer: PathPattern,
  { rest, path }: { rest: readonly (string | undefined)[]; path: PathPattern },
): boolean {
  const literals = ({ steps }: PathPattern) =>
    steps.map((step) => step.kind === "literal" ? step.token : undefined);
  const [one, other] = [literals(outer), [...rest, ...literals(path)]];
  const both = Math.min(one.length, other.length);
  for (let at = 0; at < both; at++) {
    const [left, right] = [one[at], other[at]];
    if (left !== undefined && right !== undefined && left !== right) return false;
  }
  return (one.length === both || path.isOpen) && (other.length === both || outer.isOpen);
}

function toHostName({ host }: Route): string {
  const { tokens = [], isBelow = false } = host ?? {};
  return `${isBelow ? "*." : ""}${tokens.toReversed().join(".")}`;
}
