import { until } from "../harness/waiting.ts";
import assert from "node:assert/strict";
import { rawRequest } from "../harness/raw_http.ts";
import { answer, listen, setUp } from "../harness/setup.ts";
import { Client, HANDSHAKE, rawHandshake } from "../harness/websocket.ts";

/** The status of a handshake with some more headers. */
async function shake(port: number, ...lines: string[]): Promise<number> {
  const { conn, response } = await rawHandshake(port, [...HANDSHAKE, ...lines]);
  conn.close();
  return Number(response.split(" ")[1]);
}

Deno.test("a page of another host opens no WebSocket, unless that is asked for", async (t) => {
  const SAME = "Origin: http://chat.example.com";
  const OTHER = "Origin: https://evil.example";
  const table: [flags: string[], line: string, status: number][] = [
    [[], SAME, 101],
    [[], OTHER, 403],
    [[], "Origin: null", 403],
    [["--allowed-origins", "https://evil.example"], OTHER, 101],
    [["--allowed-origins", "https://evil.example"], SAME, 403],
    [["--allowed-origins", "*"], OTHER, 101],
  ];
  for (
    const flags of [[], ["--allowed-origins", "https://evil.example"], ["--allowed-origins", "*"]]
  ) {
    await using setup = await setUp(flags);
    const rows = table.filter(([other]) => other.join() === flags.join());
    for (const [, line, status] of rows) {
      await t.step(`${flags.join(" ")} ${line}`, async () => {
        assert.equal(await shake(setup.gateway.port, line), status);
      });
    }
    await t.step(`${flags.join(" ")} without an origin`, async () => {
      assert.equal(await shake(setup.gateway.port), 101);
    });
  }
});

Deno.test("--rate: past the burst a client is told when to come back", async () => {
  await using setup = await setUp(["--rate", "2/h,burst=2"]);
  await answer(setup.nc, "h8s.http.>", () => ({ data: "ok" }));
  const get = () => fetch(setup.gateway.url);
  for (let index = 0; index < 2; index++) assert.equal(await (await get()).text(), "ok");
  const response = await get();
  assert.equal(response.status, 429);
  assert.ok(Number(response.headers.get("retry-after")) > 1700);
  assert.equal((await response.json()).type, "urn:h8s:error:rate_limited");
  assert.equal(await shake(setup.gateway.port), 429);
});

Deno.test("--rate: a session is limited wherever it comes from", async () => {
  await using setup = await setUp(
    ["--rate", "2/h,burst=2", "--trusted-proxies", "127.0.0.1", "--config", "-"],
    {},
    "session: {}",
  );
  await answer(setup.nc, "h8s.http.>", () => ({ data: "ok" }));
  const get = async (from: string, cookie: string) => {
    const { status } = await rawRequest(
      setup.gateway.port,
      `GET / HTTP/1.1\r\nHost: a.example\r\nX-Forwarded-For: ${from}\r\nCookie: clientId=${cookie}`,
    );
    return status;
  };
  const ANN = "a".repeat(32);
  assert.equal(await get("192.0.2.1", ANN), 200);
  assert.equal(await get("192.0.2.2", ANN), 200);
  assert.equal(await get("192.0.2.3", ANN), 429);
  assert.equal(await get("192.0.2.3", "b".repeat(32)), 200);
});

Deno.test("--max-connections: places are limited, and come back", async () => {
  await using setup = await setUp(["--max-connections", "2", "--max-connections-per-address", "1"]
    .concat("--trusted-proxies", "127.0.0.0/8"));
  const { gateway, nc } = setup;
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const url = `ws://127.0.0.1:${gateway.port}/`;
  const ann = await Client.connect(url);
  assert.equal(await shake(gateway.port), 429);
  assert.equal(await shake(gateway.port, "X-Forwarded-For: 192.0.2.9"), 101);
  await closed.next();
  const { conn, response } = await rawHandshake(gateway.port, [
    ...HANDSHAKE,
    "X-Forwarded-For: 192.0.2.8",
  ]);
  assert.match(response, /^HTTP\/1.1 101 /);
  assert.equal(await shake(gateway.port, "X-Forwarded-For: 192.0.2.9"), 503);
  conn.close();
  await closed.next();
  await ann.close();
  await closed.next();
  await using _again = await Client.connect(url);
});

Deno.test("a handshake that its client leaves at once holds no place", async () => {
  await using setup = await setUp(["--max-connections", "3"]);
  const { gateway } = setup;
  for (let round = 0; round < 10; round++) {
    const conns = await Promise.all([0, 1, 2].map(async () => {
      const conn = await Deno.connect({ hostname: "127.0.0.1", port: gateway.port });
      await conn.write(new TextEncoder().encode(`${HANDSHAKE.join("\r\n")}\r\n\r\n`));
      return conn;
    }));
    for (const conn of conns) conn.close();
  }
  // The places come back when the gateway notices; until then there is none.
  await until(async () => await shake(gateway.port) === 101, "there is a place");
});

