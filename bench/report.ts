/**
 * Figures for people to read.
 *
 * @module
 */
import type { Figure, Result } from "./case.ts";
import type { TargetKind } from "./targets.ts";

/**
 * Renders a result as a table.
 *
 * @param result Of one case.
 * @returns A heading, a line for each figure, a line for each target that has none.
 */
export function renderResult({ title, figures, unmeasured, case: name }: Result): string {
  const lines = [`\n${title}  (${name})`];
  for (const [figure, byTarget] of Object.entries(figures)) {
    const cells = (["bare", "plain", "h8s", "peer"] as const).flatMap((kind) => {
      const measured = byTarget[kind];
      return measured === undefined ? [] : [`${kind} ${renderFigure(measured)}`.padEnd(34)];
    });
    const ratios = toRatios(byTarget).map(([text, ratio]) => `${text} ${ratio.toFixed(2)}`);
    lines.push(`  ${figure.padEnd(20)} ${cells.join(" ")} ${ratios.join("  ")}`.trimEnd());
  }
  for (const [kind, reason] of Object.entries(unmeasured)) {
    lines.push(`  ${kind} not measured: ${reason}`);
  }
  return lines.join("\n");
}

/**
 * Compares.
 *
 * @param figures Of one figure.
 * @returns The gateway by the bare server, by itself without the flags of the case, by the other gateway.
 */
export function toRatios(
  { bare, plain, h8s, peer }: Partial<Record<TargetKind, Figure>>,
): [text: string, ratio: number][] {
  if (h8s === undefined) return [];
  const ratios: [string, number][] = [];
  if (bare !== undefined && bare.median > 0) ratios.push(["h8s/bare", h8s.median / bare.median]);
  if (plain !== undefined && plain.median > 0) {
    ratios.push(["h8s/plain", h8s.median / plain.median]);
  }
  if (peer !== undefined && peer.median > 0) ratios.push(["h8s/peer", h8s.median / peer.median]);
  return ratios;
}

function renderFigure({ median, min, max }: Figure): string {
  return min === max ? toText(median) : `${toText(median)} (${toText(min)}–${toText(max)})`;
}

/** Three digits that say something. */
export function toText(value: number): string {
  if (Number.isInteger(value)) return String(value);
  if (Math.abs(value) >= 100) return value.toFixed(0);
  return value.toPrecision(3);
}
