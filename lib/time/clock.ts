/**
 * Time, so that tests can make it pass.
 *
 * @module
 */

/** What tells the time and waits. */
export interface Clock {
  /**
   * The time.
   *
   * @returns Milliseconds since any fixed moment; never goes back.
   */
  now(): number;
  /**
   * Calls back once.
   *
   * @param delayMs When, from now, in milliseconds.
   * @param callback What to do then; nobody waits for it.
   */
  after(delayMs: number, callback: () => void | Promise<void>): () => void;
}

/**
 * The time of the machine.
 *
 * @returns A clock that starts when the process does.
 */
export function systemClock(): Clock {
  return {
    now: () => performance.now(),
    after: (delayMs, callback) => {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
  };
}

/** A clock whose callbacks end nothing but themselves, whatever they throw, at once or later. */
export function guarded(clock: Clock, onThrown: (error: unknown) => void): Clock {
  return {
    now: () => clock.now(),
    after: (delayMs, callback) =>
      clock.after(delayMs, async () => {
        try {
          await callback();
        } catch (error) {
          onThrown(error);
        }
      }),
  };
}

/**
 * Calls back again and again.
 *
 * @param intervalMs Between two calls, in milliseconds; the first one comes after as many.
 */
export function repeat(clock: Clock, intervalMs: number, callback: () => void): () => void {
  let cancel = clock.after(intervalMs, tick);
  function tick(): void {
    cancel = clock.after(intervalMs, tick);
    callback();
  }
  return () => cancel();
}