Deno.test("--max-in-flight: what is beyond is refused at once", async () => {
  await using setup = await setUp(["--max-in-flight", "1"]);
  const requests = await listen(setup.nc, "h8s.http.>");
  const first = fetch(setup.gateway.url);
  const message = await requests.next();
  const second = await fetch(setup.gateway.url);
  assert.equal(second.status, 503);
  assert.equal(second.headers.get("retry-after"), "1");
  await second.body?.cancel();
  message.respond("done");
  assert.equal(await (await first).text(), "done");
});

Deno.test("the head of a request is bounded", async (t) => {
  await using setup = await setUp([
    ...["--max-url-length", "50", "--max-header-bytes", "500B", "--max-headers", "10"],
  ]);
  await answer(setup.nc, "h8s.http.>", () => ({ data: "ok" }));
  const many = Array.from({ length: 10 }, (_, index) => `X-${index}: 1`).join("\r\n");
  const table: [name: string, head: string, status: number][] = [
    ["plain", "GET / HTTP/1.1\r\nHost: a.example", 200],
    ["a long query", `GET /?${"a".repeat(50)} HTTP/1.1\r\nHost: a.example`, 414],
    ["a large header", `GET / HTTP/1.1\r\nHost: a.example\r\nX: ${"a".repeat(500)}`, 431],
    ["many headers", `GET / HTTP/1.1\r\nHost: a.example\r\n${many}`, 431],
  ];
  for (const [name, head, status] of table) {
    await t.step(name, async () => {
      assert.equal((await rawRequest(setup.gateway.port, head)).status, status);
    });
  }
});

Deno.test("what proxies say is believed of trusted ones only", async (t) => {
  const head = [
    "GET /x HTTP/1.1",
    "Host: inner.example",
    "X-Forwarded-For: 192.0.2.7",
    "X-Forwarded-Proto: https",
    "X-Forwarded-Host: shop.example",
    "X-Request-Id: from-outside",
    "Traceparent: 00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    "Tracestate: vendor=1",
    "Forwarded: for=6.6.6.6;host=evil.example",
    "X-H8s-Subject: admin",
    "X-H8s-Claims: e30",
    "X-H8s-Session: made-up",
  ].join("\r\n");
  const NAMES = [
    ...["X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host"],
    ...["X-H8s-Original-Host", "Tracestate"],
  ];
  const table: [flags: string[], subject: string, values: (string | undefined)[]][] = [
    [[], "h8s.http.GET.example.inner.x", [
      "127.0.0.1",
      "http",
      "inner.example",
      "inner.example",
      undefined,
    ]],
    [["--trusted-proxies", "10.0.0.0/8"], "h8s.http.GET.example.inner.x", [
      "127.0.0.1",
      "http",
      "inner.example",
      "inner.example",
      undefined,
    ]],
    [["--trusted-proxies", "127.0.0.0/8"], "h8s.http.GET.example.shop.x", [
      "192.0.2.7, 127.0.0.1",
      "https",
      "shop.example",
      "shop.example",
      "vendor=1",
    ]],
  ];
  for (const [flags, subject, values] of table) {
    await t.step(flags.join(" "), async () => {
      await using setup = await setUp(flags);
      const requests = await listen(setup.nc, "h8s.http.>");
      const response = rawRequest(setup.gateway.port, head);
      const message = await requests.next();
      message.respond("ok");
      await response;
      assert.equal(message.subject, subject);
      const header = (name: string) => message.headers?.values(name)[0];
      assert.deepEqual(NAMES.map(header), values);
      const isTrusted = flags.includes("127.0.0.0/8");
      assert.equal(header("X-Request-Id") === "from-outside", isTrusted);
      assert.equal(header("Traceparent")?.includes("4bf92f3577b34da6"), isTrusted);
      assert.equal(header("Forwarded") !== undefined, isTrusted);
      for (const name of ["X-H8s-Subject", "X-H8s-Claims", "X-H8s-Session"]) {
        assert.equal(header(name), undefined, name);
      }
    });
  }
});

Deno.test("the registry tells the client's address, not the proxy's", async () => {
  await using setup = await setUp(["--trusted-proxies", "127.0.0.1"]);
  const { gateway, nc } = setup;
  const established = await listen(nc, "h8s.control.ws.conn.established");
  const lines = [...HANDSHAKE, "X-Forwarded-For: 6.6.6.6, 2001:db8::7"];
  const { conn } = await rawHandshake(gateway.port, lines);
  await established.next();
  const reply = await nc.request("h8s.control.ws.conn.list", "");
  const { connections } = reply.json<{ connections: { remote: string }[] }>();
  assert.deepEqual(connections.map(({ remote }) => remote), ["2001:db8::7"]);
  conn.close();
});
