/**
 * How many requests are on their way at once of whose replies it is not known that they are small, whatever
 * their subjects: a file each, for example.
 *
 * It works as TCP does on a line of unknown width: it begins with what fits if every reply is as large as NATS
 * allows, lets one more go for each that is small, and only what fits after one that is large.
 *
 * @module
 */
import type { Clock } from "../../time/clock.ts";
import { Quiet } from "./quiet.ts";

/** Replies of less are no danger. */
const LARGE_BYTES = 64 * 1024;

/** How much may be under way, asked for when it matters. */
export interface ReplyBounds {
  /** Of all replies, in bytes. */
  readonly total: () => number;
  /** Of one, in bytes: what NATS allows. */
  readonly largest: () => number;
}

/** A request that may have to wait. */
export interface Runner {
  /** The gate's; 0 for one that has not gone through it. */
  ticket: number;
  /** It may go now. Does not throw. */
  start(): void;
}

/** Whether so many bytes are to be counted. */
export function isLarge(bytes: number): boolean {
  return bytes >= LARGE_BYTES;
}

/**
 * How many replies fit into what may be under way.
 *
 * @param bytes Of each; as large as NATS allows, where that is not known.
 */
export function howMany({ total, largest }: ReplyBounds, bytes: number = largest()): number {
  return Math.max(1, Math.floor(total() / bytes));
}

/** All of them. */
export class ReplyGate {
  readonly #quiet: Quiet;
  readonly #bounds: ReplyBounds;
  readonly #waiting = new Set<Runner>();
  #allowed = 0;
  /** The latest one that went. */
  #last = 0;
  /** Of those up to this one nothing was heard for so long that no reply of theirs is flowing. */
  #slow = 0;
  /** Of those that came later. */
  #running = 0;
  /** Those with a large reply that their clients have not taken. */
  readonly #flowing = new Set<Runner>();

  constructor(clock: Clock, bounds: ReplyBounds) {
    this.#quiet = new Quiet(clock, (quietLooks) => this.#onLook(quietLooks));
    this.#bounds = bounds;
  }

  /**
   * A request wants to go.
   *
   * @returns True when it may; else it is started later.
   */
  enter(runner: Runner): boolean {
    if (this.#running === 0 && this.#waiting.size === 0) this.#allowed = howMany(this.#bounds);
    if (this.#running < this.#allowed) {
      this.#admit(runner);
      return true;
    }
    this.#waiting.add(runner);
    this.#quiet.watch();
    return false;
  }

  /**
   * A reply came, of so many bytes that nobody asked for. Only a large one may have others behind it: were it
   * for small ones, or for who gives up, a busy endpoint would keep everybody behind what is slow.
   */
  heard(runner: Runner, bytes: number): void {
    if (isLarge(bytes)) {
      this.#quiet.break();
      if (runner.ticket > 0) this.#flowing.add(runner);
      this.#allowed = Math.min(this.#allowed, howMany(this.#bounds, bytes));
    } else {
      if (runner.ticket > 0 && 2 * this.#running >= this.#allowed) this.#allowed++;
      this.leave(runner);
      runner.ticket = 0;
    }
  }

  /** A request is over, whether it went or not, and its client has taken the reply. */
  leave(runner: Runner): void {
    if (this.#waiting.delete(runner) || runner.ticket === 0) return;
    if (this.#flowing.delete(runner)) this.#quiet.break();
    if (runner.ticket > this.#slow) this.#running--;
    this.#release();
    if (this.#running === 0) this.#quiet.stop();
  }

  #admit(runner: Runner): void {
    runner.ticket = ++this.#last;
    this.#running++;
    if (this.#running >= this.#allowed) this.#quiet.watch();
  }

  #release(): void {
    for (const runner of this.#waiting) {
      if (this.#running >= this.#allowed) return;
      this.#waiting.delete(runner);
      this.#admit(runner);
      runner.start();
    }
  }

  #onLook(quietLooks: number): void {
    if (quietLooks > 0) {
      this.#slow = this.#last;
      this.#running = 0;
    }
    if (quietLooks > 1) this.#allowed *= 2;
    this.#release();
    if (this.#waiting.size > 0) this.#quiet.watch();
  }
}
