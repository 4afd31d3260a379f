import assert from "node:assert/strict";
import { ConnectionClosedError, serve } from "../../lib/workload/mod.ts";
import { open, readUntil, write } from "../harness/raw_http.ts";
import { natsHeaders, setUp } from "../harness/setup.ts";

const PIECE = new Uint8Array(60 * 1024);
/** 30 MB: more than the system's buffers and the limit hold. */
const PIECES = 500;
const KEY = "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n";
const HANDSHAKE =
  `GET / HTTP/1.1\r\nHost: e.com\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${KEY}\r\n`;

Deno.test("who awaits what it sends goes no faster than its client, which is not closed", async () => {
  await using setup = await setUp(["--ws-send-limit", "1MiB", "--ws-send-timeout", "60s"]);
  const stalled = Promise.withResolvers<number>();
  const closed = Promise.withResolvers<number>();
  await using service = serve(setup.nc, {
    host: "*",
    websocket: {
      async open(conn) {
        for (let sent = 0; sent < PIECES; sent++) {
          const timer = setTimeout(() => stalled.resolve(sent), 500);
          await conn.send(PIECE).finally(() => clearTimeout(timer));
        }
        stalled.reject(new Error("it was never slowed down"));
        conn.close(4000, "all of it");
      },
      close: (_conn, code) => closed.resolve(code),
    },
  }, () => new Response());
  await service.ready;
  using client = await open(setup.gateway.port);
  await write(client, HANDSHAKE);
  assert.ok(await stalled.promise < PIECES);
  assert.ok(await readAll(client) > PIECES * PIECE.length);
  assert.equal(await closed.promise, 4000);
});

Deno.test("who floods a client that reads nothing has it closed at the limit, and is told where it waits", async () => {
  await using setup = await setUp(["--ws-send-limit", "1MiB", "--ws-send-timeout", "60s"]);
  const last = Promise.withResolvers<unknown>();
  const closed = Promise.withResolvers<number>();
  await using service = serve(setup.nc, {
    host: "*",
    websocket: {
      async open(conn) {
        const sending = Array.from({ length: PIECES }, () => conn.send(PIECE));
        await sending.at(-1)!.catch((error) => last.resolve(error));
        last.resolve("sent");
      },
      close: (_conn, code) => closed.resolve(code),
    },
  }, () => new Response());
  await service.ready;
  using client = await open(setup.gateway.port);
  await write(client, HANDSHAKE);
  assert.ok(await last.promise instanceof ConnectionClosedError);
  assert.equal(await closed.promise, 1013);
});

Deno.test("a gateway says at once that a connection is over to who asks for credit", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const inbox = Promise.withResolvers<string>();
  nc.subscribe("h8s.control.ws.conn.closed", {
    callback: (_error, message) => inbox.resolve(message.reply!),
  });
  await nc.flush();
  const client = await open(gateway.port);
  await write(client, HANDSHAKE);
  await readUntil(client, (text) => text.includes("\r\n\r\n"));
  client.close();
  const headers = natsHeaders(["X-H8s-Credit", "ask"]);
  const answer = await nc.request(await inbox.promise, "late", { headers, timeout: 5000 });
  assert.equal(answer.headers?.get("X-H8s-Cancel"), "the connection is closed");
});

/** How many bytes come until the peer ends, which it does when its close frame is not answered. */
async function readAll(conn: Deno.TcpConn): Promise<number> {
  const buffer = new Uint8Array(64 * 1024);
  let total = 0;
  for (let read = await conn.read(buffer); read !== null; read = await conn.read(buffer)) {
    total += read;
  }
  return total;
}
