/**
 * Prometheus' metrics as OpenTelemetry's: the same numbers, for whoever has a collector and no scraper.
 *
 * @module
 */
import type { Attributes, HrTime } from "@opentelemetry/api";
import type {
  CollectionResult,
  DataPoint,
  Histogram,
  MetricData,
} from "@opentelemetry/sdk-metrics";
import type { Figure } from "../telemetry/figure.ts";
import type { Metrics } from "../telemetry/metrics.ts";

type Kinds = Pick<
  typeof import("@opentelemetry/sdk-metrics"),
  "AggregationTemporality" | "DataPointType" | "InstrumentType"
>;
type Resource = CollectionResult["resourceMetrics"]["resource"];

/** OpenTelemetry's `ValueType.DOUBLE`. */
const DOUBLE = 1;

/**
 * Reads metrics for OpenTelemetry.
 *
 * @param options `kinds`: OpenTelemetry's names of things; `resource`: whose metrics they are.
 * @returns What a metric reader collects; sums and histograms are cumulative since this was called.
 */
export function createMetricProducer(
  metrics: Metrics,
  { kinds, resource }: { kinds: Kinds; resource: Resource },
): { collect(): Promise<CollectionResult> } {
  const startTime = now();
  return {
    async collect() {
      const figures = await metrics.read();
      const times = { startTime, endTime: now() };
      const scopeMetrics = [{
        scope: { name: "h8s" },
        metrics: figures.map((figure) => toMetricData(figure, { kinds, times })),
      }];
      return { resourceMetrics: { resource, scopeMetrics }, errors: [] };
    },
  };
}

interface Times {
  readonly startTime: HrTime;
  readonly endTime: HrTime;
}

function toMetricData(
  metric: Figure,
  { kinds, times }: { kinds: Kinds; times: Times },
): MetricData {
  const { DataPointType, InstrumentType, AggregationTemporality } = kinds;
  const type = `${metric.type}`;
  const instrument = type === "counter"
    ? InstrumentType.COUNTER
    : type === "histogram"
    ? InstrumentType.HISTOGRAM
    : InstrumentType.GAUGE;
  const descriptor = {
    name: metric.name,
    description: metric.help,
    unit: metric.name.includes("_seconds") ? "s" : metric.name.includes("_bytes") ? "By" : "",
    type: instrument,
    valueType: DOUBLE,
    advice: {},
  };
  const aggregationTemporality = AggregationTemporality.CUMULATIVE;
  switch (type) {
    case "counter":
      return {
        descriptor,
        aggregationTemporality,
        dataPointType: DataPointType.SUM,
        isMonotonic: true,
        dataPoints: toPoints(metric, times),
      };
    case "histogram":
      return {
        descriptor,
        aggregationTemporality,
        dataPointType: DataPointType.HISTOGRAM,
        dataPoints: toHistograms(metric, times),
      };
    default:
      return {
        descriptor,
        aggregationTemporality,
        dataPointType: DataPointType.GAUGE,
        dataPoints: toPoints(metric, times),
      };
  }
}

function toPoints({ values }: Figure, times: Times): DataPoint<number>[] {
  return values.map(({ value, labels }) => ({
    ...times,
    attributes: { ...labels } as Attributes,
    value,
  }));
}

/** Prometheus' buckets hold what is below them, too; OpenTelemetry's hold their own alone. */
function toHistograms({ values }: Figure, times: Times): DataPoint<Histogram>[] {
  const series = new Map<
    string,
    { labels: Attributes; bounds: [number, number][]; sum: number; count: number }
  >();
  for (const { value, labels, metricName = "" } of values) {
    const { le, ...rest } = labels as Record<string, string | number>;
    const key = JSON.stringify(rest);
    const one = series.get(key) ?? { labels: rest, bounds: [], sum: 0, count: 0 };
    series.set(key, one);
    if (metricName.endsWith("_sum")) one.sum = value;
    else if (metricName.endsWith("_count")) one.count = value;
    else if (le !== "+Inf") one.bounds.push([Number(le), value]);
  }
  return [...series.values()].map(({ labels, bounds, sum, count }) => {
    bounds.sort(([a], [b]) => a - b);
    const upTo = bounds.map(([, value]) => value);
    const counts = [...upTo, count].map((value, index) => value - (upTo[index - 1] ?? 0));
    const boundaries = bounds.map(([bound]) => bound);
    return { ...times, attributes: labels, value: { buckets: { boundaries, counts }, sum, count } };
  });
}

function now(): HrTime {
  const ms = Date.now();
  return [Math.floor(ms / 1000), (ms % 1000) * 1e6];
}
