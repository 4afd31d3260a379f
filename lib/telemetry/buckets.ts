/**
 * The buckets of durations.
 *
 * @module
 */

/** Seconds; from a reply within a rack to one that is nearly too late. */
export const DURATION_BUCKETS = [
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
];
