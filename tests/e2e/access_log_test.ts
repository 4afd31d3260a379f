import assert from "node:assert/strict";
import { rawRequest } from "../harness/raw_http.ts";
import { answer, listen, setUp } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";

Deno.test("--access-log tells each request and WebSocket once, at its end, and no secret", async () => {
  await using setup = await setUp(["--access-log", "json"]);
  const { gateway, nc } = setup;
  const lines = gateway.printed();
  const next = async () => {
    const { value } = await lines.next();
    assert.doesNotMatch(value, /s3cret/);
    return JSON.parse(value);
  };
  await answer(nc, "h8s.http.POST.>", () => ({ data: "done" }));
  const head = [
    "POST /cart/7?token=s3cret HTTP/1.1\r\nHost: shop.example\r\nContent-Length: 5\r\n",
    "Cookie: id=s3cret\r\nAuthorization: Bearer s3cret\r\nUser-Agent: a\xe9 b\r\n\r\n",
  ].join("");
  assert.equal((await rawRequest(gateway.port, head, "hello")).status, 200);
  const { time, ms, firstByteMs, requestId, traceId, ...told } = await next();
  assert.deepEqual(told, {
    client: "127.0.0.1",
    method: "POST",
    host: "shop.example",
    path: "/cart/7",
    status: 200,
    bytesIn: 5,
    bytesOut: 4,
    end: "completed",
    subject: "h8s.http.POST.example.shop.cart.7",
    userAgent: "a\xe9 b",
  });
  assert.ok(Date.now() - Date.parse(time) < 60_000);
  assert.ok(0 < firstByteMs && firstByteMs <= ms);
  assert.match(`${requestId} ${traceId}`, /^[0-9a-f]{32} [0-9a-f]{32}$/);

  await fetch(`${gateway.url}/nobody`).then((response) => response.body?.cancel());
  const failed = await next();
  assert.deepEqual([failed.status, failed.error, failed.path], [503, "no_responders", "/nobody"]);
  await rawRequest(gateway.port, "GET /%zz HTTP/1.1\r\nHost: shop.example\r\n\r\n");
  const refused = await next();
  assert.deepEqual([refused.status, refused.end, refused.path], [400, "refused", "/%zz"]);
  const noHandshake = "POST / HTTP/1.1\r\nHost: shop.example\r\nUpgrade: websocket\r\n" +
    "User-Agent: early\r\nContent-Length: 0\r\n\r\n";
  await rawRequest(gateway.port, noHandshake);
  const early = await next();
  assert.deepEqual([early.status, early.userAgent], [400, "early"]);

  const said = await listen(nc, "h8s.ws.ws.>");
  const client = await Client.connect(`ws://127.0.0.1:${gateway.port}/room?token=s3cret`);
  client.send("hello");
  const { reply } = await said.next();
  nc.publish(reply!, "hi");
  await client.next();
  await client.close(4000, "enough");
  const socket = await next();
  assert.deepEqual(
    [socket.method, socket.status, socket.messagesIn, socket.messagesOut, socket.bytesIn],
    ["ws", 101, 1, 1, 5],
  );
  assert.deepEqual([socket.closeCode, socket.closeReason], [4000, "enough"]);
});

Deno.test("what fails is told at info, with what was asked for", async () => {
  await using setup = await setUp();
  const { gateway } = setup;
  const head = "GET /cart?token=s3cret HTTP/1.1\r\nHost: shop.example\r\n\r\n";
  await rawRequest(gateway.port, head);
  const { level, method, host, path, subject, status } = await gateway.logged(
    "request failed: no_responders",
  );
  assert.deepEqual({ level, method, host, path, subject, status }, {
    level: "info",
    method: "GET",
    host: "shop.example",
    path: "/cart",
    subject: "h8s.http.GET.example.shop.cart",
    status: 503,
  });
});

Deno.test("what fails again and again is folded", async () => {
  await using setup = await setUp();
  const { gateway } = setup;
  for (let count = 0; count < 40; count++) {
    await rawRequest(gateway.port, `GET /${count} HTTP/1.1\r\nHost: a.example\r\n\r\n`);
  }
  const told = gateway.lines.filter(({ message }) => message === "request failed: no_responders");
  assert.equal(told.length, 20);
});

Deno.test("an access log that nobody reads stalls no request", async () => {
  await using setup = await setUp(["--access-log", "json"]);
  const { gateway, nc } = setup;
  await answer(nc, "h8s.http.GET.>", () => ({ data: "done" }));
  // A pipe holds 64 KiB; these lines are 3 MB, more than waits for a reader.
  const path = "a".repeat(1000);
  const ask = async () => {
    for (let count = 0; count < 100; count++) {
      const response = await fetch(`${gateway.url}/${path}`);
      assert.equal(await response.text(), "done");
    }
  };
  await Promise.all(Array.from({ length: 10 }, ask));
});
