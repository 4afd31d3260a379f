import assert from "node:assert/strict";
import type { z } from "zod";
import { ConfigError, type GatewayOptions, type ReverseOptions } from "../../lib/config/options.ts";
import { configSchema, parseConfig, type reverseSchema } from "../../lib/config/schema.ts";

/** What the README and the help promise; a new option asks for a row. */
const DEFAULTS: Readonly<Record<string, unknown>> = {
  natsUrl: ["nats://127.0.0.1:4222"],
  natsUser: undefined,
  natsPassword: undefined,
  natsToken: undefined,
  natsNkey: undefined,
  natsCreds: undefined,
  natsCa: undefined,
  natsCert: undefined,
  natsKey: undefined,
  tlsCert: undefined,
  tlsKey: undefined,
  listen: { hostname: "0.0.0.0", port: 8080 },
  prefix: "h8s",
  requestTimeout: 30_000,
  maxBodySize: 2_097_152,
  bodyTimeout: 30_000,
  sendTimeout: 30_000,
  responseBuffer: 8_388_608,
  responseTotal: 67_108_864,
  replyTotal: 33_554_432,
  wsSendTimeout: 10_000,
  wsSendLimit: 16_777_216,
  wsSendTotal: 268_435_456,
  wsReceiveBuffer: 1_048_576,
  wsReceiveTotal: 268_435_456,
  persist: undefined,
  persistStorage: "file",
  persistReplicas: 1,
  persistMaxBytes: 0,
  persistMaxAge: 0,
  persistDupeWindow: 120_000,
  events: undefined,
  eventsMaxAge: 86_400_000,
  wsIdleTimeout: 30_000,
  controlSubjects: "both",
  connectionRecords: "auto",
  resume: 0,
  resumeMaxBytes: 268_435_456,
  idleTimeout: undefined,
  bareReplies: "whole",
  resumeMaxWaiting: 4_194_304,
  publishOnly: false,
  startGrace: 0,
  natsGrace: 15_000,
  drainTimeout: 10_000,
  drainDelay: 0,
  admin: undefined,
  adminKey: undefined,
  adminTap: false,
  hostFilters: [],
  allowedOrigins: undefined,
  cors: "gateway",
  corsMaxAge: 600_000,
  corsExposedHeaders: undefined,
  trustedProxies: [],
  proxyHeaders: undefined,
  rate: undefined,
  maxConnections: 0,
  maxConnectionsPerAddress: 0,
  maxInFlight: 0,
  maxUrlLength: 8192,
  maxHeaderBytes: 32_768,
  maxHeaders: 100,
  trackInterest: false,
  fastLane: true,
  sharePort: false,
  auth: undefined,
  authorizationKey: [],
  authorizationKeyFile: undefined,
  jwt: undefined,
  authorizeTimeout: 5000,
  forwardCredentials: false,
  session: undefined,
  routes: [],
  logFormat: "text",
  logLevel: "info",
  accessLog: "off",
  accessLogQuery: false,
  otlpEndpoint: undefined,
  otlpHeaders: [],
  traceSample: 0.01,
  otlpMetrics: false,
};
const DURATIONS = [
  "requestTimeout",
  "wsIdleTimeout",
  "natsGrace",
  "drainTimeout",
  "drainDelay",
] as const;
const SIZES = ["maxBodySize", "responseBuffer", "wsSendLimit", "wsReceiveBuffer"] as const;
/** The documented types and the schema say the same, or this does not compile. */
type Plain<T> = T extends readonly (infer Item)[] ? readonly Plain<Item>[]
  : T extends object ? { readonly [Key in keyof T]-?: Plain<Exclude<T[Key], undefined>> }
  : T;
