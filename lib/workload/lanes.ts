/**
 * Tasks of one key one after another, those of different keys side by side.
 *
 * @module
 */

/** Something to do in its turn. It must not reject. */
export type LaneTask = () => Promise<void>;

interface Lane {
  readonly tasks: { readonly task: LaneTask; readonly bytes: number }[];
  bytes: number;
}

/** The lanes that have something to do; the others take no memory. */
export class Lanes {
  readonly #maxBytes: number;
  readonly #lanes = new Map<string, Lane>();
  #onIdle: (() => void)[] = [];

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /**
   * Appends a task to a lane.
   *
   * @param task What to do, after all that was appended before.
   * @param bytes What it holds while it waits; 0 for what must not be refused.
   * @returns False when the lane is full; the task will not run.
   */
  add(key: string, task: LaneTask, bytes = 0): boolean {
    let lane = this.#lanes.get(key);
    if (lane === undefined) {
      lane = { tasks: [], bytes: 0 };
      this.#lanes.set(key, lane);
      lane.tasks.push({ task, bytes });
      lane.bytes = bytes;
      void this.#work(key, lane);
      return true;
    }
    if (bytes > 0 && lane.bytes + bytes > this.#maxBytes) return false;
    lane.tasks.push({ task, bytes });
    lane.bytes += bytes;
    return true;
  }

  /** Resolves when no lane has anything to do. */
  idle(): Promise<void> {
    if (this.#lanes.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onIdle.push(resolve));
  }

  async #work(key: string, lane: Lane): Promise<void> {
    for (let next = lane.tasks.shift(); next !== undefined; next = lane.tasks.shift()) {
      await next.task();
      lane.bytes -= next.bytes;
    }
    this.#lanes.delete(key);
    if (this.#lanes.size > 0) return;
    const listeners = this.#onIdle;
    this.#onIdle = [];
    for (const listener of listeners) listener();
  }
}
