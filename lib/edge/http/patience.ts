/**
 * How long a client is waited for that sends its body.
 *
 * @module
 */
import type { Deadline, Deadlines } from "../limits/deadlines.ts";

/**
 * What a client has to send to be waited for any longer, in bytes a second: less than any line that is in
 * use, and more than one byte now and then.
 */
const SLOWEST_BYTES_PER_SECOND = 8192;

/**
 * What is left of the time that one client may keep us waiting. It is used up while we wait, and comes back
 * with what it sends; so neither a pause nor a trickle lasts for ever, and a slow line is no fault.
 */
export class Patience {
  readonly #mostMs: number;
  readonly #now: () => number;
  readonly #deadline: Deadline;
  #leftMs: number;
  #begin = 0;
  #onLate: (() => void) | undefined;

  constructor(mostMs: number, deadlines: Deadlines, now = () => performance.now()) {
    this.#mostMs = this.#leftMs = mostMs;
    this.#now = now;
    this.#deadline = deadlines.create(() => this.#onLate?.());
  }

  /**
   * Begins to wait for some of the body.
   *
   * @param onLate Called when the client takes too long.
   * @param bytes How many are waited for at once; 0 where that shows in the end only.
   */
  start(onLate: () => void, bytes = 0): void {
    this.#onLate = onLate;
    this.#begin = this.#now();
    this.#deadline.start(this.#leftMs + toMs(bytes));
  }

  /** The client has sent some. */
  stop(bytes: number): void {
    this.#deadline.stop();
    const leftMs = this.#leftMs - (this.#now() - this.#begin);
    this.#leftMs = Math.min(this.#mostMs, leftMs + toMs(bytes));
  }
}

function toMs(bytes: number): number {
  return bytes / SLOWEST_BYTES_PER_SECOND * 1000;
}
