import assert from "node:assert/strict";
import { HANDSHAKE, rawHandshake } from "../harness/websocket.ts";
import { answer, listen, natsHeaders, type Setup, setUp } from "../harness/setup.ts";

const SHOP = "https://shop.example";
const PARTNER = "https://partner.example";
const LISTED = ["--allowed-origins", SHOP];

Deno.test("a preflight is answered by the gateway, without a credential and without a workload", async () => {
  await using setup = await setUp([...LISTED, "--authorization-key", "k", "--cors-max-age", "1h"]);
  const heard = await listen(setup.nc, "h8s.http.>");
  const { response } = await preflight(setup, "/orders", {
    "Access-Control-Request-Headers": "authorization, content-type",
  });
  assert.equal(response.status, 204);
  assert.deepEqual(corsOf(response), {
    "access-control-allow-credentials": "true",
    "access-control-allow-headers": "authorization, content-type",
    "access-control-allow-methods": "POST",
    "access-control-allow-origin": SHOP,
    "access-control-max-age": "3600",
    "vary": "Origin, Access-Control-Request-Method, Access-Control-Request-Headers",
  });
  // An OPTIONS that is none, or brings something along, is a request like any other.
  for (const headers of [{ Origin: SHOP }, { "Access-Control-Request-Method": "POST" }]) {
    const { response } = await ask(setup, "/orders", { method: "OPTIONS", headers });
    assert.equal(response.status, 401);
  }
  const body = { method: "OPTIONS", body: "x", headers: toPreflight(SHOP) };
  assert.equal((await ask(setup, "/orders", body)).response.status, 401);
  assert.equal(heard.all.length, 0);
});

Deno.test("every answer to a listed origin can be read by its pages, errors included", async (t) => {
  await using setup = await setUp(
    [...LISTED, "--request-timeout", "300ms", "--max-body-size", "10B", "--config", "-"],
    {},
    `routes:
  - match: { path: /key }
    auth: authorize
  - match: { path: /published }
    subject: published
    mode: publish
`,
  );
  await answer(setup.nc, "h8s.http.*.127.0.0.1.whole", () => ({
    data: "whole",
    headers: natsHeaders(
      ["Content-Length", "5"],
      ["Access-Control-Allow-Origin", "*"],
      ["Access-Control-Allow-Methods", "DELETE"],
      ["Vary", "Accept"],
    ),
  }));
  await answer(setup.nc, "h8s.http.GET.127.0.0.1.unchanged", () => ({
    headers: natsHeaders(["Status-Code", "304"], ["Content-Length", "0"], ["ETag", '"1"']),
  }));
  await answer(setup.nc, "h8s.http.GET.127.0.0.1.bad", () => ({
    headers: natsHeaders(["Status-Code", "99"]),
  }));
  setup.nc.subscribe("h8s.http.GET.127.0.0.1.stream", {
    callback: (_, message) => {
      message.respond("a", { headers: natsHeaders(["Status-Code", "200"]) });
      message.respond("");
    },
  });
  setup.nc.subscribe("h8s.http.GET.127.0.0.1.silent", { callback: () => {} });
  await setup.nc.flush();
  await answer(setup.nc, "h8s.control.http.authorize.>", () => ({
    headers: natsHeaders(["Status-Code", "402"], ["Content-Length", "0"]),
  }));
  const table: [path: string, init: RequestInit, status: number][] = [
    ["/whole", {}, 200],
    ["/whole", { method: "HEAD" }, 200],
    ["/unchanged", {}, 304],
    ["/stream", {}, 200],
    ["/key", {}, 402],
    ["/bad", {}, 502],
    ["/nobody", {}, 503],
    ["/silent", {}, 504],
    ["/%zz", {}, 400],
    ["/whole", { method: "POST", body: "more than ten" }, 413],
    [`/${"x".repeat(9000)}`, {}, 414],
    ["/published", { method: "POST", body: "x" }, 200],
  ];
  for (const [path, init, status] of table) {
    await t.step(`${init.method ?? "GET"} ${path.slice(0, 20)} ${status}`, async () => {
      const { response } = await ask(setup, path, { ...init, headers: { Origin: SHOP } });
      assert.equal(response.status, status);
      const { vary, ...cors } = corsOf(response);
      assert.equal(cors["access-control-allow-origin"], SHOP);
      assert.equal(cors["access-control-allow-credentials"], "true");
      assert.match(cors["access-control-expose-headers"] ?? "", /ETag.*Retry-After/);
      assert.equal(cors["access-control-allow-methods"], undefined);
      assert.equal(vary, path === "/whole" && status === 200 ? "Accept, Origin" : "Origin");
    });
  }
});

Deno.test("an origin that is not listed is refused, and told nothing; who has none is no browser", async () => {
  await using setup = await setUp(LISTED);
  await answer(setup.nc, "h8s.http.>", ({ subject }) => ({ data: subject }));
  for (const origin of [PARTNER, "null", `${SHOP}, ${PARTNER}`, `${SHOP}:8443`, "*"]) {
    for (const init of [{ headers: { Origin: origin } }, toPreflightInit(origin)]) {
      const { response } = await ask(setup, "/a", init);
      assert.equal(response.status, 403, origin);
      assert.deepEqual(corsOf(response), { vary: "Origin" });
    }
  }
  const { response } = await ask(setup, "/a", {});
  assert.equal(response.status, 200);
  assert.deepEqual(corsOf(response), { vary: "Origin" });
});

