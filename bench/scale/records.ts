/**
 * More connections in the bucket: a gateway that dies with them, and one that starts beside them.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import type { Sample } from "../case.ts";
import { CpuMeter } from "../process.ts";
import type { Growth, GrowthWorld } from "./growth.ts";
import { Bucket } from "./bucket.ts";
import { probe } from "./probe.ts";
import { startGateway } from "./requests.ts";

const PROBE_PAUSE_MS = 2;
/** After how long a gateway that has just started looks for what nobody looks after. */
const LOOKS_AFTER_MS = 15_000;

/** A gateway that dies, in a word or without one: the word saves 15 s, the rest is the same. */
export const recordGrowths: readonly Growth[] = [{
  name: "lost",
  title: "WebSockets of a gateway that is gone, told as closed by one of two others",
  sizes: [1, 1000, 20_000, 50_000],
  measure: tellLost,
}];

/** A gateway that starts while others hold so many. */
export const bucketGrowth: Growth = {
  name: "bucket",
  title:
    "WebSockets of other gateways, in the bucket while one starts, until it has looked for orphans",
  sizes: [0, 50_000],
  maxRuns: 1,
  measure: startBeside,
};

async function tellLost(size: number, world: GrowthWorld): Promise<Sample> {
  await using first = await startGateway(world);
  await using second = await startGateway(world);
  await using bucket = await Bucket.connect(world.nats.url);
  await bucket.write(size);
  const closed = bucket.countClosed(size);
  bucket.beat("alive");
  await bucket.connection.flush();
  const quiet = await probe({ port: first.port, pauseMs: PROBE_PAUSE_MS }, () => pause(1000));
  const meters = {
    gateways: [new CpuMeter(first.pid), new CpuMeter(second.pid)],
    nats: new CpuMeter(world.nats.pid),
  };
  let millis = 0;
  const busy = await Promise.all(
    [first, second].map(({ port }) =>
      probe({ port, pauseMs: PROBE_PAUSE_MS }, async () => {
        const begun = performance.now();
        if (port === first.port) bucket.beat("gone");
        await closed.all;
        millis = performance.now() - begun;
        await bucket.untilEmpty();
      })
    ),
  );
  // The second in line looks half a second later.
  await pause(600);
  closed.check();
  const worst = busy.toSorted((a, b) => b.p99 - a.p99)[0]!;
  return {
    "all told after ms": millis,
    "gateways, cpu µs each": meters.gateways.reduce((sum, meter) => sum + meter.micros(), 0) / size,
    "nats-server, cpu µs each": meters.nats.micros() / size,
    "GET meanwhile, p50 ms": worst.p50,
    "GET meanwhile, p99 ms": worst.p99,
    "GET meanwhile, slowest ms": worst.max,
    "GET before, p99 ms": quiet.p99,
  };
}

async function startBeside(size: number, world: GrowthWorld): Promise<Sample> {
  await using first = await startGateway(world);
  await using bucket = await Bucket.connect(world.nats.url);
  await bucket.write(size);
  const beats = setInterval(() => bucket.beat("alive"), 5000);
  try {
    const natsCpu = new CpuMeter(world.nats.pid);
    const begun = performance.now();
    await using target = await startGateway(world);
    const ready = performance.now() - begun;
    const cpu = new CpuMeter(target.pid);
    const { p50, p99, max } = await probe(
      { port: target.port, pauseMs: PROBE_PAUSE_MS },
      () => pause(LOOKS_AFTER_MS + 3000),
    );
    return {
      "ready after ms": ready,
      "gateway, cpu ms": cpu.micros() / 1000,
      "nats-server, cpu ms": natsCpu.micros() / 1000,
      "GET meanwhile, p50 ms": p50,
      "GET meanwhile, p99 ms": p99,
      "GET meanwhile, slowest ms": max,
    };
  } finally {
    clearInterval(beats);
    await bucket.purge();
    void first;
  }
}
