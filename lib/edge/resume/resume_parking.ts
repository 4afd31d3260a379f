/**
 * What a resumable connection takes while its client is away: a place among the connections, and room for
 * what waits.
 *
 * @module
 */
import type { BusMessage } from "../../nats/bus.ts";
import type { Place } from "../admission/load.ts";
import type { EdgeParts } from "../parts.ts";

/** What it takes. */
export type ParkingParts = Pick<EdgeParts, "config" | "metrics">;

/** Counts for one connection. */
export class ResumeParking {
  readonly #parts: ParkingParts;
  #place: Place | undefined;
  #missedBytes = 0;

  constructor(parts: ParkingParts) {
    this.#parts = parts;
  }

  /** Its place while its client is away. */
  get place(): Place | undefined {
    return this.#place;
  }

  /**
   * The client is away: the connection keeps its place.
   *
   * @param place Given back by {@link ResumeParking.leave}.
   */
  enter(place: Place): void {
    this.leave();
    this.#place = place;
    this.#missedBytes = 0;
    this.#parts.metrics.socketsAway(+1);
  }

  /** The client has come with a place of its own, or will never come. */
  leave(): void {
    if (this.#place === undefined) return;
    this.#place[Symbol.dispose]();
    this.#place = undefined;
    this.#parts.metrics.socketsAway(-1);
  }

  /**
   * One client that stays away must not fill the stream for all.
   *
   * @returns False when that is too much.
   */
  hasRoom({ headers, data }: BusMessage): boolean {
    const { config, metrics } = this.#parts;
    const { resumeMaxWaiting } = config();
    this.#missedBytes += data.length + headers.length;
    if (resumeMaxWaiting === 0 || this.#missedBytes <= resumeMaxWaiting) return true;
    metrics.resumeOverflowed();
    return false;
  }
}
