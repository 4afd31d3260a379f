/**
 * What a collector is told: spans of what comes in, and metrics where that is asked for.
 *
 * @module
 */
import type { GatewayConfig, ReverseConfig } from "../config/schema.ts";
import { settlesWithin } from "../time/within.ts";
import { VERSION } from "../version.ts";
import type { Log } from "../telemetry/log.ts";
import type { Metrics } from "../telemetry/metrics.ts";
import type { Observers } from "../telemetry/observation.ts";
import type { Otlp, OtlpOptions } from "./otlp.ts";

/** How long a collector may take for the last spans. */
const LAST_MS = 2000;

/** What there is to be told of. */
export interface TracingParts {
  readonly observers: Observers;
  readonly metrics: Metrics;
  /** The gateway's id. */
  readonly instance: string;
  readonly log: Log;
}

/**
 * Begins to tell a collector, where one is named; what comes in before the SDK is loaded is not traced.
 *
 * @returns Undefined where no collector is named. Disposing sends what waits, within 2 s.
 */
export function startTracing(
  config: GatewayConfig,
  { observers, metrics, instance, log }: TracingParts,
): AsyncDisposable | undefined {
  const options = {
    ...{ service: "h8s", instance, log },
    metrics: config.otlpMetrics ? metrics : undefined,
    traced: "all",
  } as const;
  return start(config, options, async ({ provider }) => {
    const { createSpans } = await import("./spans.ts");
    const tracer = provider.getTracer("h8s", VERSION);
    return observers.add(createSpans({ tracer, share: config.traceSample }));
  });
}

/**
 * The same for a program that takes messages: its spans are those of the requests that are traced.
 *
 * @returns Undefined where no collector is named. The process has one SDK, which this registers.
 */
export function startConsumerTracing(
  config: ReverseConfig,
  { instance, log }: Pick<TracingParts, "instance" | "log">,
): AsyncDisposable | undefined {
  const options = {
    ...{ service: "h8s-reverse", instance, log, metrics: undefined },
    traced: "sent",
  } as const;
  return start(config, options, async ({ provider }) => {
    const { trace } = await import("@opentelemetry/api");
    trace.setGlobalTracerProvider(provider);
    return { [Symbol.dispose]: () => trace.disable() };
  });
}

function start(
  { otlpEndpoint, otlpHeaders }: Pick<GatewayConfig, "otlpEndpoint" | "otlpHeaders">,
  { log, ...options }:
    & { log: Log }
    & Pick<OtlpOptions, "service" | "instance" | "traced" | "metrics">,
  begin: (otlp: Otlp) => Promise<Disposable>,
): AsyncDisposable | undefined {
  if (otlpEndpoint === undefined) return undefined;
  const open = async () => {
    const { openOtlp } = await import("./otlp.ts");
    const otlp = await openOtlp({
      ...options,
      endpoint: otlpEndpoint,
      headers: otlpHeaders,
      onError: (error) => log.warn("the collector takes nothing", { error: String(error) }),
    });
    const begun = await begin(otlp);
    log.info("traces", { collector: otlpEndpoint });
    return async () => {
      begun[Symbol.dispose]();
      await otlp[Symbol.asyncDispose]();
    };
  };
  const opening = open();
  opening.catch((error) => log.error("cannot send traces", { error: String(error) }));
  return {
    [Symbol.asyncDispose]: async () => {
      const closing = opening.then((close) => close(), () => {});
      if (await settlesWithin(closing, LAST_MS)) return;
      log.warn("the collector did not take the last spans in time");
    },
  };
}
