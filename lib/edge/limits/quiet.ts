/**
 * Notices that nothing comes: then what was asked for takes its time, and is not on its way.
 *
 * @module
 */
import type { Clock } from "../../time/clock.ts";

/** For so long. */
const QUIET_MS = 100;
/** Where this process itself got no turn, what has come has not been seen yet. */
const LATE_MS = 10;
/** So often in a row that counts; for ever, and who waits would wait for ever. */
const MOST_LATE = 4;

/** Looks from time to time, as long as somebody wants to know. */
export class Quiet {
  readonly #clock: Clock;
  readonly #onLook: (quietLooks: number) => void;
  #moves = false;
  #quietLooks = 0;
  #lateLooks = 0;
  #dueAt = 0;
  #endTimer: (() => void) | undefined;

  /** @param onLook Told at how many looks in a row nothing had come; 0 where something had. */
  constructor(clock: Clock, onLook: (quietLooks: number) => void) {
    this.#clock = clock;
    this.#onLook = onLook;
  }

  /** Something came, or was taken. */
  break(): void {
    this.#moves = true;
  }

  /** Looks once, a while later. */
  watch(): void {
    if (this.#endTimer !== undefined) return;
    this.#dueAt = this.#clock.now() + QUIET_MS;
    this.#endTimer = this.#clock.after(QUIET_MS, this.#look);
  }

  /** Nobody wants to know any more. */
  stop(): void {
    this.#endTimer?.();
    this.#endTimer = undefined;
    this.#quietLooks = 0;
  }

  readonly #look = (): void => {
    this.#endTimer = undefined;
    const isLate = this.#clock.now() - this.#dueAt > LATE_MS && this.#lateLooks < MOST_LATE;
    this.#lateLooks = isLate ? this.#lateLooks + 1 : 0;
    this.#quietLooks = this.#moves || isLate ? 0 : this.#quietLooks + 1;
    this.#moves = false;
    this.#onLook(this.#quietLooks);
  };
}
