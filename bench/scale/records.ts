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
/** 15 s after its start a gateway looks for what nobody looks after. */
const STARTING_MS = 18_000;
/** A heartbeat has come by then. */
const BEAT_MS = 500;
/** By then they have looked what there is. */
const LOSING_MS = 4000;
const RESUME_FLAGS = ["--resume", "30s", "--persist-storage", "memory"];

/** A gateway that dies, in a word or without one: the word saves 15 s, the rest is the same. */
export const recordGrowths: readonly Growth[] = [{
  name: "lost",
  title: "WebSockets of a gateway that is gone, told as closed by one of two others",
  sizes: [1, 1000, 20_000, 50_000],
  measure: tellLost,
}];

/** A gateway that starts while others hold so many. */
export const bucketGrowths: readonly Growth[] = [{
  name: "bucket",
  title:
    "WebSockets of other gateways, in the bucket while one starts, until it has looked for orphans",
  sizes: [0, 50_000],
  maxRuns: 1,
  measure: (size, world) => beside(world, [], (bucket) => bucket.write(size)),
}, {
  name: "resumable",
  title:
    "WebSockets of other gateways that can be resumed, while one starts, and an empty one is lost",
  sizes: [0, 50_000],
  maxRuns: 1,
  measure: (size, world) => beside(world, RESUME_FLAGS, (bucket) => bucket.writeResumable(size)),
}];

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

async function beside(
  world: GrowthWorld,
  flags: readonly string[],
  write: (bucket: Bucket) => Promise<void>,
): Promise<Sample> {
  await using _first = await startGateway(world, flags);
  await using bucket = await Bucket.connect(world.nats.url);
  await write(bucket);
  const beats = setInterval(() => bucket.beat("alive"), 5000);
  try {
    const natsCpu = new CpuMeter(world.nats.pid);
    const begun = performance.now();
    await using target = await startGateway(world, flags);
    const ready = performance.now() - begun;
    const { port } = target;
    const cpu = new CpuMeter(target.pid);
    const starting = await probe({ port, pauseMs: PROBE_PAUSE_MS }, () => pause(STARTING_MS));
    const sample = {
      "ready after ms": ready,
      "gateway, cpu ms": cpu.micros() / 1000,
      "nats-server, cpu ms": natsCpu.micros() / 1000,
      "GET meanwhile, p50 ms": starting.p50,
      "GET meanwhile, p99 ms": starting.p99,
      "GET meanwhile, slowest ms": starting.max,
    };
    bucket.beat("alive", "EMPTY");
    await bucket.connection.flush();
    await pause(BEAT_MS);
    const [gatewayLoses, natsLoses] = [new CpuMeter(target.pid), new CpuMeter(world.nats.pid)];
    const losing = await probe({ port, pauseMs: PROBE_PAUSE_MS }, async () => {
      bucket.beat("gone", "EMPTY");
      await pause(LOSING_MS);
    });
    return {
      ...sample,
      "an empty one is lost: gateway, cpu ms": gatewayLoses.micros() / 1000,
      "an empty one is lost: nats-server, cpu ms": natsLoses.micros() / 1000,
      "an empty one is lost: GET meanwhile, p99 ms": losing.p99,
      "an empty one is lost: GET meanwhile, slowest ms": losing.max,
    };
  } finally {
    clearInterval(beats);
    await bucket.purge();
  }
}
