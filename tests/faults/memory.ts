/**
 * How memory changes over time.
 *
 * @module
 */
import { statsOf } from "./process_stats.ts";
import type { World } from "./world.ts";

/** Memory at a time. */
export interface Sample {
  readonly hours: number;
  readonly mib: number;
}

/** What was measured of one process while it lived. */
export interface Life {
  readonly name: string;
  readonly samples: Sample[];
}

/**
 * The slope of the line that fits best (least squares).
 *
 * @param samples At least two, at different times.
 * @returns MiB per hour.
 */
export function slopeOf(samples: readonly Sample[]): number {
  const mean = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;
  const hours = mean(samples.map((sample) => sample.hours));
  const mib = mean(samples.map((sample) => sample.mib));
  let covariance = 0;
  let variance = 0;
  for (const sample of samples) {
    covariance += (sample.hours - hours) * (sample.mib - mib);
    variance += (sample.hours - hours) ** 2;
  }
  return covariance / variance;
}

/** Looks at all processes of a world from time to time. */
export class MemoryWatch implements Disposable {
  readonly #lives = new Map<number, Life>();
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * Begins.
   *
   * @param world Its processes may come and go.
   * @param intervalMs How often, in milliseconds.
   */
  constructor(world: World, intervalMs: number) {
    this.#timer = setInterval(() => this.#look(world), intervalMs);
  }

  /** The longest life under each name: a slope over a few seconds would say nothing. */
  get longestLives(): readonly Life[] {
    const longest = new Map<string, Life>();
    for (const life of this.#lives.values()) {
      const other = longest.get(life.name);
      if ((other?.samples.length ?? 0) < life.samples.length) longest.set(life.name, life);
    }
    return [...longest.values()];
  }

  /** Looks no more. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(world: World): void {
    for (const [name, pid] of Object.entries(world.processes)) {
      const hours = performance.now() / 3_600_000;
      // One that ends this moment has no memory any more.
      statsOf(pid).then(({ rssMiB }) => {
        const life = this.#lives.get(pid) ?? { name, samples: [] };
        this.#lives.set(pid, life);
        life.samples.push({ hours, mib: rssMiB });
      }, () => {});
    }
  }
}
