/**
 * Fuzzes a gateway for longer: `deno task fuzz [--seed N] [--requests N] [--frames N] [--doors N] [--pairs N]`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { Random } from "../harness/random.ts";
import { checkPairs } from "../mapping/one_reading.ts";
import { startDoors } from "./doors/world.ts";
import { fuzz, type FuzzOptions } from "./fuzzer.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 100_000) },
    requests: { type: "string", default: "100000" },
    frames: { type: "string", default: "20000" },
    doors: { type: "string", default: "100000" },
    pairs: { type: "string", default: "1000000" },
  },
});
const [seed = 0, requests = 0, frames = 0, doors = 0, pairs = 0] = [
  ...[values.seed, values.requests, values.frames, values.doors, values.pairs],
].map(Number);
if (![seed, requests, frames, doors, pairs].every(Number.isSafeInteger)) {
  console.error(
    "Cannot fuzz: expected whole numbers for --seed, --requests, --frames, --doors and --pairs",
  );
  Deno.exit(2);
}
console.log(`fuzzing; the same bytes again: --seed ${seed}`);
checkPairs(new Random(seed), pairs);
console.log(`${pairs} pairs of requests with one subject, decided alike`);
await run("a gateway as it comes", { seed, requests, frames });
// Every fifth request comes over TLS.
const overTls = Math.round(doors / 5);
const open = doors - overTls;
await run("guarded routes, sessions, a stream, a reverse daemon", {
  ...{ seed, requests: open, frames: Math.round(open / 5), world: startDoors },
});
await run("the same over TLS", {
  ...{ seed: seed + 1, requests: overTls, frames: Math.round(overTls / 5) },
  world: (seed) => startDoors(seed, { isTls: true }),
});

async function run(what: string, options: FuzzOptions): Promise<void> {
  if (options.requests === 0) return;
  console.log(`${what}:`);
  const begun = performance.now();
  const sum = await fuzz({
    ...options,
    onBatch: ({ requests, frames, process, wrong }) =>
      console.log(
        `${requests} requests, ${frames} frames, ${wrong.length} wrong; ` +
          `${process?.rssMiB} MiB, ${process?.fds} file descriptors`,
      ),
  });
  const seconds = Math.round((performance.now() - begun) / 1000);
  const statuses = [...sum.statuses].sort(([a], [b]) => a - b)
    .map(([status, count]) => `${status}: ${count}`).join(", ");
  console.log(
    `${sum.requests} requests and ${sum.frames} frames over ${sum.sockets} WebSockets in ${seconds} s\n` +
      `${sum.messages} NATS messages; statuses ${statuses}; ${sum.unanswered} connections unanswered; ` +
      sum.besides.join("; "),
  );
  for (const text of sum.wrong.slice(0, 20)) console.error(`WRONG ${text.slice(0, 2000)}`);
  if (sum.wrong.length > 0) Deno.exitCode = 1;
}
