import assert from "node:assert/strict";
import { serve } from "../../lib/workload/mod.ts";
import { open, readUntil, write } from "../harness/raw_http.ts";
import { listen, natsHeaders, type Setup, setUp } from "../harness/setup.ts";

const CHUNK = new Uint8Array(200_000).fill(120);

Deno.test("the length that a stream tells is the client's Content-Length", async (t) => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const requests = await listen(nc, "h8s.http.>");
  const ends = await listen(nc, "h8s.control.connection.closed.>");
  const table: [title: string, chunks: string[], reason: string, received: string][] = [
    ["all of it", ["12345", "67890", ""], "completed", "1234567890"],
    ["short of it", ["12345", ""], "aborted", "12345"],
    ["beyond it", ["12345", "678901"], "aborted", "12345"],
  ];
  for (const [title, chunks, reason, received] of table) {
    await t.step(title, async () => {
      using client = await open(gateway.port);
      await write(client, "GET / HTTP/1.1\r\nHost: e.com\r\n\r\n");
      const { reply } = await requests.next();
      const lines = natsHeaders(["Status-Code", "200"], ["X-H8s-Content-Length", "10"]);
      const [first = "", ...rest] = chunks;
      nc.publish(reply!, first, { headers: lines });
      const head = await readUntil(client, (text) => text.endsWith(first));
      assert.match(head, /\r\ncontent-length: 10\r\n/i);
      for (const chunk of rest) nc.publish(reply!, chunk);
      assert.equal((await ends.next()).string(), reason);
      const isWhole = reason === "completed";
      const more = await readUntil(client, (text) => isWhole && text.endsWith("67890"));
      assert.equal(head.slice(head.indexOf("\r\n\r\n") + 4) + more, received);
    });
  }
});

Deno.test("serve() tells the length of a large body, and no other than its own", async () => {
  await using setup = await setUp();
  const failed = Promise.withResolvers<unknown>();
  await using service = serve(setup.nc, {
    host: "*",
    onError: (error) => failed.resolve((error as Error).message),
  }, ({ url }) => {
    const body = ReadableStream.from(Array.from({ length: 10 }, () => CHUNK));
    const length = new URL(url).pathname === "/wrong" ? 2_000_001 : 2_000_000;
    return new Response(body, { headers: { "content-length": String(length) } });
  });
  await service.ready;
  const whole = await fetch(setup.gateway.url);
  assert.equal(whole.headers.get("content-length"), "2000000");
  assert.equal((await whole.bytes()).length, 2_000_000);
  const head = await fetch(setup.gateway.url, { method: "HEAD" });
  assert.equal(head.headers.get("content-length"), "2000000");
  await assert.rejects(fetch(`${setup.gateway.url}/wrong`).then((response) => response.bytes()));
  assert.match(String(await failed.promise), /says 2000001 bytes, the body has 2000000/);
});

Deno.test("a HEAD of unknown length is told none", async () => {
  await using setup = await setUp();
  const requests = await listen(setup.nc, "h8s.http.HEAD.>");
  using client = await open(setup.gateway.port);
  await write(client, "HEAD / HTTP/1.1\r\nHost: e.com\r\nConnection: close\r\n\r\n");
  // As the reverse daemon in Go answers it.
  const { reply } = await requests.next();
  setup.nc.publish(reply!, "", { headers: natsHeaders(["Status", "200"], ["Status-Code", "200"]) });
  const text = await readUntil(client);
  assert.match(text, /^HTTP\/1\.1 200 /);
  assert.ok(!/content-length/i.test(text), text);
});

Deno.test("a stream may be as quiet as its kind and its route allow", async (t) => {
  const routes = [
    "requestTimeout: 300ms",
    "idleTimeout: 100ms",
    "routes:",
    "  - match: { path: /patient }",
    "    idleTimeout: 0s",
    "  - match: { path: /slow }",
    "    requestTimeout: 1h",
    "  - match: { path: /quick }",
    "    requestTimeout: 50ms",
  ].join("\n");
  await using setup = await setUp(["--config", "-"], {}, routes);
  const requests = await listen(setup.nc, "h8s.http.>");
  const ends = await listen(setup.nc, "h8s.control.connection.closed.>");
  const table: [path: string, headers: [string, string][], end: "timeout" | "completed"][] = [
    ["/", [["Status-Code", "200"]], "timeout"],
    ["/patient", [["Status-Code", "200"]], "completed"],
    ["/", [["Content-Type", "text/event-stream"]], "completed"],
  ];
  for (const [path, headers, end] of table) {
    await t.step(`${path} ${headers}`, async () => {
      const quiet = get(setup, path);
      const { reply } = await requests.next();
      setup.nc.publish(reply!, "data: 1\n\n", { headers: natsHeaders(...headers) });
      // What times out is looked for every 100 ms: after a second request timed out, it would have.
      assert.match(await get(setup, "/never"), /reply_timeout/);
      await requests.next();
      const closed = (await ends.next()).string();
      assert.equal(closed, "timeout");
      if (end === "completed") {
        setup.nc.publish(reply!, "data: 2\n\n");
        setup.nc.publish(reply!, "");
        assert.equal(await quiet, "data: 1\n\ndata: 2\n\n");
        assert.equal((await ends.next()).string(), "completed");
      } else {
        assert.equal(await quiet, "cut off");
        assert.equal((await ends.next()).string(), "timeout");
      }
    });
  }
  await t.step("a route's own patience for the beginning", async () => {
    const slow = get(setup, "/slow");
    const { reply } = await requests.next();
    for (const path of ["/quick", "/never"]) assert.match(await get(setup, path), /reply_timeout/);
    setup.nc.publish(reply!, "late");
    assert.equal(await slow, "late");
  });
});

async function get({ gateway }: Setup, path: string): Promise<string> {
  const response = await fetch(`${gateway.url}${path}`);
  return await response.text().catch(() => "cut off");
}