Deno.test("without listed origins nothing is said, and a workload's own words cross", async () => {
  await using setup = await setUp();
  await answer(setup.nc, "h8s.http.>", ({ subject }) => ({
    data: subject,
    headers: natsHeaders(["Access-Control-Allow-Origin", "*"], ["Content-Length", "0"]),
  }));
  const { response } = await ask(setup, "/a", toPreflightInit(PARTNER));
  assert.deepEqual(corsOf(response), { "access-control-allow-origin": "*" });
});

Deno.test("all origins may ask, without credentials", async () => {
  await using setup = await setUp(["--allowed-origins", `*,${SHOP}`, "--authorization-key", "k"]);
  const { response } = await preflight(setup, "/a", {}, PARTNER);
  assert.equal(response.headers.get("access-control-allow-origin"), "*");
  assert.equal(response.headers.get("access-control-allow-credentials"), null);
  const error = await ask(setup, "/a", { headers: { Origin: SHOP } });
  assert.equal(error.response.status, 401);
  assert.equal(error.response.headers.get("access-control-allow-origin"), SHOP);
  assert.equal(error.response.headers.get("access-control-allow-credentials"), "true");
});

Deno.test("a route has origins of its own, found by the method that is meant", async () => {
  await using setup = await setUp(
    ["--config", "-"],
    {},
    `allowedOrigins: [${SHOP}]
routes:
  - match: { path: /partners, methods: [PUT] }
    allowedOrigins: [${PARTNER}]
  - match: { host: other.example }
    allowedOrigins: []
`,
  );
  const may = async (origin: string, path: string, method: string) => {
    const headers = { "Access-Control-Request-Method": method };
    const { response } = await preflight(setup, path, headers, origin);
    return response.status === 204 &&
      response.headers.get("access-control-allow-origin") === origin;
  };
  assert.ok(await may(PARTNER, "/partners", "PUT"));
  assert.ok(!await may(SHOP, "/partners", "PUT"));
  assert.ok(await may(SHOP, "/partners", "POST"));
  assert.ok(!await may(PARTNER, "/partners", "POST"));
  const put = await ask(setup, "/partners", { method: "PUT", headers: { Origin: PARTNER } });
  assert.deepEqual([put.response.status, put.response.headers.get("access-control-allow-origin")], [
    503,
    PARTNER,
  ]);
});

Deno.test("a workload that answers pages itself is left alone, preflights included", async () => {
  await using setup = await setUp(
    [...LISTED, "--config", "-"],
    {},
    `authorizationKey: [k]
routes:
  - match: { path: /own }
    cors: workload
  - match: { path: /kept }
    cors: workload
    subject: kept
    mode: publish
`,
  );
  await answer(setup.nc, "h8s.http.*.127.0.0.1.own", ({ subject }) => ({
    headers: natsHeaders(
      ["Content-Length", "0"],
      ["Access-Control-Allow-Origin", "https://of-the.workload"],
      ["X-Subject", subject],
    ),
  }));
  const kept = await listen(setup.nc, "kept");
  const asked = await preflight(setup, "/own");
  assert.equal(asked.response.status, 200);
  assert.equal(asked.response.headers.get("x-subject"), "h8s.http.OPTIONS.127.0.0.1.own");
  assert.deepEqual(corsOf(asked.response), {
    "access-control-allow-origin": "https://of-the.workload",
  });
  // What the gateway says itself, no workload could put headers on.
  const refused = await ask(setup, "/own", { headers: { Origin: SHOP } });
  assert.equal(refused.response.status, 401);
  assert.equal(refused.response.headers.get("access-control-allow-origin"), SHOP);
  // A body is none of a preflight's; and where nobody would answer one, the gateway does.
  const body = { ...toPreflightInit(SHOP), body: "x" };
  assert.equal((await ask(setup, "/own", body)).response.status, 401);
  assert.equal((await preflight(setup, "/kept")).response.status, 204);
  assert.equal((await preflight(setup, "/own", {}, PARTNER)).response.status, 403);
  assert.equal(kept.all.length, 0);
});

Deno.test("a route's origins hold for its WebSockets, too", async () => {
  await using setup = await setUp(
    [...LISTED, "--config", "-"],
    {},
    `routes:
  - match: { path: /live }
    allowedOrigins: [${PARTNER}]
`,
  );
  const shake = async (path: string, origin: string) => {
    const lines = [`GET ${path} HTTP/1.1`, ...HANDSHAKE.slice(1), `Origin: ${origin}`];
    const { conn, response } = await rawHandshake(setup.gateway.port, lines);
    conn.close();
    return response.slice(9, 12);
  };
  assert.equal(await shake("/live", PARTNER), "101");
  assert.equal(await shake("/live", SHOP), "403");
  assert.equal(await shake("/other", SHOP), "101");
  assert.equal(await shake("/other", PARTNER), "403");
});

function preflight(
  setup: Setup,
  path: string,
  headers: Record<string, string> = {},
  origin = SHOP,
): Promise<Asked> {
  return ask(setup, path, {
    method: "OPTIONS",
    headers: { ...toPreflight(origin), ...headers },
  });
}

function toPreflightInit(origin: string): RequestInit {
  return { method: "OPTIONS", headers: toPreflight(origin) };
}

function toPreflight(origin: string): Record<string, string> {
  return { "Origin": origin, "Access-Control-Request-Method": "POST" };
}

interface Asked {
  readonly response: Response;
  readonly text: string;
}

async function ask({ gateway }: Setup, path: string, init: RequestInit): Promise<Asked> {
  const response = await fetch(`${gateway.url}${path}`, init);
  return { response, text: await response.text() };
}

/** What is said of it, by the headers' names. */
function corsOf({ headers }: Response): Record<string, string> {
  const isCors = (name: string) => name === "vary" || name.startsWith("access-control-");
  return Object.fromEntries([...headers].filter(([name]) => isCors(name)));
}
