/**
 * How often somebody may ask: token buckets in a bounded table.
 *
 * @module
 */
import type { Rate } from "../../config/units.ts";
import { GatewayError } from "../../errors.ts";
import { toClientKey } from "../../mapping/address.ts";
import type { Check } from "./check.ts";

/** About 10 MB; whoever was not seen for longest is forgotten first. */
const MAX_BUCKETS = 65_536;
/** Of adding up intervals; in milliseconds. */
const ROUNDING_ERROR = 1e-6;

/** Who has asked how often. A bucket is one number: when it will be full again (GCRA). */
export class RateTable {
  /** The least recently used first. */
  readonly #fullAt = new Map<string, number>();

  /** How many buckets are not known to be full. */
  get size(): number {
    return this.#fullAt.size;
  }

  /**
   * Takes a token.
   *
   * @param options The rate; `now` in milliseconds.
   * @returns 0 when there was one; else how many milliseconds it takes until there is one.
   *
   * @example
   * ```ts
   * import assert from "node:assert/strict";
   * import { RateTable } from "./rate.ts";
   *
   * const table = new RateTable();
   * const rate = { perSecond: 10, burst: 1 };
   * assert.equal(table.take("a", { rate, now: 0 }), 0);
   * assert.equal(table.take("a", { rate, now: 40 }), 60);
   * ```
   */
  take(key: string, { rate, now = performance.now() }: { rate: Rate; now?: number }): number {
    const interval = 1000 / rate.perSecond;
    const fullAt = Math.max(this.#fullAt.get(key) ?? now, now);
    const wait = fullAt + interval - rate.burst * interval - now;
    if (wait > ROUNDING_ERROR) return wait;
    this.#fullAt.delete(key);
    this.#fullAt.set(key, fullAt + interval);
    this.#forget(now);
    return 0;
  }

  /** A full bucket says no more than none. */
  #forget(now: number): void {
    for (const [key, fullAt] of this.#fullAt) {
      if (fullAt > now && this.#fullAt.size <= MAX_BUCKETS) return;
      this.#fullAt.delete(key);
    }
  }
}

/**
 * How often one client address asks; of IPv6 addresses a whole /64 is one client.
 *
 * @returns The check; it throws `rate_limited`.
 */
export function addressRate(rate: Rate, table: RateTable): Check {
  return ({ peer }) => takeToken(`address ${toClientKey(peer.clientAddress)}`, { rate, table });
}

/**
 * Takes a token, or refuses.
 *
 * @throws {GatewayError} `rate_limited`, with the time to wait.
 */
export function takeToken(key: string, { rate, table }: { rate: Rate; table: RateTable }): void {
  const wait = table.take(key, { rate });
  if (wait === 0) return;
  const retryAfter = Math.ceil(wait / 1000);
  throw new GatewayError("rate_limited", "Too many requests", { retryAfter });
}
