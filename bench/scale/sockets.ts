/**
 * More WebSockets.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { loadHttp } from "../load/http.ts";
import { inParallel, openSocket } from "../load/websocket.ts";
import { CpuMeter, maxSockets, memoryOf } from "../process.ts";
import type { Growth } from "./growth.ts";
import { startGateway } from "./requests.ts";

const SETTLE_MS = 1000;
const IDLE_MS = 5000;

/** What one takes while nothing is said, and what a request costs beside them. */
export const socketGrowth: Growth = {
  name: "sockets",
  title: "WebSockets that are open, and quiet",
  sizes: [1, 100, 5000, Math.min(20_000, maxSockets())],
  measure: async (size, world) => {
    await using target = await startGateway(world);
    const before = memoryOf(target.pid).rss;
    await using open = new AsyncDisposableStack();
    const opening = new CpuMeter(target.pid);
    await inParallel(size, async () => {
      open.use(await openSocket(target.port));
    });
    const opened = opening.micros() / size;
    await pause(SETTLE_MS);
    const memory = (memoryOf(target.pid).rss - before) / size / 1000;
    const idle = new CpuMeter(target.pid);
    await pause(IDLE_MS);
    const idleMillis = idle.micros() / IDLE_MS;
    const { seconds } = world;
    const load = await loadHttp(target, { path: "/api/v1/small", connections: 32, seconds });
    return {
      "kB each": memory,
      "cpu µs to open one": opened,
      "cpu ms/s while quiet": idleMillis,
      "cpu µs/GET beside them": load["cpu µs/request"]!,
      "GET beside them, p99 ms": load["p99 ms"]!,
    };
  },
};
