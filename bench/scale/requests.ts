/**
 * More headers, larger bodies.
 *
 * @module
 */
import { loadHttp } from "../load/http.ts";
import { memoryOf, resetPeak } from "../process.ts";
import { startTarget, type Target } from "../targets.ts";
import type { Growth, GrowthWorld } from "./growth.ts";

const PATH = "/api/v1/small";
const CONNECTIONS = 32;
/** Of a body in flight the gateway holds all, where it is no stream. */
const LARGE_CONNECTIONS = 4;
const MEGABYTE = 1_000_000;
const MEBIBYTE = 1024 * 1024;

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
      const load = {
        ...{ connections, seconds, bodyBytes },
        path: isStream ? "/upload" : PATH,
        host: isStream ? "stream.example.com" : "bench.example.com",
      };
      await loadHttp(target, load);
      resetPeak(target.pid);
      const { rss } = memoryOf(target.pid);
      const sample = await loadHttp(target, load);
      return {
        ...sample,
        ...(bodyBytes === 0 ? {} : { "cpu µs/kB": sample["cpu µs/request"]! * 1000 / bodyBytes }),
        "MB/s": sample["requests/s"]! * bodyBytes / MEGABYTE,
        "peak growth MiB": (memoryOf(target.pid).peak - rss) / MEBIBYTE,
      };
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
