/**
 * Many small tasks, a few at a time.
 *
 * @module
 */

/** Runs tasks in order; no more than a fixed number at once. */
export class Semaphore {
  readonly #width: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  /**
   * @param width How many at once.
   */
  constructor(width: number) {
    this.#width = width;
  }

  /**
   * Runs a task when there is room.
   *
   * @param task Begun at once where there is.
   */
  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#width) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else this.#running++;
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
