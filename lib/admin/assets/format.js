// @ts-check

/**
 * A number of anything, short.
 *
 * @param {number} value
 * @returns {string} E.g. `"0.4"`, `"12"`, `"1.25 k"`.
 */
export function toCount(value) {
  if (value >= 999_950) return `${(value / 1e6).toPrecision(3)} M`;
  if (value >= 10_000) return `${(value / 1e3).toFixed(1)} k`;
  if (value >= 10 || Number.isInteger(value)) return String(Math.round(value));
  return String(Number(value.toFixed(value < 1 ? 2 : 1)));
}

/**
 * Bytes, short.
 *
 * @param {number} value
 * @returns {string} E.g. `"12 kB"`.
 */
export function toBytes(value) {
  const units = ["B", "kB", "MB", "GB"];
  let unit = 0;
  for (; value >= 1000 && unit < units.length - 1; unit++) value /= 1000;
  return `${unit > 0 && value < 10 ? value.toFixed(1) : Math.round(value)} ${units[unit]}`;
}

/**
 * How long something takes.
 *
 * @param {number | undefined} seconds
 * @returns {string} E.g. `"2.5 ms"`.
 */
export function toDuration(seconds) {
  if (seconds === undefined || Number.isNaN(seconds)) return "–";
  const ms = seconds * 1000;
  if (ms < 1) return "< 1 ms";
  if (ms < 10) return `${Number(ms.toFixed(1))} ms`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  if (ms < 60_000) return `${Number((ms / 1000).toFixed(1))} s`;
  return `${Math.round(ms / 60_000)} min`;
}

/**
 * How long ago something was.
 *
 * @param {number} at Milliseconds since 1970.
 * @param {number} [now]
 * @returns {string} E.g. `"12 s ago"`.
 */
export function toAgo(at, now = Date.now()) {
  const seconds = Math.max(0, Math.round((now - at) / 1000));
  if (seconds < 2) return "now";
  if (seconds < 100) return `${seconds} s ago`;
  if (seconds < 6000) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 200_000) return `${Math.round(seconds / 3600)} h ago`;
  return `${Math.round(seconds / 86_400)} days ago`;
}

/**
 * The time of day.
 *
 * @param {number} at Milliseconds since 1970.
 * @returns {string}
 */
export function toTime(at) {
  return new Date(at).toLocaleTimeString([], { hour12: false });
}

/**
 * How long so many percent of all took at most: where in its bucket it is, is guessed.
 *
 * @param {readonly number[]} counts By bucket; the last one has no bound.
 * @param {readonly number[]} bounds Upper ones, in seconds.
 * @param {number} share From 0 to 1.
 * @returns {number | undefined} Buckets from the left, e.g. 2.5 for the middle of the third; undefined for none.
 */
export function toRank(counts, bounds, share) {
  const all = counts.reduce((sum, count) => sum + count, 0);
  if (all === 0 || bounds.length === 0) return undefined;
  let left = all * share;
  for (const [index, count] of counts.entries()) {
    if (count > 0 && left <= count) return index + left / count;
    left -= count;
  }
  return counts.length;
}

/**
 * The seconds at a place among the buckets.
 *
 * @param {number | undefined | null} rank From {@link toRank}.
 * @param {readonly number[]} bounds Upper ones, in seconds.
 * @returns {number | undefined}
 */
export function toSeconds(rank, bounds) {
  if (rank === undefined || rank === null) return undefined;
  const index = Math.min(Math.floor(rank), bounds.length - 1);
  const low = index === 0 ? 0 : bounds[index - 1] ?? 0;
  const high = bounds[index] ?? low;
  return low + (high - low) * Math.min(1, rank - index);
}
