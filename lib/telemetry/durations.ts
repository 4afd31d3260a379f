/**
 * A histogram of durations.
 *
 * @module
 */
import type { Histogram, Registry } from "prom-client";
import { DURATION_BUCKETS } from "./buckets.ts";
import type { Figure } from "./figure.ts";

/**
 * Of plain numbers: prom-client looks its series up, and asks what a value is, for each that it observes, which
 * costs more than all else that is counted of a request.
 */
export class Durations {
  /** By bucket, each without those before it; the last are over all bounds. */
  readonly #counts = Array.from({ length: DURATION_BUCKETS.length + 1 }, () => 0);
  #sum = 0;

  /** Registers it. */
  constructor(registry: Registry, { name, help }: { name: string; help: string }) {
    const get = (): Promise<Figure> =>
      Promise.resolve({ name, help, type: "histogram", values: this.#toValues(name) });
    // That is all that a registry asks of a metric.
    registry.registerMetric({ name, get } as unknown as Histogram);
  }

  /** Counts one. */
  observe(seconds: number): void {
    let bucket = 0;
    while (bucket < DURATION_BUCKETS.length && seconds > DURATION_BUCKETS[bucket]!) bucket++;
    this.#counts[bucket]!++;
    this.#sum += seconds;
  }

  #toValues(name: string): Figure["values"] {
    let count = 0;
    const buckets = this.#counts.map((own, bucket) => ({
      metricName: `${name}_bucket`,
      labels: { le: DURATION_BUCKETS[bucket] ?? "+Inf" },
      value: count += own,
    }));
    return [
      ...buckets,
      { metricName: `${name}_sum`, labels: {}, value: this.#sum },
      { metricName: `${name}_count`, labels: {}, value: count },
    ];
  }
}
