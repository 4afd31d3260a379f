/**
 * How far all workloads together may be ahead of their clients: nats-server closes the connection of a
 * gateway for which too much waits (`max_pending`, 64 MiB by default), and with it everybody's requests.
 *
 * @module
 */

/** Of what is left, so that there is some for who comes next. */
const SHARE = 1 / 8;
/** A stream has to move. */
const LEAST_BYTES = 16 * 1024;

/** The windows of all responses that have not ended. */
export class Windows {
  readonly #total: () => number;
  #given = 0;

  /** @param total How many bytes there are, asked for each. */
  constructor(total: () => number) {
    this.#total = total;
  }

  /**
   * Gives a window.
   *
   * @returns Its bytes, to be given back; fewer the more are out.
   */
  take(wantedBytes: number): number {
    const share = Math.max(LEAST_BYTES, Math.floor((this.#total() - this.#given) * SHARE));
    const bytes = Math.min(wantedBytes, share);
    this.#given += bytes;
    return bytes;
  }

  /** Takes a window back. */
  giveBack(bytes: number): void {
    this.#given -= bytes;
  }
}
