/**
 * Which requests a gateway that stops waits for.
 *
 * @module
 */

/** Counts requests from their beginning to the end of their response. */
export class InFlight {
  #count = 0;
  #onIdle: (() => void) | undefined;

  /** A request came that is served. */
  begin(): void {
    this.#count++;
  }

  /** Its response is out, or its client has gone. */
  end(): void {
    this.#count--;
    if (this.#count === 0) this.#onIdle?.();
  }

  /** Resolves once there is none; for one who waits, when no more begin. */
  idle(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#count === 0) resolve();
      else this.#onIdle = resolve;
    });
  }
}
