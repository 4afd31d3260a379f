/**
 * More headers, larger bodies.
 *
 * @module
 */
import { loadHttp } from "../load/http.ts";
import { startTarget, type Target } from "../targets.ts";
import type { Growth, GrowthWorld } from "./growth.ts";

const PATH = "/api/v1/small";
const CONNECTIONS = 32;
/** Of a body in flight the gateway holds all, where it is no stream. */
const LARGE_CONNECTIONS = 4;
const MEGABYTE = 1_000_000;

/** One load for each. */
export const requestGrowths: readonly Growth[] = [
  {
    name: "headers",
    title: "request headers besides Host",
    sizes: [1, 5, 10, 20, 40],
    measure: async (headers, world) => {
      await using target = await startGateway(world);
      const { seconds } = world;
      return await loadHttp(target, { path: PATH, connections: CONNECTIONS, seconds, headers });
    },
  },
  {
    name: "bodies",
    title: "bytes of a request's body; beyond what a NATS message takes it is a stream",
    sizes: [0, 1000, 10_000, 100_000, MEGABYTE, 10 * MEGABYTE],
    measure: async (bodyBytes, world) => {
      await using target = await startGateway(world, ["--max-body-size", "16MiB"]);
      const { seconds } = world;
      const isStream = bodyBytes > MEGABYTE;
      const connections = bodyBytes < MEGABYTE ? CONNECTIONS : LARGE_CONNECTIONS;
      return await loadHttp(target, {
        ...{ connections, seconds, bodyBytes },
        path: isStream ? "/upload" : PATH,
        host: isStream ? "stream.example.com" : "bench.example.com",
      });
    },
  },
];

/** The gateway as the others of these measure it, too. */
export async function startGateway(
  { nats }: GrowthWorld,
  flags: readonly string[] = [],
  config?: string,
): Promise<Target> {
  return await startTarget("h8s", {
    natsUrl: nats.url,
    flags,
    config,
    peer: undefined,
    peerPort: undefined,
  });
}
