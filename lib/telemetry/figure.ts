/**
 * A metric, for whoever draws it.
 *
 * @module
 */

/** A metric as it stands: one value for each of its series. */
export interface Figure {
  readonly name: string;
  readonly help: string;
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  readonly values: readonly {
    /** Of a histogram: ends in `_bucket`, `_sum` or `_count`. */
    readonly metricName?: string;
    readonly value: number;
    readonly labels: Readonly<Partial<Record<string, string | number>>>;
  }[];
}

/** One request that fell into a bucket, and is traced. */
export interface Exemplar {
  readonly traceId: string;
  /** As the histogram counts it. */
  readonly value: number;
  /** Milliseconds since 1970. */
  readonly at: number;
}
