/**
 * Which of several replicas does what all of them saw the need of.
 *
 * @module
 */
import { toOwnSubject } from "../../mapping/names.ts";
import { encodeToken } from "../../mapping/subject.ts";
import type { Bus, BusSubscription } from "../../nats/bus.ts";
import type { Clock } from "../../time/clock.ts";

/** How long claims are waited for: longer than one takes to reach everybody. */
const WINDOW_MS = 1000;
/** How long a claim keeps others from claiming the same: longer than they may differ in noticing it. */
const MEMORY_MS = 10_000;

interface Claim {
  readonly at: number;
  readonly lowest: string;
}

/** Which group of replicas, and who this one is. */
export interface ElectionOptions {
  readonly prefix: string;
  /** The queue group whose members take part. */
  readonly group: string;
  /** Unique among the replicas. */
  readonly id: string;
  readonly clock: Clock;
}

/**
 * Elects one replica per matter. Who sees the need claims the matter, unless somebody else has claimed it
 * before; claims that cross are settled by the lowest id. So one message is sent as a rule, and nothing
 * while nothing happens.
 *
 * Where replicas cannot hear each other for a second, two can win. A winner that dies at once has no
 * successor.
 */
export class Election implements Disposable {
  readonly #link: Pick<Bus, "publish" | "subscribe">;
  readonly #options: ElectionOptions;
  readonly #root: string;
  readonly #subscription: BusSubscription;
  readonly #claims = new Map<string, Claim>();
  readonly #waiting = new Set<() => void>();

  /** Begins to listen to the others' claims. */
  constructor(link: Pick<Bus, "publish" | "subscribe">, options: ElectionOptions) {
    this.#link = link;
    this.#options = options;
    const { prefix, group } = options;
    this.#root = `${toOwnSubject(prefix, "workload", encodeToken(group), "claim")}.`;
    this.#subscription = link.subscribe(`${this.#root}*`, ({ subject, data }) => {
      this.#onClaim(subject.slice(this.#root.length), new TextDecoder().decode(data));
    });
  }

  /**
   * Tries to win a matter.
   *
   * @param onWon Called when this replica is the one.
   */
  run(matter: string, onWon: () => void): void {
    const { id, clock } = this.#options;
    this.#forget();
    if (this.#claims.has(matter)) return;
    this.#onClaim(matter, id);
    if (!this.#link.publish(`${this.#root}${matter}`, new TextEncoder().encode(id))) return;
    const cancel = clock.after(WINDOW_MS, () => {
      this.#waiting.delete(cancel);
      if (this.#claims.get(matter)?.lowest === id) onWon();
    });
    this.#waiting.add(cancel);
  }

  /**
   * Says whether a matter that was claimed has been won.
   *
   * @returns True, too, when that was long ago.
   */
  isOver(matter: string): boolean {
    const claim = this.#claims.get(matter);
    return claim === undefined || claim.at + WINDOW_MS <= this.#options.clock.now();
  }

  /** Takes part no more. */
  [Symbol.dispose](): void {
    for (const cancel of this.#waiting) cancel();
    this.#subscription.unsubscribe();
  }

  #onClaim(matter: string, id: string): void {
    this.#forget();
    const claim = this.#claims.get(matter);
    const lowest = claim === undefined || id < claim.lowest ? id : claim.lowest;
    this.#claims.set(matter, { at: claim?.at ?? this.#options.clock.now(), lowest });
  }

  #forget(): void {
    const oldest = this.#options.clock.now() - MEMORY_MS;
    // A map keeps the order of its keys, and so that of the first claims.
    for (const [matter, { at }] of this.#claims) {
      if (at > oldest) break;
      this.#claims.delete(matter);
    }
  }
}
