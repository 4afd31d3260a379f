import assert from "node:assert/strict";
import { serve } from "../../lib/workload/mod.ts";
import { open, parseResponse, rawRequest, readUntil, write } from "../harness/raw_http.ts";
import { headerEntries, listen, natsHeaders, setUp } from "../harness/setup.ts";
import { clientFrame, HANDSHAKE, rawHandshake } from "../harness/websocket.ts";

const BODY = '{"q":1}';
const MADE_UP =
  ("X_H8s_Subject X.H8s.Subject X-H8s-Subject X_Forwarded_For X-Forwarded-Port X-Forwarded-User " +
    "Forwarded X-Real-Ip X-Original-Url X-Client-Cert Remote-User Proxy").split(" ");

Deno.test("the body of any method crosses, and a length only with the bytes that it counts", async (t) => {
  await using setup = await setUp();
  const { gateway: { port }, nc } = setup;
  const requests = await listen(nc, "h8s.http.>");
  nc.subscribe("h8s.http.>", { callback: (_, message) => void message.respond("ok") });
  await nc.flush();
  const chunked = `3\r\n{"q\r\n4\r\n":1}\r\n0\r\n\r\n`;
  const table: [framing: string, sent: string, body: string, length: string][] = [
    ["", "", "", ""],
    ["Content-Length: 0\r\n", "", "", "0"],
    ["Content-Length: 7\r\n", BODY, BODY, "7"],
    ["Transfer-Encoding: chunked\r\n", chunked, BODY, "7"],
    ["Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "", ""],
    [
      "Transfer-Encoding: chunked\r\nTrailer: X-H8s-Subject\r\n",
      "0\r\nX-H8s-Subject: a\r\n\r\n",
      "",
      "",
    ],
  ];
  for (const method of ["GET", "HEAD", "DELETE", "OPTIONS", "POST", "SEARCH"]) {
    for (const [framing, sent, body, length] of table) {
      await t.step(`${method} ${framing}${sent}`, async () => {
        using conn = await open(port);
        const head = `${method} /_search HTTP/1.1\r\nHost: e.com\r\n${framing}\r\n`;
        await write(conn, `${head}${sent}GET /next HTTP/1.1\r\nHost: e.com\r\n\r\n`);
        const [first, second] = [await requests.next(), await requests.next()];
        assert.equal(first.subject, `h8s.http.${method}.com.e._search`);
        assert.equal(first.string(), body);
        assert.equal(first.headers?.get("Content-Length"), length);
        assert.equal(first.headers?.has("Transfer-Encoding"), false);
        // What follows on the connection is the next request, not what is left of this one.
        assert.equal(second.subject, "h8s.http.GET.com.e.next");
        assert.equal(second.headers?.has("Content-Length"), false);
        const two = (text: string) => text.split("HTTP/1.1 200 OK").length === 3;
        assert.equal(parseResponse(await readUntil(conn, two)).status, 200);
      });
    }
  }
});

Deno.test("the head of a large body says its length beside it, and a workload's request has it", async () => {
  await using setup = await setUp();
  const { gateway: { port }, nc } = setup;
  const heads = await listen(nc, "h8s.upload.>");
  const service = serve(nc, { host: "e.com" }, async (request, info) => {
    const text = await new Response(request.body ?? info.body).text();
    return new Response(`${request.headers.get("content-length")} ${text.length}`);
  });
  await service.ready;
  const body = "x".repeat(1_500_000);
  for (const [method, answer] of [["PUT", "1500000 1500000"], ["GET", "null 1500000"]] as const) {
    const head = `${method} / HTTP/1.1\r\nHost: e.com\r\nContent-Length: 1500000`;
    assert.equal((await rawRequest(port, head, body)).body, answer);
    const { headers } = await heads.next();
    assert.equal(headers?.get("X-H8s-Content-Length"), "1500000");
    assert.equal(headers?.has("Content-Length"), false);
  }
});

Deno.test("no length crosses with a question or a handshake, which have no body", async () => {
  await using setup = await setUp(["--auth", "authorize"]);
  const { gateway: { port }, nc } = setup;
  const questions = await listen(nc, "h8s.control.*.authorize.>");
  nc.subscribe("h8s.control.*.authorize.>", {
    callback: (_, message) =>
      void message.respond("", { headers: natsHeaders(["Status-Code", "200"]) }),
  });
  nc.subscribe("h8s.http.>", { callback: (_, message) => void message.respond("ok") });
  await nc.flush();
  const head = "POST / HTTP/1.1\r\nHost: e.com\r\nContent-Length: 7";
  assert.equal((await rawRequest(port, head, BODY)).status, 200);
  assert.equal((await questions.next()).headers?.has("Content-Length"), false);
});

Deno.test("what a client makes up of proxies and of the gateway is in no message of it", async (t) => {
  const made = MADE_UP.map((name): [string, string] => [name, "evil"]);
  const crossed = (message: Parameters<typeof headerEntries>[0]) =>
    headerEntries(message).filter(([, value]) => value.includes("evil"));
  /** What crosses with a request that is answered. */
  async function ask(flags: string[] = []): Promise<[string, string][]> {
    await using setup = await setUp(flags);
    const requests = await listen(setup.nc, "h8s.http.>");
    const lines = ["Host: e.com", ...made.map(([name, value]) => `${name}: ${value}`)];
    const answered = rawRequest(setup.gateway.port, ["GET / HTTP/1.1", ...lines].join("\r\n"));
    const request = await requests.next();
    request.respond("ok");
    assert.equal((await answered).status, 200);
    return crossed(request);
  }
  await t.step("a request", async () => assert.deepEqual(await ask(), []));
  await t.step("a WebSocket, its events and its messages", async () => {
    await using setup = await setUp();
    const heard = await listen(setup.nc, "h8s.ws.ws.>");
    const events = await listen(setup.nc, "h8s.control.ws.conn.*.>");
    const lines = made.map(([name, value]) => `${name}: ${value}`);
    const { conn } = await rawHandshake(setup.gateway.port, [...HANDSHAKE, ...lines]);
    using _conn = conn;
    await write(conn, clientFrame(1, "hello"));
    const messages = [await heard.next(), await events.next()];
    assert.deepEqual(messages.flatMap(crossed), []);
  });
  await t.step(
    "a trusted proxy's word crosses, but nothing that reads as the gateway's",
    async () => {
      const entries = await ask(["--trusted-proxies", "127.0.0.1"]);
      assert.deepEqual(entries.map(([name]) => name).sort(), MADE_UP.slice(4).sort());
    },
  );
});
