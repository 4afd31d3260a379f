/**
 * Metrics as OpenMetrics 1.0 has them: the text format with exemplars, which lead from a bucket of latencies to
 * a trace. prom-client writes it as well, but renames its counters for it for good.
 *
 * @module
 */
import type { Exemplar, Figure } from "./figure.ts";

/** The media type. */
export const OPEN_METRICS_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/**
 * Says whether a scrape wants it.
 *
 * @param accept The `Accept` header.
 */
export function wantsOpenMetrics(accept: string | null): boolean {
  return (accept ?? "").split(",").some((range) =>
    /^\s*application\/openmetrics-text\s*(?:;|$)/i.test(range) &&
    !/;\s*q=0(?:\.0*)?\s*$/i.test(range)
  );
}

/**
 * Writes it.
 *
 * @param figures As they stand.
 * @param exemplars Of buckets, by the name of their histogram and their upper bound.
 */
export function renderOpenMetrics(
  figures: readonly Figure[],
  exemplars: ReadonlyMap<string, Exemplar>,
): string {
  const lines: string[] = [];
  for (const { name, help, type, values } of figures) {
    // There, a counter is named without what its samples end in.
    const family = type === "counter" ? name.replace(/_total$/, "") : name;
    lines.push(`# TYPE ${family} ${type}`, `# HELP ${family} ${escape(help)}`);
    for (const { metricName = name, value, labels } of values) {
      const text = Object.entries(labels).map(([label, value]) =>
        `${label}="${escape(String(value))}"`
      );
      const all = text.length === 0 ? "" : `{${text.join(",")}}`;
      const exemplar = exemplars.get(`${name} ${labels["le"]}`);
      const sample = type === "counter" ? `${family}_total` : metricName;
      lines.push(`${sample}${all} ${toNumber(value)}${renderExemplar(exemplar)}`);
    }
  }
  return `${lines.join("\n")}\n# EOF\n`;
}

function renderExemplar(exemplar: Exemplar | undefined): string {
  if (exemplar === undefined) return "";
  const { traceId, value, at } = exemplar;
  return ` # {trace_id="${traceId}"} ${toNumber(value)} ${at / 1000}`;
}

function toNumber(value: number): string {
  if (Number.isFinite(value)) return String(value);
  return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "-Inf";
}

function escape(text: string): string {
  return text.replace(/[\\"]/g, "\\$&").replaceAll("\n", "\\n");
}
