/**
 * "Did you mean …?"
 *
 * @module
 */
import leven from "leven";

/** What became of options that there were once; in the words of a configuration file. */
const RENAMED: ReadonlyMap<string, readonly string[]> = new Map([
  ["wsSendBuffer", ["wsSendLimit", "wsSendTimeout"]],
]);

/** More letters apart than this, or than half of it, and it is another word. */
const MAX_DISTANCE = 3;

/**
 * Finds the word that was probably meant.
 *
 * @returns The closest one; undefined when none is close.
 */
export function suggest(word: string, known: readonly string[]): string | undefined {
  const longer = word.length > 2 && known.find((other) => other.startsWith(`${word}-`));
  if (longer) return longer;
  const distance = (other: string) => leven(word.toLowerCase(), other.toLowerCase());
  const [closest = ""] = known.toSorted((a, b) => distance(a) - distance(b));
  return distance(closest) <= Math.min(MAX_DISTANCE, closest.length / 2) ? closest : undefined;
}

/**
 * Finds what stands for an option that there is no more.
 *
 * @param option As it was called in a configuration file.
 * @returns What the options are called now; undefined when there never was such an option.
 */
export function findRenamed(option: string): readonly string[] | undefined {
  return RENAMED.get(option);
}
