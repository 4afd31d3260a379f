/**
 * What a case is, and what running it gives.
 *
 * @module
 */
import type { Target, TargetKind } from "./targets.ts";

/** Figures of one run by name; the unit is part of the name. */
export type Sample = Readonly<Record<string, number>>;

/** What a run may take. */
export interface Effort {
  /** How long a load lasts, in seconds. */
  readonly seconds: number;
  /** Scales counts: 1 usually, less where it has to be quick. */
  readonly scale: number;
}

/** What all cases share. */
export interface World {
  readonly natsUrl: string;
  /** Of the processes that share the machine with what is measured. */
  readonly pids: Readonly<Record<"nats-server" | "workload", number>>;
  /** Takes whatever traces and metrics it is sent. */
  readonly collectorUrl: string;
  readonly effort: Effort;
}

/** Something to measure. */
export interface Case {
  /** For the command line. */
  readonly name: string;
  /** For people. */
  readonly title: string;
  /** @default all but `plain` */
  readonly targets?: readonly TargetKind[];
  /** Flags of the gateway; `{collector}` becomes a collector's URL. */
  readonly flags?: readonly string[];
  /** A configuration file of the gateway, in YAML. */
  readonly config?: string;
  /** A new process for each run: memory that one run has left free hides what the next one takes. */
  readonly isFresh?: boolean;
  /** How many runs mean something; @default as many as asked */
  readonly maxRuns?: number;
  /** Not run unless it is named. */
  readonly isLong?: boolean;

  /**
   * Measures once.
   *
   * @param target What.
   * @param world What all cases share.
   * @returns The figures.
   * @throws {Unmeasurable} when they cannot be had.
   */
  measure(target: Target, world: World): Promise<Sample>;
}

/** Several runs of one figure. */
export interface Figure {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

/** What was measured of one case. */
export interface Result {
  readonly case: string;
  readonly title: string;
  readonly runs: number;
  readonly figures: Readonly<Record<string, Partial<Record<TargetKind, Figure>>>>;
  /** Why a target has none. */
  readonly unmeasured: Partial<Record<TargetKind, string>>;
}

/**
 * Puts several runs together.
 *
 * @param samples Of one figure; at least one.
 * @returns Median, smallest and largest.
 */
export function summarize(samples: readonly number[]): Figure {
  const sorted = samples.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  const low = sorted[Math.ceil(middle) - 1]!;
  const high = sorted[Math.floor(middle)]!;
  return { median: (low + high) / 2, min: sorted[0]!, max: sorted.at(-1)! };
}
