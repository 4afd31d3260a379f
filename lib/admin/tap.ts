/**
 * The tap: heads of the messages that pass, while somebody watches.
 *
 * @module
 */
import { type HeaderEntry, parseHeaderBlock } from "../mapping/headers.ts";
import { maskHeader, toVisible } from "../mapping/masking.ts";
import type { Bus, BusMessage, BusSubscription } from "../nats/bus.ts";
import { type Clock, repeat } from "../time/clock.ts";

/** How often what has passed is shown, in milliseconds. */
const INTERVAL_MS = 250;
/** Of each interval: nobody reads more. The rest is counted. */
const MOST_HEADS = 10;
/** Of each message: a client can send a hundred. */
const MOST_HEADERS = 40;
const MOST_VALUE = 500;
/** So that nobody forgets it. */
const LONGEST_MS = 600_000;

/** The head of one message, as it may be shown. */
export interface TapHead {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly subject: string;
  readonly headers: readonly HeaderEntry[];
  /** Of the payload, in bytes. */
  readonly size: number;
}

/** Who watches. */
export interface TapOptions {
  readonly clock: Clock;
  /** Takes what has passed in a moment; `missed` is how many more there were. */
  readonly onHeads: (passed: { heads: readonly TapHead[]; missed: number }) => void;
  /** Told once, when it ends by itself. */
  readonly onEnd: (reason: string) => void;
}

/** Listens to some subjects, until it is disposed of or its time is over. */
export class Tap implements Disposable {
  readonly #options: TapOptions;
  readonly #subscriptions: readonly BusSubscription[];
  readonly #endings: readonly (() => void)[];
  #heads: TapHead[] = [];
  #missed = 0;

  /**
   * Begins to listen.
   *
   * @param bus The connection.
   * @param subjects May hold wildcards.
   * @param options Who watches.
   */
  constructor(bus: Pick<Bus, "subscribe">, subjects: readonly string[], options: TapOptions) {
    this.#options = options;
    this.#subscriptions = subjects.map((subject) =>
      bus.subscribe(subject, (message) => this.#onMessage(message))
    );
    const { clock, onEnd } = options;
    this.#endings = [
      repeat(clock, INTERVAL_MS, () => this.#flush()),
      clock.after(LONGEST_MS, () => {
        this[Symbol.dispose]();
        onEnd("Ten minutes are over. Watch again for more.");
      }),
    ];
  }

  /** Listens no more. */
  [Symbol.dispose](): void {
    for (const end of this.#endings) end();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  /** What is not shown is not even read. */
  #onMessage({ subject, headers, data }: BusMessage): void {
    if (this.#heads.length >= MOST_HEADS) {
      this.#missed++;
      return;
    }
    const entries = headers === "" ? [] : parseHeaderBlock(headers).entries;
    this.#heads.push({
      at: Date.now(),
      subject: toVisible(subject),
      headers: entries.slice(0, MOST_HEADERS).map(maskHeader)
        .map(([name, value]) => [name, value.slice(0, MOST_VALUE)]),
      size: data.length,
    });
  }

  #flush(): void {
    if (this.#heads.length === 0) return;
    this.#options.onHeads({ heads: this.#heads, missed: this.#missed });
    this.#heads = [];
    this.#missed = 0;
  }
}
