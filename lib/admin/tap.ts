/**
 * The tap: heads of the messages that pass, while somebody watches.
 *
 * @module
 */
import type { TapHead, TapReport } from "../mapping/tap.ts";
import { Heads } from "../nats/asking/heads.ts";
import type { Bus } from "../nats/bus.ts";
import { type Clock, repeat } from "../time/clock.ts";

/** How often what has passed is shown, in milliseconds. */
const INTERVAL_MS = 250;
/** Of each interval: nobody reads more. The rest is counted. */
const MOST_HEADS = 10;
/** So that nobody forgets it. */
const LONGEST_MS = 600_000;

/** Who watches. */
export interface TapOptions {
  readonly prefix: string;
  readonly clock: Clock;
  /** Takes what has passed in a moment; `missed` is how many more there were. */
  readonly onHeads: (passed: { heads: readonly TapHead[]; missed: number }) => void;
  /** Told once, when it ends by itself. */
  readonly onEnd: (reason: string) => void;
}

/** Watches some subjects at all gateways, until it is disposed of or its time is over. */
export class Tap implements Disposable {
  readonly #options: TapOptions;
  readonly #source: Heads;
  readonly #endings: readonly (() => void)[];
  #heads: TapHead[] = [];
  #missed = 0;

  /**
   * Begins to watch.
   *
   * @param subjects May hold wildcards.
   */
  constructor(
    bus: Pick<Bus, "publish" | "subscribe">,
    subjects: readonly string[],
    options: TapOptions,
  ) {
    this.#options = options;
    const { prefix, clock, onEnd } = options;
    const onReport = (report: TapReport) => this.#onReport(report);
    this.#source = new Heads(bus, { prefix, subjects, clock, onReport });
    this.#endings = [
      repeat(clock, INTERVAL_MS, () => this.#flush()),
      clock.after(LONGEST_MS, () => {
        this[Symbol.dispose]();
        onEnd("Ten minutes are over. Watch again for more.");
      }),
    ];
  }

  /** Resolves once a gateway shows what passes; false where none does. */
  get begun(): Promise<boolean> {
    return this.#source.begun;
  }

  /** Watches no more. */
  [Symbol.dispose](): void {
    for (const end of this.#endings) end();
    this.#source[Symbol.dispose]();
  }

  #onReport({ heads, missed }: TapReport): void {
    const room = MOST_HEADS - this.#heads.length;
    this.#heads.push(...heads.slice(0, room));
    this.#missed += missed + Math.max(0, heads.length - room);
  }

  #flush(): void {
    if (this.#heads.length === 0) return;
    this.#options.onHeads({ heads: this.#heads, missed: this.#missed });
    this.#heads = [];
    this.#missed = 0;
  }
}
