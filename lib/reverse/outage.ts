/**
 * What is logged of a backend that does not answer: once, not for each request.
 *
 * @module
 */
import type { Log } from "../telemetry/log.ts";
import { type Clock, systemClock } from "../time/clock.ts";

/** How often an outage that goes on is told again, in milliseconds. */
const REMINDER_MS = 60_000;

/** Counts what fails between one answer and the next. */
export class Outage {
  readonly #log: Log;
  readonly #backend: string;
  readonly #clock: Clock;
  #failures = 0;
  #since = 0;
  #toldAt = -Infinity;
  #isTold = false;

  /** @param options `backend`: its URL. */
  constructor(log: Log, { backend, clock = systemClock() }: { backend: string; clock?: Clock }) {
    this.#log = log;
    this.#backend = backend;
    this.#clock = clock;
  }

  /** The backend did not answer. */
  failed(error: unknown): void {
    const now = this.#clock.now();
    this.#failures++;
    if (this.#failures === 1) this.#since = now;
    // Also where it fails now and then: a line for each would be one for each request again.
    if (now - this.#toldAt < REMINDER_MS) return;
    this.#toldAt = now;
    this.#isTold = true;
    this.#log.warn("the backend does not answer", {
      backend: this.#backend,
      requests: this.#failures,
      error: toText(error),
    });
  }

  /** The backend has answered. */
  answered(): void {
    if (this.#isTold) {
      this.#log.info("the backend answers again", {
        backend: this.#backend,
        failed: this.#failures,
        seconds: Math.round((this.#clock.now() - this.#since) / 1000),
      });
    }
    this.#isTold = false;
    this.#failures = 0;
  }
}

/** Several addresses of one name fail as one `AggregateError` without a text. */
function toText(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") {
    return error.errors.map(String).join("; ");
  }
  return String(error);
}
