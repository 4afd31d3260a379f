/**
 * OpenTelemetry's SDK, loaded only where a collector is named.
 *
 * @module
 */
import type { TracerProvider } from "@opentelemetry/api";
import type { Metrics } from "../telemetry/metrics.ts";
import { VERSION } from "../version.ts";
import { createMetricProducer } from "./metrics.ts";
import { withoutEnvironment } from "../without_environment.ts";

type Resource = ReturnType<typeof import("@opentelemetry/resources").resourceFromAttributes>;

const METRICS_INTERVAL_MS = 15_000;

/** Where it goes, and as whose. */
export interface OtlpOptions {
  /** Without `/v1/traces`. */
  readonly endpoint: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  /** `service.name`. */
  readonly service: string;
  /** `service.instance.id`. */
  readonly instance: string;
  /** What is traced: everything, where the choice is made before; or what the sender of a message traces. */
  readonly traced: "all" | "sent";
  /** Metrics to be sent every 15 s; undefined for none. */
  readonly metrics: Metrics | undefined;
  /** Told of what the collector did not take. */
  readonly onError: (error: unknown) => void;
}

/** A collector that is told until it is disposed of; then what waits is sent, as far as it is taken. */
export interface Otlp extends AsyncDisposable {
  readonly provider: TracerProvider;
}

/**
 * Loads the SDK. It needs no more than the net permission: what it would look for in the environment
 * (`OTEL_…`) it does not find; the options say it.
 *
 * @returns The collector's end here. One that is away loses spans, and nothing else.
 */
export function openOtlp(options: OtlpOptions): Promise<Otlp> {
  const { endpoint, service, instance, metrics, onError } = options;
  const headers = Object.fromEntries(options.headers);
  return withoutEnvironment(async () => {
    const [{ resourceFromAttributes }, trace, { OTLPTraceExporter }] = await Promise.all([
      import("@opentelemetry/resources"),
      import("@opentelemetry/sdk-trace"),
      import("@opentelemetry/exporter-trace-otlp-http"),
    ]);
    const resource = resourceFromAttributes({
      "service.name": service,
      "service.version": VERSION,
      "service.instance.id": instance,
    });
    const exporter = new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, headers });
    tellFailures(exporter, onError);
    const provider = new trace.TracerProvider({
      resource,
      sampler: options.traced === "all"
        ? new trace.AlwaysOnSampler()
        : new trace.ParentBasedSampler({ root: new trace.AlwaysOffSampler() }),
      spanProcessors: [new trace.BatchSpanProcessor({ exporter })],
    });
    const reader = metrics &&
      await openReader(metrics, { endpoint, headers, resource, onError });
    return {
      provider,
      [Symbol.asyncDispose]: async () => {
        await Promise.allSettled([provider.shutdown(), reader?.shutdown()]);
      },
    };
  });
}

async function openReader(
  metrics: Metrics,
  { endpoint, headers, resource, onError }: Pick<OtlpOptions, "endpoint" | "onError"> & {
    headers: Record<string, string>;
    resource: Resource;
  },
): Promise<{ shutdown(): Promise<void> }> {
  const [kinds, { OTLPMetricExporter }] = await Promise.all([
    import("@opentelemetry/sdk-metrics"),
    import("@opentelemetry/exporter-metrics-otlp-http"),
  ]);
  const exporter = new OTLPMetricExporter({ url: `${endpoint}/v1/metrics`, headers });
  tellFailures(exporter, onError);
  const reader = new kinds.PeriodicExportingMetricReader({
    exporter,
    exportIntervalMillis: METRICS_INTERVAL_MS,
    metricProducers: [createMetricProducer(metrics, { kinds, resource })],
  });
  return new kinds.MeterProvider({ resource, readers: [reader] });
}

interface Exporter<T> {
  export(items: T, done: (result: { code: number; error?: Error }) => void): void;
}

/** The SDK tells nobody what was not taken. */
function tellFailures<T>(exporter: Exporter<T>, onError: (error: unknown) => void): void {
  const send = exporter.export.bind(exporter);
  exporter.export = (items, done) =>
    send(items, (result) => {
      if (result.error !== undefined) onError(result.error);
      done(result);
    });
}
