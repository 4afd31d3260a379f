/**
 * What has been made of a text, for when it comes again.
 *
 * @module
 */

/** Together some hundred kilobytes. */
const MOST = 1000;
const LONGEST = 100;

/**
 * Remembers what a function makes of texts. Clients choose them, so that there is an end to how many are kept:
 * who sends ever new ones has all forgotten from time to time, at the cost of making them again.
 *
 * @param make Makes the same of the same text each time; what it throws is not remembered.
 * @returns The same function.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { remembering } from "./remembering.ts";
 *
 * const made: string[] = [];
 * const toUpperCase = remembering((text) => {
 *   made.push(text);
 *   return text.toUpperCase();
 * });
 * assert.deepEqual(["a", "b", "a"].map(toUpperCase), ["A", "B", "A"]);
 * assert.deepEqual(made, ["a", "b"]);
 * ```
 */
export function remembering<T>(make: (text: string) => T): (text: string) => T {
  const known = new Map<string, T>();
  return (text) => {
    const before = known.get(text);
    if (before !== undefined) return before;
    const made = make(text);
    if (text.length > LONGEST) return made;
    if (known.size >= MOST) known.clear();
    known.set(text, made);
    return made;
  };
}
