/**
 * How many tasks run at a time, and how many wait.
 *
 * @module
 */

/** Something to do, once there is room. It must not reject. */
export type Task = () => Promise<void>;

/** Runs tasks in the order in which they came, so many at a time. */
export class Limiter {
  readonly #concurrency: number;
  readonly #maxWaiting: number;
  readonly #waiting: Task[] = [];
  #running = 0;

  /**
   * @param limits `concurrency`: tasks that run at a time; `maxWaiting`: tasks that wait.
   */
  constructor({ concurrency, maxWaiting }: { concurrency: number; maxWaiting: number }) {
    this.#concurrency = concurrency;
    this.#maxWaiting = maxWaiting;
  }

  /**
   * Runs a task now or later.
   *
   * @returns False when too many wait; the task will not run.
   */
  add(task: Task): boolean {
    if (this.#running < this.#concurrency) {
      this.#running++;
      void this.#work(task);
      return true;
    }
    if (this.#waiting.length >= this.#maxWaiting) return false;
    this.#waiting.push(task);
    return true;
  }

  async #work(first: Task): Promise<void> {
    for (let task: Task | undefined = first; task !== undefined; task = this.#waiting.shift()) {
      await task();
    }
    this.#running--;
  }
}
