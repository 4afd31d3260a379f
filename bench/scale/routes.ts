/**
 * More routes.
 *
 * @module
 */
import { parseConfig } from "../../lib/config/schema.ts";
import { listRouteWarnings } from "../../lib/config/route_warnings.ts";
import type { GatewayOptions } from "../../lib/config/options.ts";
import type { Sample } from "../case.ts";
import { loadHttp } from "../load/http.ts";
import { Child } from "../process.ts";
import { gatewayArgs } from "../targets.ts";
import type { Growth, GrowthWorld } from "./growth.ts";
import { startGateway } from "./requests.ts";

const SIZES = [0, 1, 100, 1000, 10_000];
type Routes = NonNullable<GatewayOptions["routes"]>;

/** Routes of several kinds; what is asked for is the last one's. */
export const routeGrowths: readonly Growth[] = [
  {
    name: "routes",
    title: "routes of one host, each with a path and a subject of its own",
    sizes: SIZES,
    measure: (size, world) =>
      measure(world, {
        path: `/t${Math.max(0, size - 1)}/small`,
        options: {
          routes: list(size, (index) => ({
            match: { host: "bench.example.com", path: `/t${index}/:item` },
            subject: `{prefix}.http.{method}.com.example.bench.t${index}.{item}`,
          })),
        },
      }),
  },
  {
    name: "patterns",
    title: "routes of one host whose paths begin with alternatives",
    sizes: SIZES,
    measure: (size, world) =>
      measure(world, {
        path: `/t${Math.max(0, size - 1)}/small`,
        options: {
          routes: list(size, (index) => ({
            match: { host: "bench.example.com", path: `/:group(t${index}|u${index})/:item` },
            subject: "{prefix}.http.{method}.com.example.bench.{group}.{item}",
          })),
        },
      }),
  },
  {
    name: "hosts",
    title: "routes, each of a host of its own; all but the last ask for a key",
    sizes: SIZES,
    measure: (size, world) =>
      measure(world, {
        path: "/orders/small",
        options: {
          auth: "none",
          authorizationKey: ["k3y"],
          routes: list(size, (index) => ({
            match: {
              host: index < size - 1 ? `t${index}.example.com` : "bench.example.com",
              path: "/orders/:item",
            },
            subject: index < size - 1
              ? `tenants.t${index}.{item}`
              : `{prefix}.http.{method}.com.example.bench.orders.{item}`,
            ...(index < size - 1 ? { auth: "key" as const } : {}),
          })),
        },
      }),
  },
];

function list(size: number, toRoute: (index: number) => Routes[number]): Routes {
  return Array.from({ length: size }, (_, index) => toRoute(index));
}

async function measure(
  world: GrowthWorld,
  { path, options }: { path: string; options: GatewayOptions },
): Promise<Sample> {
  // JSON is YAML.
  const text = JSON.stringify(options, null, 1);
  const begun = performance.now();
  await using target = await startGateway(world, [], text);
  const ready = performance.now() - begun;
  const { seconds } = world;
  const load = await loadHttp(target, { path, connections: 32, seconds });
  const check = await time(async () => {
    await using child = new Child(Deno.execPath(), gatewayArgs(["config", "check", "-"]), {
      input: text,
    });
    if (!(await child.ended).success) throw new Error("Cannot measure: the routes are refused");
  });
  const config = parseConfig(options);
  const advice = await time(() => Promise.resolve(listRouteWarnings(config)));
  return {
    ...load,
    "ready after ms": ready,
    "config check ms": check,
    "doctor on routes ms": advice,
  };
}

async function time(task: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await task();
  return performance.now() - begun;
}
