/**
 * The real program in its own process, with the net permission and no other.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** One line of the gateway's JSON log. */
export interface LogLine {
  readonly level: string;
  readonly message: string;
  readonly [field: string]: unknown;
}

/** A gateway process that runs until it is disposed of. */
export class GatewayProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly #waiting = new Set<
    { test: (line: LogLine) => boolean; resolve: (line: LogLine) => void }
  >();

  /** What it has logged so far. */
  readonly lines: LogLine[] = [];
  /** What it printed besides its log, e.g. a complaint of the runtime. */
  readonly noise: string[] = [];
  /** Where clients come in, on 127.0.0.1. */
  port = 0;
  /** Where health and metrics are, on 127.0.0.1. */
  adminPort = 0;

  private constructor(flags: readonly string[]) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-prompt", "--allow-net", "--config", CONFIG, MAIN, "--log-format", "json"],
        ...["--listen", "127.0.0.1:0", "--admin", "127.0.0.1:0", ...flags],
      ],
      stdout: "null",
      stderr: "piped",
    }).spawn();
    this.#reading = this.#read();
  }

  /**
   * Starts the program and waits until it listens.
   *
   * @param flags Besides the addresses and the log format.
   * @param options `connected`: also wait for NATS.
   * @returns The running gateway.
   */
  static async start(
    flags: readonly string[],
    { connected = true }: { connected?: boolean } = {},
  ): Promise<GatewayProcess> {
    const gateway = new GatewayProcess(flags);
    const { address, admin } = await gateway.logged("listening");
    gateway.port = Number(String(address).split(":")[1]);
    gateway.adminPort = Number(String(admin).split(":")[1]);
    if (connected) await gateway.logged("nats connected");
    return gateway;
  }

  /** The process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Resolves when the process has ended and all that it printed has been read. */
  get ended(): Promise<Deno.CommandStatus> {
    return this.#reading.then(() => this.#process.status);
  }

  /** `http://127.0.0.1:<port>`. */
  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /**
   * Waits for a line of the log, one that is there already included.
   *
   * @param message Its message.
   * @returns The line.
   * @throws {Error} with the log, when the process ends without it.
   */
  async logged(message: string): Promise<LogLine> {
    const test = (line: LogLine) => line.message === message;
    const { promise, resolve } = Promise.withResolvers<LogLine>();
    const there = this.lines.find(test);
    if (there !== undefined) return there;
    const waiting = { test, resolve };
    this.#waiting.add(waiting);
    const line = await Promise.race([promise, this.#reading]);
    this.#waiting.delete(waiting);
    if (line !== undefined) return line;
    const all = [...this.lines.map((line) => JSON.stringify(line)), ...this.noise].join("\n");
    throw new Error(`The gateway ended without logging ${JSON.stringify(message)}:\n${all}`);
  }

  /**
   * Sends a signal.
   *
   * @param signal E.g. `"SIGTERM"`.
   */
  kill(signal: Deno.Signal): void {
    this.#process.kill(signal);
  }

  /**
   * Asks the admin address.
   *
   * @param path E.g. `"/readyz"`.
   * @returns Status and text.
   */
  async admin(path: string): Promise<{ status: number; text: string }> {
    const response = await fetch(`http://127.0.0.1:${this.adminPort}${path}`);
    return { status: response.status, text: await response.text() };
  }

  /**
   * Reads one value of the metrics.
   *
   * @param series Name and labels, as written in Prometheus's text format.
   * @returns The value; 0 where there is none yet.
   */
  async metric(series: string): Promise<number> {
    const { text } = await this.admin("/metrics");
    const line = text.split("\n").find((line) => line.startsWith(`${series} `));
    return Number(line?.slice(series.length + 1) ?? 0);
  }

  /** Ends the process at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended already.
    }
    await this.#process.status;
    await this.#reading;
  }

  async #read(): Promise<void> {
    for await (const text of createInterface({ input: Readable.from(this.#process.stderr) })) {
      if (!text.startsWith("{")) {
        this.noise.push(text);
        continue;
      }
      const line: LogLine = JSON.parse(text);
      this.lines.push(line);
      for (const { test, resolve } of this.#waiting) if (test(line)) resolve(line);
    }
  }
}
