/**
 * Bodies larger than memory should be, in real processes. `deno test -A tests/faults/streams_test.ts
 * -- --full` takes the full sizes (1 GB down, 2 GB up), and 20 minutes.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { open, readUntil, write } from "../harness/raw_http.ts";
import { type Setup, setUp } from "../harness/setup.ts";
import { LARGE_CHUNK_BYTES, largeChunks } from "./payload.ts";
import { peakMiB, statsOf } from "./process_stats.ts";
import type { Report } from "./workload.ts";
import { WorkloadProcess } from "./workload_process.ts";

const MB = 1_000_000;
const isFull = Deno.args.includes("--full");
const DOWN = isFull
  ? { bytes: 1000 * MB, slowBytes: 1000 * MB, bytesPerSecond: MB }
  : { bytes: 200 * MB, slowBytes: 40 * MB, bytesPerSecond: 10 * MB };
const UP_BYTES = isFull ? 2000 * MB : 200 * MB;
/** Garbage between two collections, and one window; a body that is kept would be many times that. */
const GROWTH_BOUND_MIB = 150;

interface Flow extends AsyncDisposable {
  readonly setup: Setup;
  readonly workload: WorkloadProcess;
  /** Waits for what the workload says. */
  untilReport(type: Report["type"]): Promise<Report>;
}

async function start(): Promise<Flow> {
  await using stack = new AsyncDisposableStack();
  const setup = stack.use(await setUp(["--max-body-size", "4GiB"]));
  const waiting: ((report: Report) => void)[] = [];
  const workload = stack.use(
    await WorkloadProcess.start(setup.nats.url, (report) => {
      for (const onReport of waiting) onReport(report);
    }),
  );
  const all = stack.move();
  return {
    setup,
    workload,
    untilReport: (type) =>
      new Promise((resolve) =>
        waiting.push((report) => {
          if (report.type === type) resolve(report);
        })
      ),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

Deno.test("a stream to a slow client is whole, at flat memory everywhere", async () => {
  await using flow = await start();
  const before = await memoryOf(flow);
  const chunks = Math.floor(DOWN.bytes / LARGE_CHUNK_BYTES);
  const response = await fetch(`${flow.setup.gateway.url}/large?chunks=${chunks}`);
  const hash = createHash("sha256");
  const begun = performance.now();
  let length = 0;
  for await (const chunk of response.body!) {
    hash.update(chunk);
    length += chunk.length;
    if (length > DOWN.slowBytes) continue;
    const dueMs = length / DOWN.bytesPerSecond * 1000;
    const early = dueMs - (performance.now() - begun);
    if (early > 1) await pause(early);
  }
  assert.equal(length, chunks * LARGE_CHUNK_BYTES);
  assert.equal(hash.digest("hex"), hashOfChunks(chunks));
  await assertFlat(flow, { before, what: `${Math.round(length / MB)} MB down` });
});

Deno.test("a client that leaves stops its workload within a second", async () => {
  await using flow = await start();
  const { port } = flow.setup.gateway;
  const left = flow.untilReport("left");
  const client = await open(port);
  await write(client, "GET /large?chunks=100000 HTTP/1.1\r\nHost: e.com\r\n\r\n");
  await readUntil(client, (text) => text.length > 1_000_000);
  client.close();
  const begun = performance.now();
  await left;
  const elapsed = performance.now() - begun;
  console.log(`  the workload stopped after ${elapsed.toFixed(0)} ms`);
  assert.ok(elapsed < 1000, `${elapsed} ms`);
});

Deno.test("an upload is whole, at flat memory everywhere", async () => {
  await using flow = await start();
  const before = await memoryOf(flow);
  const chunks = Math.floor(UP_BYTES / LARGE_CHUNK_BYTES);
  using client = await open(flow.setup.gateway.port);
  const length = chunks * LARGE_CHUNK_BYTES;
  await write(client, `PUT /hash HTTP/1.1\r\nHost: e.com\r\nContent-Length: ${length}\r\n\r\n`);
  for (const chunk of largeChunks(chunks)) {
    for (let sent = 0; sent < chunk.length;) sent += await client.write(chunk.subarray(sent));
  }
  const hash = hashOfChunks(chunks);
  await readUntil(client, (text) => text.endsWith(hash));
  await assertFlat(flow, { before, what: `${Math.round(UP_BYTES / MB)} MB up` });
});

function processesOf({ setup, workload }: Flow): [name: string, pid: number][] {
  return [["gateway", setup.gateway.pid], ["workload", workload.pid], [
    "nats-server",
    setup.nats.pid,
  ]];
}

async function memoryOf(flow: Flow): Promise<Map<string, number>> {
  const memory = new Map<string, number>();
  for (const [name, pid] of processesOf(flow)) memory.set(name, (await statsOf(pid)).rssMiB);
  return memory;
}

async function assertFlat(
  flow: Flow,
  { before, what }: { before: ReadonlyMap<string, number>; what: string },
): Promise<void> {
  for (const [name, pid] of processesOf(flow)) {
    const peak = await peakMiB(pid);
    const growth = peak - before.get(name)!;
    console.log(`  ${what}: ${name} ${before.get(name)} MiB before, ${peak} MiB at most`);
    assert.ok(growth < GROWTH_BOUND_MIB, `${name} grew by ${growth} MiB`);
  }
}

function hashOfChunks(count: number): string {
  const hash = createHash("sha256");
  for (const chunk of largeChunks(count)) hash.update(chunk);
  return hash.digest("hex");
}
