/**
 * Whether the gateway is still there. A connection that died without a word looks open for minutes.
 *
 * @module
 */
import type { Platform } from "./platform.ts";

/** Of one socket. */
export interface PulseOptions {
  readonly pingMs: number;
  readonly pongMs: number;
  ping(): void;
  /** Bytes that the platform has not sent yet. */
  waiting(): number;
  onDead(): void;
}

/** Asks after a silence, and whenever there is a reason to doubt. */
export class Pulse {
  readonly #platform: Platform;
  readonly #options: PulseOptions;
  #cancel = () => {};
  #isAsking = false;

  constructor(platform: Platform, options: PulseOptions) {
    this.#platform = platform;
    this.#options = options;
    this.heard();
  }

  /** Something came: what, does not matter. */
  heard(): void {
    this.#isAsking = false;
    this.#start(this.#options.pingMs, () => this.ask());
  }

  /** Asks now. */
  ask(): void {
    const { ping, waiting, pongMs, pingMs } = this.#options;
    if (this.#isAsking || pingMs === 0) return;
    this.#isAsking = true;
    ping();
    this.#await(waiting(), this.#platform.now() + pongMs);
  }

  /** The socket is gone. */
  stop(): void {
    this.#cancel();
    this.#isAsking = true;
  }

  #await(waiting: number, dueAt: number): void {
    const { pongMs, waiting: countWaiting, onDead } = this.#options;
    this.#start(pongMs, () => {
      // A timer that is late was held back: by a hidden tab, or by a machine that slept. And what is sent
      // slowly, the answer among it, is sent.
      const isLate = this.#platform.now() - dueAt > pongMs;
      const left = countWaiting();
      if (!isLate && left >= waiting) return onDead();
      if (isLate) this.#options.ping();
      this.#await(left, this.#platform.now() + pongMs);
    });
  }

  #start(delayMs: number, callback: () => void): void {
    this.#cancel();
    this.#cancel = delayMs > 0 ? this.#platform.after(delayMs, callback) : () => {};
  }
}
