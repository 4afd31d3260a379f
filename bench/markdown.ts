/**
 * Runs of the harness as the tables of docs/performance.md.
 *
 * @module
 */
import type { Figure, Result } from "./case.ts";
import { toText } from "./report.ts";
import type { Grown } from "./scale/growth.ts";
import type { Ladder } from "./steps.ts";
import type { Machine } from "./machine.ts";

/** What one of the harness's commands has written, and the section that shows it. */
export interface Run {
  /** A heading of docs/performance.md or docs/performance-log.md, and after a colon what else there is to say. */
  readonly of: string;
  readonly command: string;
  readonly machine: Machine;
  /** Of `bench`. */
  readonly results?: readonly Result[];
  /** Of `bench:scale`. */
  readonly grown?: readonly Grown[];
  /** Of `bench:steps`. */
  readonly ladders?: readonly Ladder[];
}

type Row = readonly string[];
type Cells = Partial<Record<"bare" | "plain" | "h8s" | "peer", Figure>>;

/** The case whose bare server's CPU is the unit of a run beside another gateway. */
const UNIT = "get-32";
/** What is aimed at, in that unit. */
const AIMS: Readonly<Record<string, number>> = {
  "get-32": 2.8,
  "post-1k": 3.6,
  "post": 4.6,
  "post-100k": 15,
  "post-1000k": 80,
  "large": 9,
  "events": 15,
  "ws-in-100B-100": 0.33,
  "ws-out-100B-100": 0.28,
  "connect": 10,
};

/** All tables of a run, in Markdown, with what they were measured on. */
export function toTables(
  { command, machine, results = [], grown = [], ladders = [] }: Run,
): string[] {
  const { commit = "a commit that is not told", date } = machine;
  return [
    `\`${command}\`, ${commit}, ${date}`,
    ...toResultTables(results, /h8s\w*d\b/.test(command) ? "Go daemon" : "peer"),
    ...toGrowthTables(grown),
    ...(ladders.length === 0 ? [] : [toLadderTable(ladders)]),
  ];
}

function toResultTables(results: readonly Result[], peer: string): string[] {
  const rows = (isMeant: (figure: string) => boolean) =>
    results.flatMap(({ case: name, title, figures }) =>
      Object.entries(figures).filter(([figure]) => isMeant(figure))
        .map(([figure, cells]) => ({ name, title, figure, cells }))
    );
  const isCpu = (figure: string) => figure.startsWith("cpu µs/");
  const isLatency = (figure: string) => /^p\d+ ms$/.test(figure);
  const hasPeer = results.some(({ figures }) => Object.values(figures).some(({ peer }) => peer));
  const unit = hasPeer ? toUnit(results) : undefined;
  const others = rows((figure) =>
    !isCpu(figure) && !isLatency(figure) && !figure.endsWith("/s") || figure === "MB/s"
  );
  return [
    unit === undefined
      ? compare("CPU", rows(isCpu), peer)
      : toUnitTable(rows(isCpu), { unit, peer }),
    toLatencyTable(results, peer),
    compare("", others, peer),
    ...results.flatMap(({ title, unmeasured }) =>
      Object.entries(unmeasured).map(([kind, why]) => `${title}: ${kind} not measured: ${why}`)
    ),
  ].filter((table) => table !== "");
}

function toUnit(results: readonly Result[]): number | undefined {
  const get = results.find(({ case: name }) => name === UNIT);
  return get?.figures["cpu µs/request"]?.bare?.median;
}

interface Line {
  readonly name: string;
  readonly title: string;
  readonly figure: string;
  readonly cells: Cells;
}

function toUnitTable(
  lines: readonly Line[],
  { unit, peer }: { unit: number; peer: string },
): string {
  const head = ["", "bare", peer, "gateway", "aim", "gateway / bare", "gateway / Go"];
  if (peer !== "Go daemon") head[6] = `gateway / ${peer}`;
  const rows = lines.map(({ name, title, cells: { bare, h8s, peer } }) => [
    title,
    ...[bare, peer, h8s].map((figure) => figure ? toText(figure.median / unit) : ""),
    String(AIMS[name] ?? ""),
    toRatio(h8s, bare),
    toRatio(h8s, peer),
  ]);
  return `CPU, 1 = one GET of the bare server in this run, ${toText(unit)} µs\n\n${
    toTable(head, rows)
  }`;
}

/** Bare or plain, the gateway with its spread, another one, ratios. */
function compare(heading: string, lines: readonly Line[], peer: string): string {
  if (lines.length === 0) return "";
  const has = (kind: keyof Cells) => lines.some(({ cells }) => cells[kind] !== undefined);
  const bases = (["bare", "plain", "peer"] as const).filter(has);
  const toName = (kind: keyof Cells) =>
    kind === "peer" ? peer : kind === "plain" ? "without" : kind;
  const head = [
    heading,
    ...bases.map(toName),
    "gateway (min–max)",
    ...bases.map((kind) => `gateway / ${toName(kind)}`),
  ];
  const rows = lines.map(({ title, figure, cells }) => [
    `${title}: ${figure}`,
    ...bases.map((kind) => cells[kind] ? toText(cells[kind].median) : ""),
    cells.h8s === undefined ? "" : toSpread(cells.h8s),
    ...bases.map((kind) => toRatio(cells.h8s, cells[kind])),
  ]);
  return toTable(head, rows);
}

