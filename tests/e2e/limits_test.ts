import { pause } from "../../lib/time/within.ts";
import assert from "node:assert/strict";
import type { GatewayProcess } from "../harness/gateway.ts";
import { statsOf } from "../faults/process_stats.ts";
import { open, rawRequest, readUntil, write } from "../harness/raw_http.ts";
import { answer, listen, natsHeaders, setUp } from "../harness/setup.ts";
import { Client, clientFrame, rawHandshake } from "../harness/websocket.ts";

const MEGABYTE = new Uint8Array(1_000_000);
const BINARY = 2;
const CONTINUATION = 0;
const PING = "\x89\0";
const IN_FLIGHT = "h8s_http_requests_in_flight";

Deno.test("without a descriptor for the next client the gateway goes on, and serves when there is one", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const said = await listen(nc, "h8s.ws.ws.>");
  await using client = await Client.connect(`ws://127.0.0.1:${gateway.port}/stays`);
  await limitDescriptors(gateway.pid, 64);
  const idle: Deno.TcpConn[] = [];
  for (let count = 0; count < 64; count++) {
    const conn = await open(gateway.port).catch(() => undefined);
    if (conn !== undefined) idle.push(conn);
  }
  await gateway.logged(/^cannot accept connections: out of file descriptors/);
  for (const conn of idle) conn.close();
  await limitDescriptors(gateway.pid, 1024);
  client.send("still here");
  assert.equal((await said.next()).string(), "still here");
  assert.equal(await firstStatus(gateway), 503);
  assert.ok(await gateway.metric("h8s_listener_restarts_total") >= 1);
});

Deno.test("a body that stops coming is a 408 and gives its place back", async () => {
  await using setup = await setUp(["--body-timeout", "300ms", "--max-in-flight", "3"]);
  const { gateway } = setup;
  const head = (length: number) =>
    `POST / HTTP/1.1\r\nHost: e.com\r\nContent-Length: ${length}\r\n\r\nx`;
  const clients = await Promise.all([10, 500_000].map(async (length) => {
    const conn = await open(gateway.port);
    await write(conn, head(length));
    return conn;
  }));
  for (const conn of clients) {
    using _ = conn;
    assert.match(
      await readUntil(conn, (text) => text.includes("body_timeout")),
      /^HTTP\/1\.1 408 /,
    );
  }
  assert.equal(await gateway.metric(IN_FLIGHT), 0);
  assert.equal(await gateway.metric('h8s_requests_refused_total{code="body_timeout"}'), 2);
});

Deno.test("a client that has had its 408 takes no descriptor with it", async () => {
  await using setup = await setUp(["--body-timeout", "200ms"]);
  const { gateway } = setup;
  const stop = async () => {
    using conn = await open(gateway.port);
    await write(conn, "POST / HTTP/1.1\r\nHost: e.com\r\nContent-Length: 500000\r\n\r\nx");
    await readUntil(conn, (text) => text.includes("body_timeout"));
  };
  await gateway.metric(IN_FLIGHT);
  const { fds } = await statsOf(gateway.pid);
  await Promise.all(Array.from({ length: 10 }, stop));
  for (let looks = 0; (await statsOf(gateway.pid)).fds > fds; looks++) {
    assert.ok(looks < 1000, "they are closed by and by");
    await gateway.metric(IN_FLIGHT);
  }
});

Deno.test("a body in chunks of one byte is whole, whatever buffers it fills", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  await answer(nc, "h8s.http.>", ({ data }) => ({ data: String(data.length) }));
  const head = "POST / HTTP/1.1\r\nHost: e.com\r\nTransfer-Encoding: chunked";
  for (const length of [1000, 32_768, 33_000, 70_000]) {
    const body = `${"1\r\nx\r\n".repeat(length)}0\r\n\r\n`;
    assert.equal((await rawRequest(gateway.port, head, body)).body, String(length));
  }
});

