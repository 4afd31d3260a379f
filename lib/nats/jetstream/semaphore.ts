/**
 * Many small tasks, a few at a time.
 *
 * @module
 */

/** Runs tasks in order; no more than a fixed number at once. */
export class Semaphore {
  readonly #width: number;
  #running = 0;
  /** Begun from the end: `shift()` moves the whole of a long array. */
  #next: (() => void)[] = [];
  /** Those behind them, the latest at the end. */
  #later: (() => void)[] = [];

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
      await new Promise<void>((resolve) => this.#later.push(resolve));
    } else this.#running++;
    try {
      return await task();
    } finally {
      const begin = this.#takeNext();
      if (begin === undefined) this.#running--;
      else begin();
    }
  }

  #takeNext(): (() => void) | undefined {
    if (this.#next.length === 0) {
      this.#next = this.#later.reverse();
      this.#later = [];
    }
    return this.#next.pop();
  }
}
