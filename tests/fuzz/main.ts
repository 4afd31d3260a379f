/**
 * Fuzzes a gateway for longer: `deno task fuzz [--seed N] [--requests N] [--frames N]`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { fuzz } from "./fuzzer.ts";

const { values } = parseArgs({
  options: {
    seed: { type: "string", default: String(Date.now() % 100_000) },
    requests: { type: "string", default: "100000" },
    frames: { type: "string", default: "20000" },
  },
});
const [seed, requests, frames] = [values.seed, values.requests, values.frames].map(Number);
if (![seed, requests, frames].every(Number.isSafeInteger)) {
  console.error("Cannot fuzz: expected whole numbers for --seed, --requests and --frames");
  Deno.exit(2);
}
console.log(`fuzzing; the same bytes again: --seed ${seed}`);
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
