/**
 * What may last only so long, looked at by one timer for all: a timer each costs more than most of what is
 * waited for.
 *
 * @module
 */
import { Crowd, type Seated } from "../../crowd.ts";
import type { Clock } from "../../time/clock.ts";
import type { OnFault } from "../../telemetry/faults.ts";

/** How often is looked, in milliseconds: what a deadline may be late by. */
const SWEEP_MS = 250;

/** One deadline. */
export class Deadline implements Seated, Disposable {
  readonly #all: Deadlines;
  readonly onPassed: () => void;
  at = 0;
  seat: number | undefined;

  constructor(all: Deadlines, onPassed: () => void) {
    this.#all = all;
    this.onPassed = onPassed;
  }

  /** Begins to wait, or begins again. */
  start(ms: number): void {
    this.#all.start(this, ms);
  }

  /** Waits no longer. */
  stop(): void {
    this.#all.stop(this);
  }

  [Symbol.dispose](): void {
    this.stop();
  }
}

/** All deadlines of the edge. */
export class Deadlines implements Disposable {
  readonly #clock: Clock;
  readonly #onFault: OnFault;
  readonly #running = new Crowd<Deadline>();
  #endTimer: (() => void) | undefined;
  #isEnded = false;

  constructor(clock: Clock, onFault: OnFault) {
    this.#clock = clock;
    this.#onFault = onFault;
  }

  /**
   * Makes one, which does not wait yet.
   *
   * @param onPassed Called once each time that it has passed.
   */
  create(onPassed: () => void): Deadline {
    return new Deadline(this, onPassed);
  }

  /** For {@link Deadline.start}. */
  start(deadline: Deadline, ms: number): void {
    deadline.at = this.#clock.now() + ms;
    this.#running.add(deadline);
    if (!this.#isEnded) this.#endTimer ??= this.#clock.after(SWEEP_MS, this.#sweep);
  }

  /** For {@link Deadline.stop}. */
  stop(deadline: Deadline): void {
    this.#running.delete(deadline);
  }

  /** Ends the timer; nothing passes any more. */
  [Symbol.dispose](): void {
    this.#isEnded = true;
    this.#endTimer?.();
    this.#running.clear();
  }

  readonly #sweep = (): void => {
    this.#endTimer = this.#running.size > 0 ? this.#clock.after(SWEEP_MS, this.#sweep) : undefined;
    const now = this.#clock.now();
    for (const deadline of this.#running) {
      if (deadline.at > now) continue;
      this.#running.delete(deadline);
      this.#pass(deadline);
    }
  };

  #pass({ onPassed }: Deadline): void {
    try {
      onPassed();
    } catch (error) {
      this.#onFault("timer", error);
    }
  }
}
