/**
 * What can be configured: one schema gives types, defaults, validation, the command line and its
 * help.
 *
 * @module
 */
import { z } from "zod";
import type { ControlSubjects } from "../mapping/control.ts";
import { isSubjectPrefix } from "../mapping/subject.ts";
import { LOG_LEVELS, type LogFormat, type LogLevel } from "../telemetry/log.ts";
import { type Address, parseAddress, parseDurationMs, parseSizeBytes } from "./units.ts";

/** The gateway's configuration, complete. Durations are milliseconds, sizes bytes. */
export interface GatewayConfig {
  /** NATS servers to connect to. */
  readonly natsUrl: readonly string[];
  /** Where HTTP and WebSocket clients come in. */
  readonly listen: Address;
  /** The first tokens of every subject. */
  readonly prefix: string;
  /** How long a reply, or the next message of a streamed one, may take. */
  readonly requestTimeout: number;
  /** The largest request body and the largest WebSocket message. */
  readonly maxBodySize: number;
  /** How many bytes of a streamed response may wait for a slow client. */
  readonly responseBuffer: number;
  /** How many bytes may wait for a slow WebSocket client. */
  readonly wsSendBuffer: number;
  /** How many bytes of a WebSocket client's messages may wait for NATS to come back. */
  readonly wsReceiveBuffer: number;
  /** How often an idle WebSocket is pinged, to find those that vanished; 0 for never. */
  readonly wsIdleTimeout: number;
  /** On which subjects it is told who connected and who left. */
  readonly controlSubjects: ControlSubjects;
  /** Answer 200 as soon as a request is published; no replies. */
  readonly publishOnly: boolean;
  /** How long WebSockets stay open while NATS is away. */
  readonly natsGrace: number;
  /** How long requests in flight may take to end after a signal to stop. */
  readonly drainTimeout: number;
  /** Where health and metrics are served; undefined for nowhere. */
  readonly admin?: Address | undefined;
  /** How a log line looks. */
  readonly logFormat: LogFormat;
  /** The least that is logged. */
  readonly logLevel: LogLevel;
}

/**
 * What one may leave out or write as people do: everything is optional, durations and sizes may be
 * text (`"5s"`, `"2MiB"`), addresses are `"HOST:PORT"`.
 */
export interface GatewayOptions {
  /**
   * NATS servers to connect to.
   *
   * @default ["nats://127.0.0.1:4222"]
   */
  readonly natsUrl?: readonly string[];
  /**
   * Where clients come in, as `"HOST:PORT"`; port 0 for a free one.
   *
   * @default "0.0.0.0:8080"
   */
  readonly listen?: string;
  /**
   * The first tokens of every subject.
   *
   * @default "h8s"
   */
  readonly prefix?: string;
  /**
   * How long a reply, or the next message of a streamed one, may take.
   *
   * @default "30s"
   */
  readonly requestTimeout?: string | number;
  /**
   * The largest request body and the largest WebSocket message.
   *
   * @default "2MiB"
   */
  readonly maxBodySize?: string | number;
  /**
   * What of a streamed response may wait for a slow client.
   *
   * @default "8MiB"
   */
  readonly responseBuffer?: string | number;
  /**
   * What may wait for a slow WebSocket client.
   *
   * @default "1MiB"
   */
  readonly wsSendBuffer?: string | number;
  /**
   * What of a WebSocket client's messages may wait for NATS to come back.
   *
   * @default "1MiB"
   */
  readonly wsReceiveBuffer?: string | number;
  /**
   * How often an idle WebSocket is pinged; 0 for never.
   *
   * @default "30s"
   */
  readonly wsIdleTimeout?: string | number;
  /**
   * On which subjects it is told who connected and who left.
   *
   * @default "both"
   */
  readonly controlSubjects?: ControlSubjects;
  /**
   * Answer 200 as soon as a request is published; no replies.
   *
   * @default false
   */
  readonly publishOnly?: boolean;
  /**
   * How long WebSockets stay open while NATS is away.
   *
   * @default "15s"
   */
  readonly natsGrace?: string | number;
  /**
   * How long requests in flight may take to end when stopping.
   *
   * @default "10s"
   */
  readonly drainTimeout?: string | number;
  /**
   * Where health and metrics are served, as `"HOST:PORT"`.
   *
   * @default undefined: nowhere
   */
  readonly admin?: string | undefined;
  /**
   * How a log line looks.
   *
   * @default "text"
   */
  readonly logFormat?: LogFormat;
  /**
   * The least that is logged.
   *
   * @default "info"
   */
  readonly logLevel?: LogLevel;
}

/** A value that cannot be used, named. */
export class ConfigError extends Error {
  /** Always `"ConfigError"`. */
  override readonly name = "ConfigError";

