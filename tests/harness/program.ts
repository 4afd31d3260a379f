/**
 * The real program in its own process, with the net permission and no other.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import { killNow } from "./kill.ts";
import { within } from "./waiting.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** One line of the program's JSON log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A process that runs until it is disposed of. */
export class Program implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly #isPrinting: boolean;
  readonly #waiting = new Set<() => void>();

  /** What it has logged so far. */
  readonly lines: LogLine[] = [];
  /** What it printed besides its log, e.g. a complaint of the runtime. */
  readonly noise: string[] = [];

  /**
   * Starts it.
   *
   * @param args Besides the format of the log.
   * @param stdin What is piped into it, e.g. for `--config -`.
   */
  constructor(args: readonly string[], stdin?: string) {
    this.#isPrinting = args.includes("--access-log");
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--allow-net", "--config", CONFIG, MAIN],
        ...[...args, "--log-format", "json"],
      ],
      stdin: stdin === undefined ? "null" : "piped",
      stdout: this.#isPrinting ? "piped" : "null",
      stderr: "piped",
    }).spawn();
    if (stdin !== undefined) void new Response(stdin).body?.pipeTo(this.#process.stdin);
    this.#reading = this.#read();
  }

  /** The process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves when the process has ended and all that it printed has been read. */
  get ended(): Promise<Deno.CommandStatus> {
    const ended = this.#reading.then(() => this.#process.status);
    return within(ended, () => `the end of the program:\n${this.#said}`);
  }

  /**
   * Waits for a line of the log, one that is there already included.
   *
   * @param message Its message, or a pattern of it.
   * @param nth Which of those with this message, from 1.
   * @returns The line.
   * @throws {Error} with the log, when the process ends without it, or it takes too long.
   */
  async logged(message: string | RegExp, nth = 1): Promise<LogLine> {
    const isMeant = (line: LogLine) =>
      typeof message === "string" ? line.message === message : message.test(line.message);
    const find = () => this.lines.filter(isMeant)[nth - 1];
    const { promise, resolve } = Promise.withResolvers<LogLine | undefined>();
    const onLine = () => {
      const line = find();
      if (line !== undefined) resolve(line);
    };
    onLine();
    this.#waiting.add(onLine);
    void this.#reading.then(() => resolve(undefined));
    const line = await within(promise, () => `the log to say ${message}:\n${this.#said}`);
    this.#waiting.delete(onLine);
    if (line !== undefined) return line;
    throw new Error(`The program ended without logging ${message}:\n${this.#said}`);
  }

  /**
   * Reads what it prints; needs `--access-log` among its flags.
   *
   * @returns Line by line; it fails when one takes too long.
   */
  printed(): AsyncIterator<string> {
    const input = Readable.from(this.#process.stdout);
    const lines = createInterface({ input })[Symbol.asyncIterator]();
    const next = () =>
      within(lines.next(), () => `a line of the program, which says:\n${this.#said}`);
    return { next };
  }

  /**
   * Sends a signal.
   *
   * @param signal E.g. `"SIGTERM"`.
   */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  get #said(): string {
    return [...this.lines.map((line) => JSON.stringify(line)), ...this.noise].join("\n");
  }

  /** Ends the process at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    killNow(this.#process);
    await this.ended;
    if (this.#isPrinting && !this.#process.stdout.locked) await this.#process.stdout.cancel();
  }

  async #read(): Promise<void> {
    for await (const text of createInterface({ input: Readable.from(this.#process.stderr) })) {
      if (!text.startsWith("{")) {
        this.noise.push(text);
        continue;
      }
      const line: LogLine = JSON.parse(text);
      this.lines.push(line);
      for (const onLine of this.#waiting) onLine();
    }
  }
}

/** What a program that has ended leaves. */
export interface Ending {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Runs the program to its end, for what prints something and stops.
 *
 * @param args The command line.
 * @param options `stdin`: what is piped into it; `permissions`: the net's alone by default.
 * @returns What it leaves.
 */
export async function runMain(
  args: readonly string[],
  { stdin, permissions = ["--allow-net"] }: { stdin?: string; permissions?: readonly string[] } =
    {},
): Promise<Ending> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "--no-prompt", ...permissions, "--config", CONFIG, MAIN, ...args],
    env: { NO_COLOR: "1" },
    stdin: stdin === undefined ? "null" : "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  if (stdin !== undefined) await new Response(stdin).body?.pipeTo(process.stdin);
  const { code, stdout, stderr } = await process.output();
  const decoder = new TextDecoder();
  return { code, stdout: decoder.decode(stdout), stderr: decoder.decode(stderr) };
}
