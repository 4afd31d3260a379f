/**
 * How many requests of one subject are on their way at once. A workload may answer each with a whole message,
 * unasked and as large as NATS allows; and nats-server closes the connection of a gateway for which too much
 * waits (`max_pending`, 64 MiB by default), and with it everybody's requests.
 *
 * @module
 */
import type { Clock } from "../../time/clock.ts";

/** Of replies that may be under way: half of what nats-server lets wait by default. */
const BUDGET_BYTES = 32 * 1024 * 1024;
/** How many go before a reply has shown how large they are: what fits if all are of 1 MiB. */
const FIRST = 32;
/** Replies of less are no danger. */
const LARGE_BYTES = 64 * 1024;
/** Where nothing moves for so long, nothing flows: twice as many may go. */
const QUIET_MS = 50;
/** What is left of an earlier reply's size with each one that is smaller. */
const FADING = 0.9;

/** A request that may have to wait. */
export interface Runner {
  /** It may go now. Does not throw. */
  start(): void;
}

/** The requests of one subject, as long as there are any. */
export class Burst {
  readonly #clock: Clock;
  readonly #onOver: () => void;
  readonly #waiting = new Set<Runner>();
  #running = 0;
  #allowed = FIRST;
  /** Of a reply, lately. */
  #bytes = 0;
  /** Something came, or was taken, lately. */
  #moves = false;
  #endTimer: (() => void) | undefined;

  constructor(clock: Clock, onOver: () => void) {
    this.#clock = clock;
    this.#onOver = onOver;
  }

  /**
   * A request wants to go.
   *
   * @returns True when it may; else it is started later.
   */
  enter(runner: Runner): boolean {
    if (this.#running < this.#allowed) {
      this.#running++;
      return true;
    }
    this.#waiting.add(runner);
    this.#endTimer ??= this.#clock.after(QUIET_MS, this.#onQuiet);
    return false;
  }

  /** A reply came, of so many bytes that nobody asked for. */
  heard(bytes: number): void {
    this.#moves = true;
    this.#bytes = Math.max(bytes, this.#bytes * FADING);
    this.#allowed = this.#bytes < LARGE_BYTES
      ? Number.POSITIVE_INFINITY
      : Math.max(1, Math.floor(BUDGET_BYTES / this.#bytes));
    this.#release();
  }

  /** A request is over, whether it went or not, and its client has taken the reply. */
  leave(runner: Runner): void {
    this.#moves = true;
    if (!this.#waiting.delete(runner)) this.#running--;
    this.#release();
    if (this.#running > 0 || this.#waiting.size > 0) return;
    this.#endTimer?.();
    this.#onOver();
  }

  #release(): void {
    for (const runner of this.#waiting) {
      if (this.#running >= this.#allowed) return;
      this.#waiting.delete(runner);
      this.#running++;
      runner.start();
    }
  }

  readonly #onQuiet = (): void => {
    this.#endTimer = undefined;
    if (!this.#moves) this.#allowed *= 2;
    this.#moves = false;
    this.#release();
    if (this.#waiting.size > 0) this.#endTimer = this.#clock.after(QUIET_MS, this.#onQuiet);
  };
}

/** Those of all subjects. */
export class Bursts {
  readonly #clock: Clock;
  readonly #bursts = new Map<string, Burst>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** That of a subject; each of its requests enters it and leaves it. */
  of(subject: string): Burst {
    let burst = this.#bursts.get(subject);
    if (burst === undefined) {
      burst = new Burst(this.#clock, () => this.#bursts.delete(subject));
      this.#bursts.set(subject, burst);
    }
    return burst;
  }
}
