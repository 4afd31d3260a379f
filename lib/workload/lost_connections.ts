/**
 * Connections whose end was told because their gateway was lost.
 *
 * @module
 */
import type { Clock } from "../nats/clock.ts";

/** How long a gateway may be away and still come back to tell the end of its connections. */
const MEMORY_MS = 600_000;

/** Remembers them for a while: a gateway that was only cut off tells their end once more. */
export class LostConnections {
  readonly #clock: Clock;
  /** In the order of time, since a map keeps the order of its keys. */
  readonly #lostAt = new Map<string, number>();

  /**
   * @param clock How the time is told.
   */
  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /**
   * Remembers connections, and forgets those of long ago.
   *
   * @param ids Whose end has been told.
   */
  add(ids: readonly string[]): void {
    const now = this.#clock.now();
    for (const [id, lostAt] of this.#lostAt) {
      if (lostAt > now - MEMORY_MS) break;
      this.#lostAt.delete(id);
    }
    for (const id of ids) this.#lostAt.set(id, now);
  }

  /**
   * Forgets a connection.
   *
   * @param id The connection's.
   * @returns True when it was remembered.
   */
  take(id: string): boolean {
    return this.#lostAt.delete(id);
  }
}