function toLatencyTable(results: readonly Result[], peer: string): string {
  const kinds = (["bare", "plain", "peer", "h8s"] as const).filter((kind) =>
    results.some(({ figures }) => figures["p50 ms"]?.[kind] !== undefined)
  );
  const names = { bare: "bare", plain: "without", peer, h8s: "gateway" };
  const columns = ["p50", "p99"].flatMap((share) =>
    kinds.map((kind) => ({ figure: `${share} ms`, kind, title: `${share} ${names[kind]}` }))
  );
  const rows = results.filter(({ figures }) => figures["p50 ms"] !== undefined)
    .map(({ title, figures }) => [
      title,
      ...columns.map(({ figure, kind }) => {
        const measured = figures[figure]?.[kind];
        return measured === undefined ? "" : toText(measured.median);
      }),
    ]);
  return rows.length === 0
    ? ""
    : `Latency in ms\n\n${toTable(["", ...columns.map(({ title }) => title)], rows)}`;
}

/** What requests cost at both ends, in one table; then all figures of each, at all sizes. */
function toGrowthTables(grown: readonly Grown[]): string[] {
  const ends = grown.flatMap(({ title, figures }): Row[] => {
    const [cpu, p99] = [/^cpu µs\/(?:request|GET)/, /p99 ms$/].map((name) =>
      Object.entries(figures).find(([figure]) => name.test(figure))?.[1]
    );
    if (cpu === undefined || p99 === undefined) return [];
    const [least, most] = toEnds(Object.keys(cpu));
    const delays = toEnds(Object.values(p99)).map(({ median }) => toText(median));
    const ratio = toRatio(...toEnds(Object.values(cpu)).toReversed() as [Figure, Figure]);
    return [[title, toCount(least!), toCount(most!), ratio, delays.join(" → ")]];
  });
  const head = ["CPU of a request", "least", "most", "most / least", "p99 ms"];
  return [
    ...(ends.length === 0 ? [] : [toTable(head, ends)]),
    ...grown.map(({ title, figures }) => {
      const sizes = Object.keys(Object.values(figures)[0] ?? {});
      const rows = Object.entries(figures).map(([figure, bySize]) => [
        figure,
        ...sizes.map((size) => bySize[size] === undefined ? "" : toText(bySize[size].median)),
      ]);
      return toTable([title, ...sizes.map(toCount)], rows);
    }),
  ];
}

/** A line for each step; in units of the first load's first step. */
function toLadderTable(ladders: readonly Ladder[]): string {
  const [first] = ladders;
  const unit = Object.values(first!.steps)[0]!.micros.median;
  const names = [...new Set(ladders.flatMap(({ steps }) => Object.keys(steps)))];
  const hasBytes = Object.values(first!.steps)[0]!.kilobytes !== undefined;
  const rows = names.map((name) => [
    name,
    ...ladders.map(({ steps }) => steps[name] ? toText(steps[name].micros.median / unit) : ""),
    ...(hasBytes ? [`${toText(first!.steps[name]?.kilobytes?.median ?? Number.NaN)} kB`] : []),
  ]);
  const head = [
    `1 = the first load's first step, ${toText(unit)} µs`,
    ...ladders.map(({ load }) => load),
    ...(hasBytes ? ["allocated by the first load"] : []),
  ];
  return toTable(head, rows);
}

function toEnds<T>(all: readonly T[]): T[] {
  return [all[0]!, all.at(-1)!];
}

function toCount(size: string): string {
  return Number(size).toLocaleString("en").replaceAll(",", " ");
}

function toRatio(one: Figure | undefined, other: Figure | undefined): string {
  if (one === undefined || other === undefined || other.median <= 0) return "";
  return (one.median / other.median).toPrecision(3);
}

function toSpread({ median, min, max }: Figure): string {
  return min === max ? toText(median) : `${toText(median)} (${toText(min)}–${toText(max)})`;
}

/** As the formatter wants it. */
function toTable(head: Row, rows: readonly Row[]): string {
  const widths = head.map((_, column) =>
    Math.max(3, ...[head, ...rows].map((row) => row[column]!.length))
  );
  const toLine = (row: Row) => `| ${row.map((cell, at) => cell.padEnd(widths[at]!)).join(" | ")} |`;
  const line = `| ${widths.map((width) => "-".repeat(width)).join(" | ")} |`;
  return [toLine(head), line, ...rows.map(toLine)].join("\n");
}
