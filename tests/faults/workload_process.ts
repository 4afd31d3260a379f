/**
 * The workload in its own process.
 *
 * @module
 */
import { killNow } from "../harness/kill.ts";
import { within } from "../harness/waiting.ts";
import { createInterface } from "node:readline";
import { Readable } from "node:stream";
import type { Report } from "./workload.ts";

const PROGRAM = new URL("./workload.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** A workload that runs until it is disposed of. */
export class WorkloadProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #reading: Promise<void>;
  readonly #ready = Promise.withResolvers<void>();

  private constructor(natsUrl: string, onReport: (report: Report) => void) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-net", "--config", CONFIG, PROGRAM, natsUrl],
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#reading = this.#read(onReport);
  }

  /**
   * Starts it and waits until it serves.
   *
   * @param natsUrl Where NATS is.
   * @param onReport Told of what it says.
   * @returns The running workload.
   */
  static async start(
    natsUrl: string,
    onReport: (report: Report) => void,
  ): Promise<WorkloadProcess> {
    const workload = new WorkloadProcess(natsUrl, onReport);
    await within(workload.#ready.promise, "the workload");
    return workload;
  }

  /** The process id. */
  get pid(): number {
    return this.#process.pid;
  }

  /** Ends it at once, without a word to anybody. */
  async [Symbol.asyncDispose](): Promise<void> {
    killNow(this.#process);
    await this.#process.status;
    await this.#reading;
  }

  async #read(onReport: (report: Report) => void): Promise<void> {
    for await (const line of createInterface({ input: Readable.from(this.#process.stdout) })) {
      const report: Report = JSON.parse(line);
      if (report.type === "ready") this.#ready.resolve();
      else onReport(report);
    }
    this.#ready.reject(new Error("The workload ended before it served"));
    this.#ready.promise.catch(() => {});
  }
}
