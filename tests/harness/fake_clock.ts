/**
 * Time that passes when a test says so.
 *
 * @module
 */

interface Timer {
  readonly dueAt: number;
  readonly callback: () => void;
}

/** A clock of the workload library. */
export class FakeClock {
  readonly #timers = new Set<Timer>();
  #now = 0;

  /** The time, in milliseconds since the clock was made. */
  now(): number {
    return this.#now;
  }

  /** Calls back once; returns what takes it back. */
  after(delayMs: number, callback: () => void): () => void {
    const timer = { dueAt: this.#now + delayMs, callback };
    this.#timers.add(timer);
    return () => this.#timers.delete(timer);
  }

  /**
   * Lets time pass; whatever falls due is called in order.
   *
   * @param ms How much.
   */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const [next] = [...this.#timers].sort((a, b) => a.dueAt - b.dueAt);
      if (next === undefined || next.dueAt > end) break;
      this.#timers.delete(next);
      this.#now = Math.max(this.#now, next.dueAt);
      next.callback();
    }
    this.#now = end;
  }

  /** How many timers wait: none should, when everything has been ended. */
  get waiting(): number {
    return this.#timers.size;
  }
}
