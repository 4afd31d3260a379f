/**
 * Who said that they listen.
 *
 * @module
 */
import {
  type Interest,
  INTEREST_INTERVAL_MS,
  INTEREST_STALE_MS,
  type InterestChange,
  type InterestingRequest,
  parseInterest,
  renderInterest,
  toInterestPattern,
} from "../mapping/interest.ts";
import { InterestIndex } from "../mapping/interest_index.ts";
import type { Bus, BusMessage, BusSubscription } from "./bus.ts";
import { type Clock, repeat } from "../time/clock.ts";
import { pause } from "../time/within.ts";

const SWEEP_INTERVAL_MS = 5_000;
/** Workloads register as soon as they hear of a new gateway; how long that may take, in milliseconds. */
const SETTLING_MS = 100;

/** In so many milliseconds everybody registers who serves. */
const ROUND_MS = INTEREST_INTERVAL_MS + 500;

const decoder = new TextDecoder();

interface Seen {
  readonly interest: Interest;
  /** When it was registered last, and the time before. */
  at: number;
  before: number;
}

/** The registrations that are heard, until they are taken back or fall silent. */
export class Interests implements Disposable {
  readonly #seen = new Map<string, Seen>();
  readonly #index = new InterestIndex<Seen>();
  readonly #subscriptions: readonly BusSubscription[];
  readonly #endSweeps: () => void;
  readonly #clock: Clock;
  readonly #endState: () => void;
  readonly #ended = new AbortController();
  #settled: Promise<void> | undefined;

  /**
   * Listens to registrations.
   *
   * @param options `prefix` of all subjects; `onError` is told of a registration that cannot be read.
   */
  constructor(
    bus: Bus,
    { prefix, clock, onError }: {
      prefix: string;
      clock: Clock;
      onError: (error: unknown) => void;
    },
  ) {
    this.#clock = clock;
    const on = (change: InterestChange, handle: (payload: Uint8Array) => void) =>
      bus.subscribe(toInterestPattern(change, prefix), ({ data }: BusMessage) => {
        try {
          handle(data);
        } catch (error) {
          onError(error);
        }
      }, { borrows: true });
    this.#subscriptions = [
      on("register", (payload) => this.#register(payload)),
      on("unregister", (payload) => this.#takeBack(renderInterest(parseInterest(payload)))),
    ];
    this.#endSweeps = repeat(clock, SWEEP_INTERVAL_MS, () => this.#sweep());
    this.#endState = bus.onState((state) => {
      if (state === "connected") this.#settle();
    });
  }

  /** Resolves when those who serve have had the time to say so; undefined where that was long ago. */
  get settled(): Promise<void> | undefined {
    return this.#settled;
  }

  /** How many registrations stand. */
  get size(): number {
    return this.#seen.size;
  }

  /** The registrations that stand. */
  list(): Interest[] {
    const oldest = this.#clock.now() - INTEREST_STALE_MS;
    return [...this.#seen.values()].filter(({ at }) => at >= oldest).map(({ interest }) =>
      interest
    );
  }

  /**
   * Says whether anybody registered for a request.
   *
   * @returns True when at least one registration covers it.
   */
  has(query: InterestingRequest): boolean {
    return this.#some(query, () => true);
  }

  /**
   * Says whether anybody wants to be asked before a handshake is accepted.
   *
   * @param query The handshake; its method is `ws`.
   * @returns True when at least one registration that covers it says so.
   */
  wantsHandshake(query: InterestingRequest): boolean {
    return this.#some(query, ({ handshake }) => handshake === true);
  }

  /** Ends the subscriptions. */
  [Symbol.dispose](): void {
    this.#endSweeps();
    this.#endState();
    this.#ended.abort();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  #some(query: InterestingRequest, isMeant: (interest: Interest) => boolean): boolean {
    const oldest = this.#clock.now() - INTEREST_STALE_MS;
    return this.#index.some(query, ({ interest, at }) => at >= oldest && isMeant(interest));
  }

  #register(payload: Uint8Array): void {
    // As a rule it is one that stands, said once more as it was rendered: then nothing is to be read.
    if (this.#renew(decoder.decode(payload))) return;
    const interest = parseInterest(payload);
    const key = renderInterest(interest);
    if (this.#renew(key)) return;
    const seen = { interest, at: this.#clock.now(), before: -Infinity };
    this.#seen.set(key, seen);
    this.#index.add(seen);
  }

  /** Returns false where it does not stand. */
  #renew(key: string): boolean {
    const known = this.#seen.get(key);
    if (known === undefined) return false;
    known.before = known.at;
    known.at = this.#clock.now();
    return true;
  }

  /**
   * A registration does not say whose it is. Where it came twice within a round, somebody else may serve the same,
   * and has a round's time to say so again.
   */
  #takeBack(key: string): void {
    const seen = this.#seen.get(key);
    if (seen === undefined) return;
    const now = this.#clock.now();
    if (now - seen.before > ROUND_MS) return this.#forget(key);
    seen.at = Math.min(seen.at, now + ROUND_MS - INTEREST_STALE_MS);
  }

  #forget(key: string): void {
    const seen = this.#seen.get(key);
    if (seen === undefined) return;
    this.#seen.delete(key);
    this.#index.delete(seen);
  }

  #settle(): void {
    const settled = this.#settled = pause(SETTLING_MS, { signal: this.#ended.signal }).then(() => {
      if (this.#settled === settled) this.#settled = undefined;
    });
  }

  #sweep(): void {
    const oldest = this.#clock.now() - INTEREST_STALE_MS;
    for (const [key, { at }] of this.#seen) if (at < oldest) this.#forget(key);
  }
}
