/**
 * Asks on, one GET after the other with a pause between them, and notes how long each took: in a thread of its
 * own, so that what its caller does is not measured.
 *
 * @module
 */

import { pause } from "../../lib/time/within.ts";
import { dial, get } from "../load/raw.ts";

/** What it was told: where, and how long it pauses. */
export interface ProbeOptions {
  readonly port: number;
  readonly pauseMs: number;
}

/** Asks until it is ended. */
class Probe {
  readonly #worker: Worker;

  constructor(options: ProbeOptions) {
    this.#worker = new Worker(import.meta.url, { type: "module", name: "probe" });
    this.#worker.postMessage(options);
  }

  /** Ends it; what each request took, in ms, from the fastest to the slowest; one that fails ends the program. */
  async end(): Promise<number[]> {
    const { promise, resolve } = Promise.withResolvers<number[]>();
    this.#worker.onmessage = ({ data }) => resolve(data);
    this.#worker.postMessage("end");
    const taken = await promise;
    this.#worker.terminate();
    return taken.toSorted((a, b) => a - b);
  }
}

/** What requests take while something happens, in ms. */
export async function probe(
  options: ProbeOptions,
  task: () => Promise<void>,
): Promise<{ p50: number; p99: number; max: number }> {
  const probe = new Probe(options);
  await task();
  const taken = await probe.end();
  const at = (share: number) =>
    taken[Math.min(taken.length - 1, Math.floor(taken.length * share))]!;
  return { p50: at(0.5), p99: at(0.99), max: taken.at(-1)! };
}

async function ask({ port, pauseMs }: ProbeOptions, isOver: () => boolean): Promise<number[]> {
  const taken: number[] = [];
  using conn = await dial(port);
  while (!isOver()) {
    const begun = performance.now();
    await get(conn, "/api/v1/small");
    taken.push(performance.now() - begun);
    await pause(pauseMs);
  }
  return taken;
}

const scope = globalThis as unknown as Pick<Worker, "onmessage" | "postMessage"> & { name: string };
if (scope.name === "probe") {
  let isOver = false;
  scope.onmessage = async ({ data }: MessageEvent<ProbeOptions | "end">) => {
    if (data === "end") isOver = true;
    else scope.postMessage(await ask(data, () => isOver));
  };
}