  /**
   * Names the option.
   *
   * @param option The name of the option, as in {@link GatewayOptions}; empty for none.
   * @param message What is wrong and what would be right.
   */
  constructor(readonly option: string, message: string) {
    super(message);
  }
}

const DURATION = `a duration such as "500ms", "5s" or "1m"`;
const SIZE = `a size such as "2097152", "64KiB" or "2MiB"`;
const ADDRESS = `HOST:PORT, e.g. "0.0.0.0:8080" or "[::1]:8080"`;
const NATS_URL = `a NATS URL such as "nats://127.0.0.1:4222"`;
const PREFIX = `literal subject tokens joined by dots, e.g. "h8s"`;

/** Every option with its default, what it is for, and how its value is called in the help. */
export const configSchema = z.strictObject({
  natsUrl: z.array(parsed(NATS_URL, parseNatsUrl)).min(1, `expected ${NATS_URL}`)
    .default(["nats://127.0.0.1:4222"])
    .meta({ placeholder: "URL", description: "NATS server; may be repeated" }),
  listen: parsed(ADDRESS, parseAddress).default({ hostname: "0.0.0.0", port: 8080 })
    .meta({ placeholder: "HOST:PORT", description: "Where clients come in" }),
  prefix: parsed(PREFIX, (text) => isSubjectPrefix(text) ? text : undefined).default("h8s")
    .meta({ placeholder: "TOKENS", description: "First tokens of every subject" }),
  requestTimeout: duration("30s", "How long a reply, or the next chunk of one, may take"),
  maxBodySize: size("2MiB", "Largest request body and WebSocket message"),
  responseBuffer: size("8MiB", "What of a streamed response may wait for a slow client"),
  wsSendBuffer: size("1MiB", "What may wait for a slow WebSocket client"),
  wsReceiveBuffer: size("1MiB", "What of a WebSocket client may wait for NATS to come back"),
  wsIdleTimeout: duration("30s", "How often idle WebSockets are pinged; 0s for never"),
  controlSubjects: z.enum(["flat", "host", "both"], { error: oneOf }).default("both")
    .meta({ placeholder: "FORM", description: "Control events on flat or host subjects, or both" }),
  publishOnly: z.boolean().default(false)
    .meta({ description: "Answer 200 once a request is published; no replies" }),
  natsGrace: duration("15s", "How long WebSockets stay open while NATS is away"),
  drainTimeout: duration("10s", "How long requests in flight may take to end when stopping"),
  admin: parsed(ADDRESS, parseAddress).optional()
    .meta({ placeholder: "HOST:PORT", description: "Serve /healthz, /readyz and /metrics here" }),
  logFormat: z.enum(["text", "json"], { error: oneOf }).default("text")
    .meta({ placeholder: "FORMAT", description: "How a log line looks: text or json" }),
  logLevel: z.enum(LOG_LEVELS, { error: oneOf }).default("info")
    .meta({
      placeholder: "LEVEL",
      description: "The least that is logged: debug, info, warn, error",
    }),
});

/**
 * Checks options and fills in the defaults.
 *
 * @param options From the command line, a file or a program.
 * @returns The complete configuration.
 * @throws {ConfigError} that names the first option that cannot be used, and what would be right.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseConfig } from "./schema.ts";
 *
 * assert.equal(parseConfig({ requestTimeout: "5s" }).requestTimeout, 5000);
 * assert.throws(() => parseConfig({ listen: "nowhere" }), /expected HOST:PORT/);
 * ```
 */
export function parseConfig(options: unknown): GatewayConfig {
  const result = configSchema.safeParse(options);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new ConfigError(String(issue?.path[0] ?? ""), issue?.message ?? "expected an object");
}

function parsed<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.string({ error: () => `expected ${expected}` }).transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: `expected ${expected}` });
    return z.NEVER;
  });
}

function duration(byDefault: string, description: string) {
  return quantity(DURATION, parseDurationMs, byDefault).meta({
    placeholder: "DURATION",
    description,
  });
}

function size(byDefault: string, description: string) {
  return quantity(SIZE, parseSizeBytes, byDefault).meta({ placeholder: "SIZE", description });
}

/** Text with a unit, or a number that is in milliseconds or bytes already. */
function quantity(
  expected: string,
  parse: (text: string) => number | undefined,
  byDefault: string,
) {
  const number = z.number({ error: () => `expected ${expected}` }).nonnegative();
  return z.union([number, parsed(expected, parse)], { error: () => `expected ${expected}` })
    .prefault(byDefault);
}

function parseNatsUrl(text: string): string | undefined {
  const url = URL.parse(text.includes("://") ? text : `nats://${text}`);
  return url !== null && /^(nats|tls):$/.test(url.protocol) && url.hostname !== ""
    ? text
    : undefined;
}

function oneOf(issue: { values?: unknown }): string {
  return `expected one of ${(issue.values as readonly string[]).join(", ")}`;
}
