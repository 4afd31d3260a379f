/**
 * "Did you mean …?"
 *
 * @module
 */
import leven from "leven";

/** More letters apart than this, and it is another word. */
const MAX_DISTANCE = 3;

/**
 * Finds the word that was probably meant.
 *
 * @param word As it was written.
 * @param known The words that there are.
 * @returns The closest one; undefined when none is close.
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const distance = (other: string) => leven(word.toLowerCase(), other.toLowerCase());
  const [closest] = known.toSorted((a, b) => distance(a) - distance(b));
  return closest !== undefined && distance(closest) <= MAX_DISTANCE ? closest : undefined;
}
