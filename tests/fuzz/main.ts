/**
 * Fuzzes a gateway for longer: `deno task fuzz [--seed N] [--requests N] [--frames N] [--pairs N]`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { Random } from "../harness/random.ts";
import { checkPairs } from "../mapping/one_reading.ts";
import { fuzz } from "./fuzzer.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 100_000) },
    requests: { type: "string", default: "100000" },
    frames: { type: "string", default: "20000" },
    pairs: { type: "string", default: "1000000" },
  },
});
const [seed, requests, frames, pairs] = [
  ...[values.seed, values.requests, values.frames, values.pairs],
].map(Number);
if (![seed, requests, frames, pairs].every(Number.isSafeInteger)) {
  console.error("Cannot fuzz: expected whole numbers for --seed, --requests, --frames and --pairs");
  Deno.exit(2);
}
console.log(`fuzzing; the same bytes again: --seed ${seed}`);
checkPairs(new Random(seed!), pairs!);
console.log(`${pairs} pairs of requests with one subject, decided alike`);
const begun = performance.now();
const sum = await fuzz({
  ...{ seed: seed!, requests: requests!, frames: frames! },
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
    `${sum.messages} NATS messages; statuses ${statuses}; ${sum.unanswered} connections unanswered`,
);
for (const text of sum.wrong.slice(0, 20)) console.error(`WRONG ${text.slice(0, 2000)}`);
Deno.exitCode = sum.wrong.length === 0 ? 0 : 1;
