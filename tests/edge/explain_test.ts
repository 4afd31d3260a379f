import assert from "node:assert/strict";
import type { GatewayOptions } from "../../lib/config/options.ts";
import { parseConfig } from "../../lib/config/schema.ts";
import { Admission } from "../../lib/edge/admission.ts";
import { explain, type Explanation, type SampleRequest } from "../../lib/edge/explain.ts";
import type { EdgeParts } from "../../lib/edge/parts.ts";
import { RequestIds } from "../../lib/edge/request_ids.ts";
import { Visit } from "../../lib/edge/visit.ts";
import { GatewayError } from "../../lib/errors.ts";
import { Observers } from "../../lib/telemetry/observation.ts";
import { Random } from "../harness/random.ts";
import { toCandidate } from "./admission/candidate.ts";

const HANDSHAKE = {
  "connection": "Upgrade",
  "upgrade": "websocket",
  "sec-websocket-version": "13",
  "sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ==",
};
const HOSTS = ["shop.example", "admin.shop.example", "www.example", "SHOP.example:8080", "[::1]"];
const METHODS = ["GET", "HEAD", "POST", "PROPFIND", "CONNECT", "get", "GET.*"];
const SEGMENTS = ["admin", "%61dmin", "shop", "a.b", "..", ".", "", "%", "push", "*", "x%2Fy"];
const ORIGINS = [undefined, undefined, "https://shop.example", "https://evil.example", "null"];
const CONFIGS: readonly GatewayOptions[] = [
  {},
  { hostFilters: ["shop.example", "*.shop.example"], allowedOrigins: ["https://shop.example"] },
  { maxUrlLength: 12, session: {}, publishOnly: true },
  { persist: "said", routes: [{ match: { path: "/:a/*" }, subject: "h8s.ws.ws.{a}" }] },
  {
    authorizationKey: ["k"],
    routes: [
      { match: { host: "admin.shop.example" }, auth: "key" },
      { match: { path: "/admin/*" }, subject: "{prefix}.admin.{path}", auth: "key" },
      { match: { path: "/:a/:b" }, subject: "{prefix}.{a}.{b}", auth: "none" },
      { match: { path: "/*", methods: ["POST"] }, allowedOrigins: ["*"], auth: "none" },
    ],
  },
  {
    session: {},
    routes: [{
      match: { path: "/:a", upgrade: "websocket" },
      publish: "{prefix}.{a}.{session}.{connection}",
      subscribe: ["{prefix}.rooms.{a}.>", "{prefix}.of.{gateway}.x"],
    }],
  },
];

Deno.test("explain() says what really becomes of requests", () => {
  const random = new Random(1);
  const seen = new Set<string>();
  for (const options of CONFIGS) {
    for (let round = 0; round < 400; round++) {
      const question = toQuestion(random);
      const { told, shown } = compare(options, question);
      assert.equal(told, shown, JSON.stringify({ options, question }));
      seen.add(told.startsWith("h8s.") ? "subject" : told);
    }
  }
  // Else it would be about nothing.
  assert.deepEqual([...seen].sort(), ["400", "403", "405", "414", "subject"]);
});

Deno.test("explain() names the route, its parameters, and each check up to the one that refuses", () => {
  const config = parseConfig({
    hostFilters: ["shop.example"],
    authorizationKey: ["k"],
    routes: [
      { match: { path: "/open" }, auth: "none" },
      { match: { host: "shop.example", path: "/cart/:id" }, subject: "carts.{id}" },
    ],
  });
  const taken = explain({ url: "https://shop.example/cart/7" }, { config });
  assert.deepEqual(taken.route, {
    index: 1,
    match: "* shop.example/cart/:id",
    params: { id: "7" },
  });
  assert.equal(taken.subject, "carts.7");
  assert.equal(taken.uploadSubject, "h8s.upload.carts.7");
  assert.deepEqual(
    taken.checks.map(({ check, verdict }) => `${check} ${verdict}`),
    [
      "shape passes",
      "length passes",
      "host passes",
      "origin passes",
      "identity asks",
      "route passes",
    ],
  );
  const refused = explain({ url: "https://www.example/open" }, { config });
  assert.deepEqual(refused.checks.at(-1), {
    check: "host",
    verdict: "refuses",
    text: "This host is not served here",
    status: 403,
  });
  assert.equal(refused.subject, undefined);
});

