/**
 * What one measure of size does to what is measured.
 *
 * @module
 */
import { type Figure, type Sample, summarize } from "../case.ts";

/** What all of them share. */
export interface GrowthWorld {
  /** With JetStream. */
  readonly nats: { readonly url: string; readonly pid: number };
  /** How long a load lasts. */
  readonly seconds: number;
}

/** Something of which there can be few or many. */
export interface Growth {
  /** For the command line. */
  readonly name: string;
  /** For people; what is counted. */
  readonly title: string;
  /** How many, from few to many; the first is what the others are compared with. */
  readonly sizes: readonly number[];
  /** How many runs mean something; @default as many as asked */
  readonly maxRuns?: number;

  /** Measures once, with so many. */
  measure(size: number, world: GrowthWorld): Promise<Sample>;
}

/** What was measured of one. */
export interface Grown {
  readonly name: string;
  readonly title: string;
  readonly runs: number;
  /** By figure and size. */
  readonly figures: Readonly<Record<string, Readonly<Record<string, Figure>>>>;
}

/** Measures all sizes, turn by turn, so that what disturbs one disturbs all. */
export async function measureGrowth(
  growth: Growth,
  world: GrowthWorld,
  { runs, sizes = growth.sizes }: { runs: number; sizes?: readonly number[] },
): Promise<Grown> {
  const count = Math.min(runs, growth.maxRuns ?? runs);
  const samples: [size: number, sample: Sample][] = [];
  for (let run = 0; run < count; run++) {
    for (const size of sizes) samples.push([size, await growth.measure(size, world)]);
  }
  const figures: Record<string, Record<string, Figure>> = {};
  for (const [size, sample] of samples) {
    for (const name of Object.keys(sample)) {
      const values = samples.flatMap(([of, { [name]: value }]) =>
        of === size && value !== undefined ? [value] : []
      );
      (figures[name] ??= {})[size] = summarize(values);
    }
  }
  const { name, title } = growth;
  return { name, title, runs: count, figures };
}

/** A table: a line for each figure, a column for each size; and the last by the first. */
export function renderGrown({ name, title, figures }: Grown): string {
  const lines = Object.entries(figures).map(([figure, bySize]) => {
    const cells = Object.entries(bySize)
      .map(([size, { median }]) => `${toText(Number(size))}: ${toText(median)}`.padEnd(18));
    const all = Object.values(bySize).map(({ median }) => median);
    const ratio = all.at(-1)! / all[0]!;
    const times = all.length > 1 && Number.isFinite(ratio) ? `× ${ratio.toPrecision(3)}` : "";
    return `  ${figure.padEnd(30)} ${cells.join("")}${times}`.trimEnd();
  });
  return [`\n${title}  (${name})`, ...lines].join("\n");
}

function toText(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString("en").replaceAll(",", " ");
  return Math.abs(value) >= 100 ? value.toFixed(0) : value.toPrecision(3);
}
