/**
 * Load and random faults for a long time: `deno task soak [--minutes 10] [--seed 1]`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { Random } from "../harness/random.ts";
import type { Fault } from "./fault.ts";
import { FAULTS, FULL_STREAM } from "./faults.ts";
import { type Snapshot, snapshotOf } from "./figures.ts";
import { type Life, MemoryWatch, slopeOf } from "./memory.ts";
import { tryOut } from "./trial.ts";
import { World } from "./world.ts";

const SAMPLE_INTERVAL_MS = 2000;
/** How much of a life counts as warming up. */
const WARM_UP_SHARE = 0.25;
const LONGEST_QUIET_MS = 15_000;

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "10" },
    seed: { type: "string", default: String(Date.now() % 100_000) },
  },
});
const minutes = Number(values.minutes);
const seed = Number(values.seed);
if (!(minutes > 0) || !Number.isInteger(seed)) {
  console.error("Cannot soak: expected --minutes NUMBER and --seed WHOLE-NUMBER");
  Deno.exit(2);
}
console.log(`soaking for ${minutes} min; the same faults again: --seed ${seed}`);

const ALL = [...FAULTS, FULL_STREAM];
const happened = new Map<string, number>();
await using world = await World.start({ isPersisted: true });
using memory = new MemoryWatch(world, SAMPLE_INTERVAL_MS);
const until = performance.now() + minutes * 60_000;
// What each of them brings to its peak stays so; what grows after that is a leak.
const figures = await tryOut(world, randomFaults(until), { warmUpFaults: ALL.length });
for (const { text } of figures) console.log(text);
for (const [name, count] of happened) console.log(`${count} times: ${name}`);
for (const life of memory.longestLives) console.log(renderSlope(life));
const wrong = figures.flatMap(({ wrong }) => wrong);
for (const text of wrong) console.error(`WRONG ${text}`);
Deno.exitCode = wrong.length === 0 ? 0 : 1;

/** Each of them once, in any order, and again. */
function* inRounds(random: Random): Generator<Fault> {
  for (;;) yield* random.shuffle(ALL);
}

function* randomFaults(until: number): Generator<Fault> {
  const random = new Random(seed);
  let count = 0;
  for (const fault of inRounds(random)) {
    if (performance.now() > until) return;
    count++;
    const quietMs = (fault.aftermathMs ?? 0) + random.next() * LONGEST_QUIET_MS;
    happened.set(fault.name, (happened.get(fault.name) ?? 0) + 1);
    yield {
      ...fault,
      quietMs,
      async happen(world) {
        if (count > 1) console.log(`   ${renderSnapshot(await snapshotOf(world))}`);
        console.log(`${count}. ${fault.name}`);
        await fault.happen(world);
      },
    };
  }
}

function renderSnapshot(snapshot: Snapshot): string {
  return Object.entries(snapshot)
    .map(([name, { rssMiB, fds }]) => `${name} ${rssMiB} MiB, ${fds} fds`)
    .join("; ");
}

function renderSlope({ name, samples }: Life): string {
  const warm = samples.slice(Math.floor(samples.length * WARM_UP_SHARE));
  if (warm.length < 10) return `memory of ${name}: it lived too short to tell`;
  const lived = (warm.at(-1)!.hours - warm[0]!.hours) * 60;
  const range = warm.map(({ mib }) => mib);
  const slope = slopeOf(warm);
  return `memory of ${name}: ${slope > 0 ? "+" : ""}${slope.toFixed(1)} MiB per hour over ` +
    `${lived.toFixed(1)} min, ${Math.min(...range)}–${Math.max(...range)} MiB`;
}