Deno.test("a response that nobody reads is given up, and its place with it", async () => {
  const flags = ["--send-timeout", "500ms", "--response-buffer", "64MiB"];
  await using setup = await setUp(flags);
  const { nc, gateway } = setup;
  const requests = await listen(nc, "h8s.http.GET.>");
  const ends = await listen(nc, "h8s.control.connection.closed.>");
  using conn = await open(gateway.port);
  await write(conn, "GET /large HTTP/1.1\r\nHost: e.com\r\n\r\n");
  const { reply } = await requests.next();
  nc.publish(reply!, MEGABYTE, { headers: natsHeaders(["Status", "200"]) });
  // The system's own buffers take some of it.
  for (let count = 0; count < 30; count++) nc.publish(reply!, MEGABYTE);
  assert.equal((await ends.next()).string(), "write_error");
  assert.equal(await gateway.metric('h8s_http_responses_aborted_total{reason="write_error"}'), 1);
  assert.equal(await gateway.metric(IN_FLIGHT), 0);
});

Deno.test("an open WebSocket is no request in flight", async () => {
  await using setup = await setUp();
  await using _ = await Client.connect(`ws://127.0.0.1:${setup.gateway.port}/`);
  assert.equal(await setup.gateway.metric(IN_FLIGHT), 0);
});

Deno.test("a burst that the client reads is no slowness", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const established = await listen(nc, "h8s.control.ws.conn.established");
  await using client = await Client.connect(`ws://127.0.0.1:${gateway.port}/`);
  const { reply } = await established.next();
  const text = "z".repeat(500_000);
  for (let count = 0; count < 12; count++) nc.publish(reply!, text);
  for (let count = 0; count < 12; count++) assert.equal((await client.next()).length, text.length);
});

Deno.test("who takes nothing of little is closed after a while, too", async () => {
  await using setup = await setUp(["--ws-send-timeout", "200ms"]);
  const { nc, gateway } = setup;
  const established = await listen(nc, "h8s.control.ws.conn.established");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  using conn = await open(gateway.port);
  const key = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
  await write(
    conn,
    `GET / HTTP/1.1\r\nHost: e.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${key}\r\n`,
  );
  const { reply } = await established.next();
  // Less than --ws-send-limit, and more than the system's buffers.
  for (let count = 0; count < 220; count++) nc.publish(reply!, new Uint8Array(64 * 1024));
  assert.equal((await closed.next()).headers?.get("X-H8s-Close-Code"), "1013");
});

Deno.test("who is in the middle of a message is hung up on: for want of a pong, and when told to go", async (t) => {
  await using setup = await setUp(["--ws-idle-timeout", "1s"]);
  const { nc, gateway } = setup;
  const established = await listen(nc, "h8s.control.ws.conn.established");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  await t.step("more fragments are no answer to a ping", async () => {
    const { conn } = await rawHandshake(gateway.port);
    await established.next();
    await write(conn, unfinished(BINARY));
    await readUntil(conn, (text) => text.includes(PING));
    await write(conn, unfinished(CONTINUATION));
    await closed.next();
    await readUntil(conn);
    conn.close();
  });
  await t.step("a workload closes it", async () => {
    const { conn } = await rawHandshake(gateway.port);
    const { reply } = await established.next();
    await write(conn, unfinished(BINARY));
    nc.publish(reply!, "", { headers: natsHeaders(["X-H8s-Close", "4000"]) });
    assert.equal((await closed.next()).headers?.get("X-H8s-Close-Code"), "4000");
    await readUntil(conn);
    conn.close();
  });
});

/** As `ulimit -n` would have. */
async function limitDescriptors(pid: number, most: number): Promise<void> {
  const args = ["--pid", String(pid), `--nofile=${most}:1024`];
  const { success } = await new Deno.Command("prlimit", { args }).output();
  assert.ok(success);
}

/** Of a request that gets through, however often it is refused before. */
async function firstStatus({ url }: GatewayProcess): Promise<number> {
  for (;;) {
    const response = await fetch(url).catch(() => undefined);
    await response?.body?.cancel();
    if (response !== undefined) return response.status;
    await pause(50);
  }
}

/** A frame that is not the last one of its message. */
function unfinished(opcode: number): string {
  const frame = clientFrame(opcode, "x".repeat(1000));
  return String.fromCharCode(opcode) + frame.slice(1);
}
