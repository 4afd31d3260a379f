/**
 * Chance that can be had again.
 *
 * @module
 */

/** The same numbers for the same seed (Mulberry32). */
export class Random {
  #state: number;

  /**
   * @param seed A whole number.
   */
  constructor(seed: number) {
    this.#state = seed | 0;
  }

  /** Between 0 and 1, 1 excluded. */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number from 0, `limit` excluded. */
  below(limit: number): number {
    return Math.floor(this.next() * limit);
  }

  /** True so often, e.g. 0.5. */
  chance(share: number): boolean {
    return this.next() < share;
  }

  /** One of them. */
  pick<Item>(items: readonly Item[]): Item {
    return items[this.below(items.length)]!;
  }

  /** All of them, in any order. */
  shuffle<Item>(items: readonly Item[]): Item[] {
    const left = [...items];
    return items.map(() => left.splice(this.below(left.length), 1)[0]!);
  }

  /** Up to `most` things, made one after the other. */
  several<Item>(most: number, make: () => Item): Item[] {
    return Array.from({ length: this.below(most + 1) }, make);
  }

  /** Any bytes, as latin-1. */
  bytes(length: number): string {
    let text = "";
    for (let index = 0; index < length; index++) text += String.fromCharCode(this.below(256));
    return text;
  }
}
