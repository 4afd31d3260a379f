/**
 * Connections whose gateway was lost.
 *
 * @module
 */
import type { Clock } from "../../time/clock.ts";

/** How long a gateway may be away and still come back to tell the end of its connections. */
const MEMORY_MS = 600_000;

interface Lost {
  readonly at: number;
  isTold: boolean;
}

/**
 * Remembers them for a while: another gateway may tell their end before the replicas do, and a gateway that
 * was only cut off tells it once more.
 */
export class LostConnections {
  readonly #clock: Clock;
  /** In the order of time, since a map keeps the order of its keys. */
  readonly #lost = new Map<string, Lost>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Remembers connections, and forgets those of long ago. */
  add(ids: readonly string[]): void {
    const now = this.#clock.now();
    for (const [id, { at }] of this.#lost) {
      if (at > now - MEMORY_MS) break;
      this.#lost.delete(id);
    }
    for (const id of ids) this.#lost.set(id, { at: now, isTold: false });
  }

  /** Says whether a connection is remembered. */
  has(id: string): boolean {
    return this.#lost.has(id);
  }

  /**
   * Notes that the end of a connection is told now.
   *
   * @returns False when it was told before.
   */
  tell(id: string): boolean {
    const lost = this.#lost.get(id);
    if (lost === undefined) return true;
    const isFirst = !lost.isTold;
    lost.isTold = true;
    return isFirst;
  }

  /** Forgets a connection: its gateway is back. */
  forget(id: string): void {
    this.#lost.delete(id);
  }
}
