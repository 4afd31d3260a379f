/**
 * `serve` behind the gateway in Go, whose messages are played as they were seen on the wire (h8sd 0.7.1).
 *
 * @module
 */
import assert from "node:assert/strict";
import { serve } from "../../lib/workload/mod.ts";
import { listen, rawHeaders } from "../harness/setup.ts";
import { openPair } from "./serve_fixture.ts";
import { Events } from "../harness/waiting.ts";

const HTTP = "NATS/1.0\r\n" +
  "Connection: close\r\n" +
  "X-H8s-Connection-Close-Subject: h8s.control.connection.closed.I5gcV2UdhmgBud3vd2dqi9\r\n" +
  "X-H8s-Original-Query: q=1&r=%20\r\n" +
  "X-H8s-PublishSubject: h8s.http.GET.test.app.a.b.c\r\n" +
  "X-H8s-ReplySubject: _INBOX.h8s.I5gcV2UdhmgBud3vd2dqgc\r\n" +
  "X-Thing: 1\r\n\r\n";
const SOCKET = "NATS/1.0\r\n" +
  "Connection: Upgrade\r\n" +
  "Host: app.test\r\n" +
  "Sec-Websocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
  "Sec-Websocket-Version: 13\r\n" +
  "Upgrade: websocket\r\n" +
  "X-H8s-PublishSubject: h8s.ws.ws.test.app.room.1\r\n\r\n";
const INBOX = "_INBOX.h8s.dGhlIHNhbXBsZSBub25jZQ==";

Deno.test("behind the gateway in Go, serve() answers a request of a host that it serves by name", async () => {
  await using pair = await openPair();
  const handler = ({ url, headers }: Request) =>
    new Response(`${url} ${headers.get("x-thing")} ${headers.get("x-h8s-original-query")}`);
  await using service = serve(pair.nc, { host: "app.test" }, handler);
  await service.ready;
  const reply = "_INBOX.h8s.I5gcV2UdhmgBud3vd2dqaU.I5gcV2UdhmgBud3vd2dqjg";
  const replies = await listen(pair.edge, "_INBOX.h8s.>");
  pair.edge.publish("h8s.http.GET.test.app.a.b.c", "", { reply, headers: rawHeaders(HTTP) });
  const answer = await replies.next();
  assert.equal(answer.subject, reply);
  assert.equal(answer.string(), "http://app.test/a/b/c?q=1&r=%20 1 null");
  // It reads these two, and copies what it does not know to the client.
  assert.equal(answer.headers?.get("Status-Code"), "200");
  assert.equal(answer.headers?.get("Content-Length"), String(answer.data.length));
  assert.ok(!answer.headers?.keys().some((name) => /^x-h8s-/i.test(name)));
});

Deno.test("behind the gateway in Go, a large body has no header that only this gateway knows", async () => {
  await using pair = await openPair();
  await using service = serve(pair.nc, { host: "app.test" }, () => {
    const chunks = Array.from({ length: 3 }, () => new Uint8Array(500_000));
    const headers = { "content-length": "1500000" };
    return new Response(ReadableStream.from(chunks), { headers });
  });
  await service.ready;
  const replies = await listen(pair.edge, "_INBOX.h8s.gw.1");
  const headers = rawHeaders(HTTP);
  pair.edge.publish("h8s.http.GET.test.app.a.b.c", "", { reply: "_INBOX.h8s.gw.1", headers });
  const first = await replies.next();
  assert.deepEqual(first.headers?.keys(), ["Status-Code"]);
  assert.equal(first.reply, "");
  let length = first.data.length;
  for (let message = await replies.next(); message.data.length > 0;) {
    length += message.data.length;
    message = await replies.next();
  }
  assert.equal(length, 1_500_000);
});

Deno.test("behind the gateway in Go, a WebSocket opens, speaks and closes", async () => {
  await using pair = await openPair();
  const told = new Events<string>();
  await using service = serve(pair.nc, {
    host: "app.test",
    websocket: {
      open: ({ id, request: { url } }) => told.add(`open ${id} ${url}`),
      message: (connection, data) => void connection.send(`you said ${data}`),
      close: ({ id }, code) => told.add(`close ${id} ${code}`),
    },
  }, () => new Response());
  await service.ready;
  const heard = await listen(pair.edge, INBOX);
  const publish = (subject: string, payload: string) =>
    pair.edge.publish(subject, payload, { reply: INBOX, headers: rawHeaders(SOCKET) });
  publish("h8s.control.ws.conn.established.test.app", "");
  assert.equal(await told.next(), `open ${INBOX} http://app.test/room/1`);
  publish("h8s.ws.ws.test.app.room.1", "one");
  assert.equal((await heard.next()).string(), "you said one");
  publish("h8s.control.ws.conn.closed.test.app", "");
  assert.equal(await told.next(), `close ${INBOX} 1005`);
});
