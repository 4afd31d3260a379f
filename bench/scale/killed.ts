/**
 * A gateway that is killed with all its WebSockets: from its last breath until somebody has told all ends.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import type { Sample } from "../case.ts";
import { inParallel, openSocket } from "../load/websocket.ts";
import { CpuMeter, maxSockets } from "../process.ts";
import type { Growth, GrowthWorld } from "./growth.ts";
import { Bucket } from "./bucket.ts";
import { probe } from "./probe.ts";
import { startGateway } from "./requests.ts";

/** Longer than for what is quickly over: the requests are not to be what the gateways do. */
const PROBE_PAUSE_MS = 20;
/** The second in line looks half a second later. */
const LATE_MS = 600;

/** Real sockets, with what their handshakes left in the bucket. */
export const killedGrowth: Growth = {
  name: "killed",
  title: "WebSockets of a gateway that is killed (kill -9), told as closed by two others",
  sizes: [1, 1000, Math.min(20_000, maxSockets())],
  maxRuns: 1,
  measure,
};

async function measure(size: number, world: GrowthWorld): Promise<Sample> {
  await using first = await startGateway(world);
  await using second = await startGateway(world);
  await using dying = await startGateway(world);
  await using bucket = await Bucket.connect(world.nats.url);
  await using open = new AsyncDisposableStack();
  await inParallel(size, async () => {
    open.use(await openSocket(dying.port));
  });
  await bucket.untilHolds(size);
  const closed = bucket.countClosed(size);
  await bucket.connection.flush();
  const meters = {
    gateways: [new CpuMeter(first.pid), new CpuMeter(second.pid)],
    nats: new CpuMeter(world.nats.pid),
  };
  const begun = performance.now();
  Deno.kill(dying.pid, "SIGKILL");
  let [silent, told] = [0, 0];
  closed.first.then(() => silent = performance.now() - begun);
  const busy = await Promise.all(
    [first, second].map(({ port }) =>
      probe({ port, pauseMs: PROBE_PAUSE_MS }, async () => {
        await closed.all;
        told = performance.now() - begun;
      })
    ),
  );
  await pause(LATE_MS);
  closed.check();
  const worst = busy.toSorted((a, b) => b.p99 - a.p99)[0]!;
  return {
    "first told after ms": silent,
    "all told after ms": told,
    "told each second": size / (told - silent) * 1000,
    "gateways, cpu µs each": meters.gateways.reduce((sum, meter) => sum + meter.micros(), 0) / size,
    "nats-server, cpu µs each": meters.nats.micros() / size,
    "GET meanwhile, p50 ms": worst.p50,
    "GET meanwhile, p99 ms": worst.p99,
    "GET meanwhile, slowest ms": worst.max,
  };
}
