/**
 * The worker in a process of its own, with the net permission and no other.
 *
 * @module
 */
import { createInterface } from "node:readline";
import { Readable } from "node:stream";

const WORKER = new URL("./worker.ts", import.meta.url).pathname;
const CONFIG = new URL("../../deno.json", import.meta.url).pathname;

/** A worker that runs until it is disposed of. */
export class WorkerProcess implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;

  private constructor(natsUrl: string, prefix: string) {
    this.#process = new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--allow-net", "--config", CONFIG, WORKER, natsUrl, prefix],
      stdin: "null",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
  }

  /**
   * Starts a worker and waits until it works.
   *
   * @param natsUrl Where NATS is.
   * @param prefix The first tokens of every subject, as the gateway has them.
   * @returns The running worker.
   * @throws {Error} when it ends instead; it has said why on the standard error.
   */
  static async start(natsUrl: string, prefix: string): Promise<WorkerProcess> {
    const worker = new WorkerProcess(natsUrl, prefix);
    const output = Readable.from(worker.#process.stdout);
    for await (const line of createInterface({ input: output })) {
      if (line.startsWith("rooms: at work")) return worker;
    }
    throw new Error("Cannot start the worker: it has ended, see its message above");
  }

  /** Ends it at once, in the middle of whatever it does. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  /** Lets it finish what it has begun. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#end("SIGTERM");
  }

  async #end(signal: Deno.Signal): Promise<void> {
    try {
      this.#process.kill(signal);
    } catch {
      // It has ended already.
    }
    await this.#process.status;
  }
}
