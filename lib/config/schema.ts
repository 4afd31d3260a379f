/**
 * What can be configured: one schema gives types, defaults, validation, the command line and its
 * help.
 *
 * @module
 */
import { z } from "zod";
import { parseRoute } from "../mapping/route.ts";
import { encodeToken, isSubjectPrefix, toHostName } from "../mapping/subject.ts";
import { LOG_LEVELS } from "../telemetry/log.ts";
import { suggest } from "./suggest.ts";
import { ConfigError, type GatewayConfig } from "./options.ts";
import { parseAddress, parseDurationMs, parseSizeBytes } from "./units.ts";

/** A longer wait would make a timer ring at once. */
const LONGEST_TIMER_MS = 24 * 86_400_000;
const DURATION = `a duration such as "500ms", "5s" or "1m"`;
const SIZE = `a size such as "2097152", "64KiB" or "2MiB"`;
const ADDRESS = `HOST:PORT, e.g. "0.0.0.0:8080" or "[::1]:8080"`;
const NATS_URL = `a NATS URL such as "nats://127.0.0.1:4222"`;
const HOSTS = `host names such as "example.com" or "*.example.com"`;
const HOST = `a host name such as "api.example.com"`;
const BACKEND_URL = `an HTTP URL such as "http://localhost:3000"`;
const GROUP = `one literal subject token such as "api"`;
const PREFIX = `literal subject tokens joined by dots, e.g. "h8s"`;

const sessionSchema = z.strictObject({
  cookie: z.string().regex(/^[!#$%&'*+\-.^_`|~\w]+$/, "expected a cookie name").default("clientId"),
  maxAge: quantity(DURATION, parseDurationMs, "720h"),
});

const routeSchema = z.strictObject({
  match: z.strictObject({
    host: z.string().optional(),
    path: z.string().optional(),
    methods: z.array(z.string().regex(/^[A-Z][A-Z0-9-]{0,31}$/, "expected an upper-case method"))
      .optional(),
    upgrade: z.literal("websocket", { error: `expected "websocket"` }).optional(),
  }),
  subject: z.string().optional(),
  publish: z.string().optional(),
  subscribe: z.array(z.string()).optional(),
  mode: z.enum(["request", "publish"], { error: oneOf }).optional(),
}).superRefine((route, context) => {
  try {
    parseRoute(route);
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof Error ? error.message : "" });
  }
});

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
  hostFilters: z.array(parsed(HOSTS, parseHostFilters)).transform((lists) => lists.flat()).prefault(
    [],
  )
    .meta({
      placeholder: "HOSTS",
      description: "Hosts that are served: example.com,*.example.org",
    }),
  trackInterest: z.boolean().default(false)
    .meta({ description: "Let only requests pass for which a workload has registered" }),
  session: sessionSchema.optional().meta({ isFileOnly: true }),
  routes: z.array(routeSchema).default([]).meta({ isFileOnly: true }),
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
  return parseWith(configSchema, options);
}

/** The options of the reverse daemon. */
export const reverseSchema = z.strictObject({
  hostname: z.array(parsed(HOST, parseHost), { error: () => `expected ${HOST}` })
    .min(1, `expected ${HOST}`).prefault([])
    .meta({ placeholder: "HOST", description: "Public host to serve; may be repeated" }),
  backendUrl: parsed(BACKEND_URL, parseBackendUrl)
    .meta({ placeholder: "URL", description: "The local server, e.g. http://localhost:3000" }),
  queueGroup: parsed(GROUP, (text) => encodeToken(text) === text && text !== "" ? text : undefined)
    .default("h8s-reverse")
    .meta({ placeholder: "NAME", description: "Replicas of one name share the work" }),
  ...configSchema.pick({ natsUrl: true, prefix: true, logFormat: true, logLevel: true }).shape,
});

/**
 * Checks options against a schema and fills in its defaults.
 *
 * @param schema What is expected.
 * @param options From the command line, a file or a program.
 * @returns What the schema makes of them.
 * @throws {ConfigError} that names the first option that cannot be used, and what would be right.
 */
export function parseWith<T>(schema: z.ZodType<T>, options: unknown): T {
  const result = schema.safeParse(options);
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  if (issue === undefined) throw result.error;
  const path = issue.path.map(String);
  if (issue.code !== "unrecognized_keys") throw new ConfigError(path, issue.message);
  const [key = ""] = issue.keys;
  const known = path.length === 0 ? Object.keys(configSchema.shape) : [];
  const closest = suggest(key, known);
  const hint = closest === undefined ? "" : `; did you mean "${closest}"?`;
  throw new ConfigError([...path, key], `there is no such option${hint}`);
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
  return quantity(DURATION, parseDurationMs, byDefault)
    .refine(
      (ms) => ms <= LONGEST_TIMER_MS,
      `expected at most ${LONGEST_TIMER_MS / 86_400_000} days`,
    )
    .prefault(byDefault).meta({
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
  if (url === null || !/^(nats|tls):$/.test(url.protocol) || url.hostname === "") return undefined;
  return isPercentEncoded(url.username) && isPercentEncoded(url.password) ? text : undefined;
}

function isPercentEncoded(text: string): boolean {
  try {
    decodeURIComponent(text);
    return true;
  } catch {
    return false;
  }
}

function parseHost(text: string): string | undefined {
  try {
    return toHostName(text);
  } catch {
    return undefined;
  }
}

function parseBackendUrl(text: string): URL | undefined {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) ? url : undefined;
}

function parseHostFilters(text: string): string[] | undefined {
  const filters = text.toLowerCase().split(",").map((filter) => filter.trim());
  return filters.every((filter) => /^(\*\.)?[\w:-]+(\.[\w-]+)*$/.test(filter))
    ? filters
    : undefined;
}

function oneOf(issue: { values?: unknown }): string {
  return `expected one of ${(issue.values as readonly string[]).join(", ")}`;
}