type Same<A, B> = [Plain<A>, Plain<B>] extends [Plain<B>, Plain<A>] ? true : false;
type _Gateway = Assert<Same<GatewayOptions, z.input<typeof configSchema>>>;
type _Reverse = Assert<Same<ReverseOptions, z.input<typeof reverseSchema>>>;
type Assert<T extends true> = T;
/** What `setTimeout` can wait for; anything longer fires at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

Deno.test("parseConfig() needs nothing said", async (t) => {
  assert.deepEqual(Object.keys(configSchema.shape).toSorted(), Object.keys(DEFAULTS).toSorted());
  const config = toRecord(parseConfig({}));
  for (const [option, value] of Object.entries(DEFAULTS)) {
    await t.step(option, () => assert.deepEqual(config[option], value));
  }
});

Deno.test("parseConfig() takes an undefined for what is not said", () => {
  const options = Object.fromEntries(Object.keys(DEFAULTS).map((option) => [option, undefined]));
  assert.deepEqual({ ...DEFAULTS, ...parseConfig(options) }, DEFAULTS);
});

Deno.test("parseConfig() reads values as people write them", async (t) => {
  const table: [option: string, value: unknown, expected: unknown][] = [
    ["natsUrl", ["nats://a:1", "tls://b", "c:4222", "d"], ["nats://a:1", "tls://b", "c:4222", "d"]],
    ["natsUrl", ["nats://user:secret@a:1"], ["nats://user:secret@a:1"]],
    ["natsUrl", ["nats://[::1]:4222"], ["nats://[::1]:4222"]],
    ["listen", ":80", { hostname: "0.0.0.0", port: 80 }],
    ["listen", "[::1]:0", { hostname: "::1", port: 0 }],
    ["prefix", "acme.edge-1", "acme.edge-1"],
    ["controlSubjects", "flat", "flat"],
    ["connectionRecords", "off", "off"],
    ["publishOnly", true, true],
    ["admin", "127.0.0.1:9090", { hostname: "127.0.0.1", port: 9090 }],
    ["hostFilters", ["Example.com, *.example.org"], ["example.com", "*.example.org"]],
    ["hostFilters", ["a.b", "c.d"], ["a.b", "c.d"]],
    [
      "allowedOrigins",
      ["https://Shop.example, http://a:8080", "null", "*"],
      ["https://shop.example", "http://a:8080", "null", "*"],
    ],
    ["proxyHeaders", ["X-Forwarded-*, X-Real-IP"], ["x-forwarded-*", "x-real-ip"]],
    ["trustedProxies", ["10.0.0.0/8, ::1", "192.0.2.1"], ["10.0.0.0/8", "::1", "192.0.2.1"]],
    ["rate", "100/s", { perSecond: 100, burst: 100 }],
    ["rate", "600/m,burst=50", { perSecond: 10, burst: 50 }],
    ["maxConnections", "1000", 1000],
    ["maxConnections", 1000, 1000],
    ["session", {}, { cookie: "clientId", maxAge: 2_592_000_000, keys: [], sameSite: "lax" }],
    ["session", { cookie: "__Host-s", maxAge: "1h", sameSite: "none" }, {
      cookie: "__Host-s",
      maxAge: 3_600_000,
      keys: [],
      sameSite: "none",
    }],
    ["logFormat", "json", "json"],
    ["logLevel", "debug", "debug"],
    ["accessLog", "json", "json"],
    ["accessLogQuery", true, true],
    ["otlpEndpoint", "http://127.0.0.1:4318/", "http://127.0.0.1:4318"],
    ["otlpHeaders", ["X-Key=a=b"], [["X-Key", "a=b"]]],
    ["traceSample", ".5", 0.5],
    ["otlpMetrics", true, true],
    ...DURATIONS.flatMap((option): [string, unknown, unknown][] => [
      [option, "1.5s", 1500],
      [option, "0s", 0],
    ]),
    ...SIZES.flatMap((option): [string, unknown, unknown][] => [
      [option, "64KiB", 65_536],
      [option, "1000B", 1000],
    ]),
  ];
  for (const [option, value, expected] of table) {
    await t.step(`${option} ${JSON.stringify(value)}`, () => {
      assert.deepEqual(toRecord(parseConfig({ [option]: value }))[option], expected);
    });
  }
});

Deno.test("parseConfig() refuses what it cannot use, and says where and what would be right", async (t) => {
  const table: [option: string, value: unknown, where: string[], expected: RegExp][] = [
    ["natsUrl", [], ["natsUrl"], /^expected a NATS URL/],
    ["natsUrl", "nats://a", ["natsUrl"], /expected/],
    ["natsUrl", ["nats://a", "http://b"], ["natsUrl", "1"], /^expected a NATS URL/],
    ["natsUrl", ["nats://a:99999"], ["natsUrl", "0"], /^expected a NATS URL/],
    ["natsUrl", [""], ["natsUrl", "0"], /^expected a NATS URL/],
    // The password cannot be decoded.
    ["natsUrl", ["nats://ann:5%zz@a"], ["natsUrl", "0"], /^expected a NATS URL/],
    ["natsUrl", [4222], ["natsUrl", "0"], /^expected a NATS URL/],
    ["listen", "nowhere", ["listen"], /^expected HOST:PORT/],
    ["listen", 8080, ["listen"], /^expected HOST:PORT/],
    ["listen", "a:65536", ["listen"], /^expected HOST:PORT/],
    ["admin", "", ["admin"], /^expected HOST:PORT/],
    ["admin", null, ["admin"], /^expected HOST:PORT/],
    ...["", "a.", ".a", "a..b", "a.*", "a.>", "a b", "a\r\nb", 7].map((
      value,
    ): [string, unknown, string[], RegExp] => ["prefix", value, ["prefix"], /subject tokens/]),
    ...DURATIONS.flatMap((option): [string, unknown, string[], RegExp][] =>
      ["soon", "5", "-5s", 5, 0, -1, NaN, Infinity, null].map((value) => [
        option,
        value,
        [option],
        /^expected a duration such as "500ms"/,
      ])
    ),
    ...SIZES.flatMap((option): [string, unknown, string[], RegExp][] =>
      ["big", "2XB", "5", "-1", 5, 0, -1, NaN, Infinity, null].map((value) => [
        option,
        value,
        [option],
        /^expected a size such as "500B"/,
      ])
    ),
    ["controlSubjects", "all", ["controlSubjects"], /^expected one of flat, host, both$/],
    ["publishOnly", "yes", ["publishOnly"], /^expected true or false$/],
    ["trackInterest", 1, ["trackInterest"], /^expected true or false$/],
    ["hostFilters", ["a b"], ["hostFilters", "0"], /^expected host names/],
    ["hostFilters", ["a.b", "a.*"], ["hostFilters", "1"], /^expected host names/],
    ["hostFilters", [""], ["hostFilters", "0"], /^expected host names/],
    ...["https://a.example/", "https://a.example:443", "a.example", "https://a.example/x", ""].map((
      origin,
    ): [string, unknown, string[], RegExp] => [
      "allowedOrigins",
      [origin],
      ["allowedOrigins", "0"],
      /^expected origins/,
    ]),
    ["proxyHeaders", ["X-User"], ["proxyHeaders", "0"], /^expected headers that proxies set/],
    ["trustedProxies", ["10.0.0.0/33"], ["trustedProxies", "0"], /^expected addresses/],
    ["trustedProxies", ["proxy.example"], ["trustedProxies", "0"], /^expected addresses/],
    ["rate", "0/s", ["rate"], /^expected a rate/],
    ["rate", "1/s,burst=0", ["rate"], /^expected a rate/],
    ["rate", "1/d", ["rate"], /^expected a rate/],
    ["maxConnections", -1, ["maxConnections"], /^expected a whole number/],
    ["maxConnections", 1.5, ["maxConnections"], /^expected a whole number/],
    ["session", { cookie: "a b" }, ["session", "cookie"], /^expected a cookie name/],
    ["session", { keys: ["short"] }, ["session", "keys", "0"], /32 characters/],
    ["session", { sameSite: "no" }, ["session", "sameSite"], /^expected one of lax/],
    ["session", { maxAge: "long" }, ["session", "maxAge"], /^expected a duration/],
    ["session", { domain: "a" }, ["session", "domain"], /^there is no such option/],
    [
      "routes",
      [{ match: { methods: ["get"] } }],
      ["routes", "0", "match", "methods", "0"],
      /upper/,
    ],
    ["logFormat", "xml", ["logFormat"], /^expected one of text, json$/],
    ["accessLog", "xml", ["accessLog"], /^expected one of off, text, json$/],
    ["accessLogQuery", "yes", ["accessLogQuery"], /^expected true or false$/],
    ["otlpEndpoint", "ftp://a", ["otlpEndpoint"], /^expected the URL of a collector/],
    ["otlpEndpoint", "http://a?b", ["otlpEndpoint"], /^expected the URL of a collector/],
    ["otlpHeaders", ["a b=c"], ["otlpHeaders", "0"], /^expected headers as NAME=VALUE/],
    ["traceSample", "1.5", ["traceSample"], /^expected a share from 0 to 1/],
    ["otlpMetrics", "yes", ["otlpMetrics"], /^expected true or false$/],
    ["logLevel", "loud", ["logLevel"], /^expected one of debug, info, warn, error$/],
    ["listn", "a:1", ["listn"], /^there is no such option; did you mean "listen"\?$/],
    ["request-timeout", "5s", ["request-timeout"], /did you mean "requestTimeout"\?$/],
    [
      "wsSendBuffer",
      "1MiB",
      ["wsSendBuffer"],
      /^there is no such option; it is now "wsSendLimit" and "wsSendTimeout"$/,
    ],
    ["unheardOf", 1, ["unheardOf"], /^there is no such option$/],
  ];
  for (const [option, value, where, expected] of table) {
    await t.step(`${option} ${typeof value} ${JSON.stringify(value)}`, () => {
      assert.throws(() => parseConfig({ [option]: value }), (error) => {
        assert.ok(error instanceof ConfigError);
        assert.deepEqual(error.path, where);
        assert.match(error.reason, expected);
        assert.equal(error.message, `Cannot use ${where.join(".")}: ${error.reason}`);
        return true;
      });
    });
  }
});

Deno.test("parseConfig() names all options that cannot be used", () => {
  assert.throws(() => parseConfig({ logLevel: "loud", prefix: "*", auth: "jwt" }), (error) => {
    assert.ok(error instanceof ConfigError);
    assert.deepEqual(error.path, ["prefix"]);
    assert.deepEqual(error.problems.map(({ path }) => path[0]), ["prefix", "logLevel", "auth"]);
    assert.equal(error.message.split("\n").length, 3);
    return true;
  });
});

Deno.test("parseConfig() wants an object", async (t) => {
  for (const options of [null, undefined, 5, "listen", [], true]) {
    await t.step(String(options), () => {
      assert.throws(() => parseConfig(options), {
        name: "ConfigError",
        message: /^Cannot use the configuration: expected options/,
      });
    });
  }
});

Deno.test("parseConfig() gives no wait that a timer would cut to nothing", async (t) => {
  // What takes it may refuse it or bring it down, as long as "very long" never means "at once".
  for (const option of ["natsGrace", "drainTimeout", "drainDelay"] as const) {
    for (const value of ["600h", `${2 ** 31}ms`, `${"9".repeat(400)}s`]) {
      await t.step(`${option} ${String(value).slice(0, 12)}`, () => {
        let waited: number;
        try {
          waited = parseConfig({ [option]: value })[option];
        } catch (error) {
          assert.ok(error instanceof ConfigError);
          return;
        }
        assert.ok(waited <= LONGEST_TIMER_MS, `${option}: ${waited} ms`);
      });
    }
  }
});

function toRecord(config: object): Record<string, unknown> {
  return { ...config };
}

Deno.test("parseConfig() lets nobody resume without connection records", () => {
  const off = { connectionRecords: "off" };
  assert.throws(() => parseConfig({ ...off, resume: "60s" }), /Cannot use resume: .*"off"/);
  const routes = [{ match: { upgrade: "websocket" }, resume: "60s" }];
  assert.throws(() => parseConfig({ ...off, routes }), /Cannot use routes\.0\.resume/);
  assert.equal(parseConfig({ routes }).routes[0]?.resumeMs, 60_000);
});
