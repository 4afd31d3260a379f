/**
 * Who said that they listen.
 *
 * @module
 */
import {
  type Interest,
  INTEREST_STALE_MS,
  type InterestChange,
  type InterestingRequest,
  matchesInterest,
  parseInterest,
  renderInterest,
  toInterestPattern,
} from "../mapping/interest.ts";
import type { Bus, BusMessage, BusSubscription } from "./bus.ts";

const SWEEP_INTERVAL_MS = 5_000;

/** The registrations that are heard, until they are taken back or fall silent. */
export class Interests implements Disposable {
  readonly #seen = new Map<string, { readonly interest: Interest; at: number }>();
  readonly #subscriptions: readonly BusSubscription[];
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #now: () => number;

  /**
   * Listens to registrations.
   *
   * @param bus The connection.
   * @param options `prefix` of all subjects; `onError` is told of a registration that cannot be read;
   * `now`: a clock in milliseconds.
   */
  constructor(
    bus: Bus,
    { prefix, onError, now = () => performance.now() }: {
      prefix: string;
      onError: (error: unknown) => void;
      now?: () => number;
    },
  ) {
    this.#now = now;
    const on = (change: InterestChange, handle: (interest: Interest) => void) =>
      bus.subscribe(toInterestPattern(change, prefix), ({ data }: BusMessage) => {
        try {
          handle(parseInterest(data));
        } catch (error) {
          onError(error);
        }
      });
    this.#subscriptions = [
      on(
        "register",
        (interest) => this.#seen.set(renderInterest(interest), { interest, at: now() }),
      ),
      on("unregister", (interest) => this.#seen.delete(renderInterest(interest))),
    ];
    this.#timer = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
  }

  /** How many registrations stand. */
  get size(): number {
    return this.#seen.size;
  }

  /**
   * Says whether anybody registered for a request.
   *
   * @param query The request.
   * @returns True when at least one registration covers it.
   */
  has(query: InterestingRequest): boolean {
    const oldest = this.#now() - INTEREST_STALE_MS;
    for (const { interest, at } of this.#seen.values()) {
      if (at >= oldest && matchesInterest(interest, query)) return true;
    }
    return false;
  }

  /** Ends the subscriptions. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #sweep(): void {
    const oldest = this.#now() - INTEREST_STALE_MS;
    for (const [key, { at }] of this.#seen) if (at < oldest) this.#seen.delete(key);
  }
}
