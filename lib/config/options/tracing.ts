/**
 * Options: traces and metrics for OpenTelemetry.
 *
 * @module
 */
import { z } from "zod";
import { listOf, parsed, secret } from "../fields.ts";

const ENDPOINT = 'the URL of a collector, such as "http://127.0.0.1:4318"';
const HEADERS = 'headers as NAME=VALUE, such as "Authorization=Bearer abc"';
const SHARE = "a share from 0 to 1, such as 0.01";

/** Where a collector for OpenTelemetry is. */
export interface CollectorOptions {
  /**
   * Where traces go by OTLP over HTTP; `/v1/traces` and `/v1/metrics` are added to it.
   *
   * @default undefined: nowhere
   */
  readonly otlpEndpoint?: string | undefined;
  /**
   * What a collector wants to see in a request's headers, each as `NAME=VALUE`.
   *
   * @default []
   */
  readonly otlpHeaders?: readonly string[];
}

/** What it gets. */
export interface TracingOptions extends CollectorOptions {
  /**
   * The share of requests that are traced, from 0 to 1; where a trusted proxy's `traceparent` says
   * whether one is, it decides.
   *
   * @default "0.01"
   */
  readonly traceSample?: string;
  /**
   * Whether the metrics of `/metrics` go there, too, every 15 s.
   *
   * @default false
   */
  readonly otlpMetrics?: boolean;
}

/** The same, to be checked. */
export const collectorFields = {
  otlpEndpoint: parsed(ENDPOINT, toEndpoint).optional()
    .meta({ placeholder: "URL", description: "Collector for traces (OTLP over HTTP)" }),
  otlpHeaders: secret(listOf(parsed(HEADERS, toHeader), HEADERS).prefault([]))
    .meta({ placeholder: "NAME=VALUE", description: "A header for the collector" }),
};

/** The same, to be checked. */
export const tracingFields = {
  ...collectorFields,
  traceSample: parsed(SHARE, toShare).prefault("0.01")
    .meta({ placeholder: "SHARE", description: "Which part of the requests is traced" }),
  otlpMetrics: z.boolean("expected true or false").default(false)
    .meta({ description: "Metrics go to the collector, too" }),
};

function toEndpoint(text: string): string | undefined {
  if (!/^https?:\/\//i.test(text) || !URL.canParse(text)) return undefined;
  const { search, hash } = new URL(text);
  return search === "" && hash === "" ? text.replace(/\/+$/, "") : undefined;
}

function toHeader(text: string): readonly [name: string, value: string] | undefined {
  const [, name, value] = /^([^=]+)=(.*)$/.exec(text) ?? [];
  if (name === undefined || value === undefined) return undefined;
  try {
    new Headers([[name, value]]);
    return [name, value];
  } catch {
    return undefined;
  }
}

function toShare(text: string): number | undefined {
  const share = Number(text);
  return /^[01](\.\d+)?$|^\.\d+$/.test(text) && share <= 1 ? share : undefined;
}
