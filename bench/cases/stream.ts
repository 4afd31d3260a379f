/**
 * Bodies of 100 MB with credit, and what a slow client costs.
 *
 * @module
 */
import type { Case, Sample, World } from "../case.ts";
import { download, upload } from "../load/raw.ts";
import { CpuMeter, memoryOf, resetPeak } from "../process.ts";
import type { Target } from "../targets.ts";

const HOST = "stream.example.com";
const MEGABYTE = 1_000_000;
const MEBIBYTE = 1024 * 1024;
/** How fast the slow client reads. */
const SLOW_BYTES_PER_SECOND = 5 * MEGABYTE;

/** Down, up, and slowly down. */
export const streamCases: readonly Case[] = [
  {
    name: "download",
    title: "download of 100 MB through a stream",
    measure: (target, world) =>
      transfer(target, world, async (bytes) => {
        await download(target.port, { path: `/download?bytes=${bytes}`, host: HOST });
      }),
  },
  {
    name: "upload",
    title: "upload of 100 MB through a stream",
    flags: ["--max-body-size", "1GiB"],
    measure: (target, world) =>
      transfer(target, world, async (bytes) => {
        await upload(target.port, { path: "/upload", host: HOST, bytes });
      }),
  },
  {
    name: "slow-client",
    title: "download by a client that reads 5 MB/s",
    maxRuns: 2,
    measure: readSlowly,
  },
];

async function transfer(
  target: Target,
  { effort, pids }: World,
  move: (bytes: number) => Promise<void>,
): Promise<Sample> {
  const bytes = Math.ceil(100 * MEGABYTE * effort.scale / MEBIBYTE) * MEBIBYTE;
  await move(bytes);
  resetPeak(target.pid);
  const { rss } = memoryOf(target.pid);
  const cpu = new CpuMeter(target.pid);
  // A bare server has no need of them.
  const others = target.kind === "bare" ? [] : Object.entries(pids);
  const meters = others.map(([name, pid]) => [name, new CpuMeter(pid)] as const);
  const begun = performance.now();
  await move(bytes);
  const seconds = (performance.now() - begun) / 1000;
  const perMegabyte = (meter: CpuMeter) => meter.micros() / (bytes / MEGABYTE);
  return {
    "cpu µs/MB": perMegabyte(cpu),
    ...Object.fromEntries(
      meters.map(([name, meter]) => [`${name}, cpu µs/MB`, perMegabyte(meter)]),
    ),
    "MB/s": bytes / MEGABYTE / seconds,
    "peak growth MiB": (memoryOf(target.pid).peak - rss) / MEBIBYTE,
  };
}

async function readSlowly(target: Target, { effort }: World): Promise<Sample> {
  await download(target.port, { path: `/download?bytes=${MEBIBYTE}`, host: HOST });
  resetPeak(target.pid);
  const { rss } = memoryOf(target.pid);
  await download(target.port, {
    path: `/download?bytes=${1024 * MEBIBYTE}`,
    host: HOST,
    bytesPerSecond: SLOW_BYTES_PER_SECOND,
    maxBytes: SLOW_BYTES_PER_SECOND * 4 * effort.scale,
  });
  return { "peak growth MiB": (memoryOf(target.pid).peak - rss) / MEBIBYTE };
}
