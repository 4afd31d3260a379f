/**
 * What the system says of a process; only on Linux.
 *
 * @module
 */

/** Memory and file descriptors of a process. */
export interface ProcessStats {
  /** Resident memory, in MiB. */
  readonly rssMiB: number;
  /** Open file descriptors. */
  readonly fds: number;
  /** Besides those, where that is known: what the runtime will never close. */
  readonly lost?: number;
}

/**
 * Reads them.
 *
 * @param pid Of a process that runs.
 * @returns What it holds now.
 */
export async function statsOf(pid: number): Promise<ProcessStats> {
  return { rssMiB: await memoryOf(pid, "VmRSS"), fds: await countFds(pid) };
}

/**
 * Reads the most memory that a process has ever held.
 *
 * @param pid Of a process that runs.
 * @returns MiB.
 */
export function peakMiB(pid: number): Promise<number> {
  return memoryOf(pid, "VmHWM");
}

async function memoryOf(pid: number, field: "VmRSS" | "VmHWM"): Promise<number> {
  const status = await Deno.readTextFile(`/proc/${pid}/status`);
  const kib = new RegExp(`^${field}:\\s+(\\d+) kB`, "m").exec(status)?.[1];
  if (kib === undefined) throw new Error(`Cannot measure process ${pid}: it has no ${field}`);
  return Math.round(Number(kib) / 102.4) / 10;
}

async function countFds(pid: number): Promise<number> {
  let count = 0;
  for await (const _entry of Deno.readDir(`/proc/${pid}/fd`)) count++;
  return count;
}
