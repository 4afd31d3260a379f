/**
 * Processes, and what the operating system says that they cost.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { killNow } from "../tests/harness/kill.ts";

/** A clock tick of `/proc`: USER_HZ is 100 on every Linux of today. */
const TICK_NANOS = 10_000_000;
const READY_TIMEOUT_MS = 20_000;
/** Files that a process needs besides its sockets. */
const SPARE_FILES = 100;

/** A measurement that cannot be had; the message says why. */
export class Unmeasurable extends Error {
  /** Always `"Unmeasurable"`. */
  override readonly name = "Unmeasurable";
}

/** A process that runs until it is disposed of. */
export class Child implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncIterator<string>;

  /**
   * Starts it.
   *
   * @param command The program.
   * @param args Its arguments.
   * @param options `output`: which of its outputs {@link Child.nextLine} reads; `input`: what it reads.
   */
  constructor(
    command: string,
    args: readonly string[],
    { output = "stdout", input }: { output?: "stdout" | "stderr"; input?: string | undefined } = {},
  ) {
    const [stdout, stderr] = output === "stdout" ? ["piped", "inherit"] : ["null", "piped"];
    this.#process = new Deno.Command(command, {
      args: [...args],
      stdin: input === undefined ? "null" : "piped",
      stdout: stdout as "piped" | "null",
      stderr: stderr as "piped" | "inherit",
    }).spawn();
    if (input !== undefined) new Response(input).body?.pipeTo(this.#process.stdin).catch(() => {});
    const lines = createInterface({ input: Readable.from(this.#process[output]) });
    this.#lines = lines[Symbol.asyncIterator]();
  }

  /** The process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves when it has ended. */
  get ended(): Promise<Deno.CommandStatus> {
    return this.#process.status;
  }

  /**
   * Waits for the next line that it prints.
   *
   * @param isWanted Others are skipped.
   * @returns The line.
   * @throws {Unmeasurable} when it ends without one.
   */
  async nextLine(isWanted: (line: string) => boolean = () => true): Promise<string> {
    const last: string[] = [];
    const timer = setTimeout(() => killNow(this.#process), READY_TIMEOUT_MS * 6);
    try {
      for (;;) {
        const { done, value } = await this.#lines.next();
        if (done) throw new Unmeasurable(`a process ended early: ${last.slice(-5).join(" | ")}`);
        if (isWanted(value)) return value;
        last.push(value);
      }
    } finally {
      clearTimeout(timer);
    }
  }

  /** Reads on, so that a full pipe does not stop it. */
  async ignoreOutput(): Promise<void> {
    for (;;) if ((await this.#lines.next()).done) return;
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    killNow(this.#process);
    await this.#process.status;
    await this.ignoreOutput();
  }
}

/** The processor time of a process, from now on. */
export class CpuMeter {
  readonly #pid: number;
  readonly #begin: number;

  /**
   * @param pid The process.
   */
  constructor(pid: number) {
    this.#pid = pid;
    this.#begin = readCpuNanos(pid);
  }

  /**
   * How much it has used.
   *
   * @returns User and system time of all its threads, in microseconds.
   * @throws {Unmeasurable} when it is too little to be seen.
   */
  micros(): number {
    const nanos = readCpuNanos(this.#pid) - this.#begin;
    if (nanos <= 0) throw new Unmeasurable("the load was too short for its cost to be seen");
    return nanos / 1000;
  }
}

/** The scheduler's own account, to the nanosecond; without it the clock ticks. */
function readCpuNanos(pid: number): number {
  try {
    let nanos = 0;
    for (const { name } of Deno.readDirSync(`/proc/${pid}/task`)) {
      const schedstat = Deno.readTextFileSync(`/proc/${pid}/task/${name}/schedstat`);
      nanos += Number(schedstat.split(" ", 1)[0]);
    }
    return nanos;
  } catch {
    const stat = Deno.readTextFileSync(`/proc/${pid}/stat`);
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return (Number(fields[11]) + Number(fields[12])) * TICK_NANOS;
  }
}

/**
 * What a process holds in memory.
 *
 * @param pid The process.
 * @returns `rss`: now, `peak`: the most since {@link resetPeak}; in bytes.
 */
export function memoryOf(pid: number): { rss: number; peak: number } {
  const status = Deno.readTextFileSync(`/proc/${pid}/status`);
  const read = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? Number.NaN) * 1024;
  return { rss: read("VmRSS"), peak: read("VmHWM") };
}

/**
 * Begins to count the peak anew.
 *
 * @param pid The process.
 */
export function resetPeak(pid: number): void {
  Deno.writeTextFileSync(`/proc/${pid}/clear_refs`, "5");
}

/**
 * Says how many sockets this process may have, and its children as well: each is an open file.
 */
export function maxSockets(): number {
  const limits = Deno.readTextFileSync("/proc/self/limits");
  return Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1] ?? 1024) - SPARE_FILES;
}

/**
 * Runs a program to its end.
 *
 * @param command The program.
 * @param args Its arguments.
 * @returns Its standard output; undefined when it is not there or fails.
 */
export async function run(command: string, args: readonly string[]): Promise<string | undefined> {
  try {
    const output = await new Deno.Command(command, {
      args: [...args],
      stdin: "null",
      stderr: "null",
    }).output();
    return output.success ? new TextDecoder().decode(output.stdout) : undefined;
  } catch {
    return undefined;
  }
}