Deno.test("explain() says which other host and path have the subject, and that their route asks, too", () => {
  const config = parseConfig({
    authorizationKey: ["k"],
    auth: "none",
    routes: [{ match: { host: "admin.example.com", path: "/users" }, auth: "key" }],
  });
  const { readings, route, checks } = explain({ url: "http://example.com/admin/users" }, {
    config,
  });
  assert.deepEqual(readings, [{
    host: "admin.example.com",
    path: "/users",
    isAsked: false,
    route: { index: 0, match: "* admin.example.com/users" },
    auth: "key",
  }]);
  assert.equal(route?.index, 0);
  assert.ok(checks.some(({ verdict }) => verdict === "asks"));
});

Deno.test("explain() says who listens, and refuses where nobody does and somebody has to", () => {
  const interest = { host: "shop.example", path: "/cart", method: "GET", match: "prefix" } as const;
  const config = parseConfig({ trackInterest: true });
  const listened = (url: string) => explain({ url }, { config, interests: [interest] });
  assert.deepEqual(listened("http://shop.example/cart/7").listeners, [interest]);
  assert.equal(listened("http://shop.example/").checks.at(-1)?.status, 404);
  assert.equal(explain({ url: "http://shop.example/" }, { config }).listeners, undefined);
});

function toQuestion(random: Random): SampleRequest {
  const path = Array.from({ length: random.below(4) }, () => random.pick(SEGMENTS)).join("/");
  const kind = random.below(4) === 0 ? "websocket" : "http";
  return {
    method: kind === "websocket" && random.below(8) > 0 ? "GET" : random.pick(METHODS),
    url: `http://${random.pick(HOSTS)}/${path}`,
    kind,
    origin: random.pick(ORIGINS),
  };
}

function compare(
  options: GatewayOptions,
  question: SampleRequest,
): { told: string; shown: string } {
  const explanation = explain(question, { config: parseConfig(options) });
  return { told: toTold(explanation), shown: enter(options, question) };
}

function toTold({ subject, subscribe, mode, checks }: Explanation): string {
  if (subject === undefined) return String(checks.at(-1)?.status);
  return JSON.stringify([subject, subscribe, mode]).slice(2);
}

/** What a gateway does with it, in the words of {@link toTold}. */
function enter(options: GatewayOptions, question: SampleRequest): string {
  const { method = "GET", url, kind = "http", origin } = question;
  const config = parseConfig(options);
  const parts = {
    config: () => config,
    fileKeys: [],
    gatewayId: "<gateway>",
    ids: new RequestIds(),
    observers: new Observers(() => {}),
    bus: { state: "connected" },
    persist: config.persist && { captures: (subject: string) => subject.startsWith("h8s.ws.ws.") },
  } as unknown as EdgeParts;
  const admission = new Admission(parts);
  const headers = Object.entries({
    ...{ host: new URL(url).host === "" ? "" : url.split("/")[2]!, authorization: "Bearer k" },
    ...(kind === "websocket" ? HANDSHAKE : {}),
    ...(origin === undefined ? {} : { origin }),
  });
  const map = new Map<string, string>(headers);
  const request = {
    method,
    url,
    headers: Object.assign(map, { get: (name: string) => new Map(headers).get(name) ?? null }),
  } as unknown as Request;
  try {
    const peer = toCandidate().peer;
    const visit = new Visit(request, { parts, peer, connection: "", onLeft() {} });
    const entry = admission.enter(request, { kind, visit, headers: [...request.headers] });
    const admitted = admission.admit(entry);
    assert.ok(!(admitted instanceof Promise));
    const { subject, subscribe, mode, session, connectionId } = admitted;
    const text = JSON.stringify([subject, subscribe, mode]).slice(2);
    return [[session?.id, "<session>"], [connectionId, "<connection>"]].reduce(
      (all, [id, name]) => id === undefined ? all : all.replaceAll(id, name!),
      text,
    );
  } catch (error) {
    if (error instanceof GatewayError) return String(error.status);
    throw error;
  }
}
