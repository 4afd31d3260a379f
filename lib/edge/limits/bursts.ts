/**
 * How many requests of one subject are on their way at once. A workload may answer each with a whole message,
 * unasked and as large as NATS allows; and nats-server closes the connection of a gateway for which too much
 * waits (`max_pending`, 64 MiB by default), and with it everybody's requests.
 *
 * @module
 */
import type { Clock } from "../../time/clock.ts";
import { Quiet } from "./quiet.ts";
import { howMany, isLarge, type ReplyBounds, ReplyGate, type Runner } from "./reply_gate.ts";

export type { Runner };

/** What is left of an earlier reply's size with each one that is smaller. */
const FADING = 0.9;

/** What the bursts of all subjects share. */
interface Shared {
  readonly clock: Clock;
  readonly bounds: ReplyBounds;
  readonly gate: ReplyGate;
  /** How many requests had to wait so far. */
  held: number;
}

/** The requests of one subject, as long as there are any. */
export class Burst {
  readonly #shared: Shared;
  readonly #onOver: () => void;
  readonly #waiting = new Set<Runner>();
  #running = 0;
  #allowed: number;
  /** Of a reply, lately; undefined before the first. */
  #bytes: number | undefined;
  readonly #quiet: Quiet;

  constructor(shared: Shared, onOver: () => void) {
    this.#shared = shared;
    this.#onOver = onOver;
    this.#allowed = howMany(shared.bounds);
    this.#quiet = new Quiet(shared.clock, (quietLooks) => this.#onLook(quietLooks));
  }

  /**
   * A request wants to go.
   *
   * @returns True when it may; else it is started later.
   */
  enter(runner: Runner): boolean {
    if (this.#running < this.#allowed) {
      this.#running++;
      if (this.#passes(runner)) return true;
      this.#shared.held++;
      return false;
    }
    this.#shared.held++;
    this.#waiting.add(runner);
    this.#quiet.watch();
    return false;
  }

  /** A reply came, of so many bytes that nobody asked for. */
  heard(runner: Runner, bytes: number): void {
    this.#quiet.break();
    const lately = this.#bytes = Math.max(bytes, (this.#bytes ?? 0) * FADING);
    this.#allowed = isLarge(lately)
      ? howMany(this.#shared.bounds, lately)
      : Number.POSITIVE_INFINITY;
    this.#shared.gate.heard(runner, bytes);
    this.#release();
  }

  /** A request is over, whether it went or not, and its client has taken the reply. */
  leave(runner: Runner): void {
    this.#quiet.break();
    if (!this.#waiting.delete(runner)) {
      this.#running--;
      this.#shared.gate.leave(runner);
    }
    this.#release();
    if (this.#running > 0 || this.#waiting.size > 0) return;
    this.#quiet.stop();
    this.#onOver();
  }

  /** Small replies, where they are known to be so, are not in the way of others. */
  #passes(runner: Runner): boolean {
    const isSmall = this.#bytes !== undefined && !isLarge(this.#bytes);
    return isSmall || this.#shared.gate.enter(runner);
  }

  #release(): void {
    for (const runner of this.#waiting) {
      if (this.#running >= this.#allowed) return;
      this.#waiting.delete(runner);
      this.#running++;
      if (this.#passes(runner)) runner.start();
    }
  }

  #onLook(quietLooks: number): void {
    if (quietLooks > 0) this.#allowed *= 2;
    this.#release();
    if (this.#waiting.size > 0) this.#quiet.watch();
  }
}

/** Those of all subjects. */
export class Bursts {
  readonly #shared: Shared;
  readonly #bursts = new Map<string, Burst>();

  constructor(clock: Clock, bounds: ReplyBounds) {
    this.#shared = { clock, bounds, gate: new ReplyGate(clock, bounds), held: 0 };
  }

  /** How many requests had to wait so far. */
  get held(): number {
    return this.#shared.held;
  }

  /** That of a subject; each of its requests enters it and leaves it. */
  of(subject: string): Burst {
    let burst = this.#bursts.get(subject);
    if (burst === undefined) {
      burst = new Burst(this.#shared, () => this.#bursts.delete(subject));
      this.#bursts.set(subject, burst);
    }
    return burst;
  }
}
