import assert from "node:assert/strict";
import { rawRequest, readUntil, write } from "../harness/raw_http.ts";
import { headerEntries, listen, natsHeaders, setUp } from "../harness/setup.ts";
import { Client, clientFrame, HANDSHAKE, rawHandshake } from "../harness/websocket.ts";

const ESTABLISHED = "h8s.control.ws.conn.established";
const CLOSED = "h8s.control.ws.conn.closed";

Deno.test("a WebSocket is told as established, its messages cross both ways, its end as closed", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const flat = await listen(nc, "h8s.control.ws.conn.*");
  const byHost = await listen(nc, "h8s.control.ws.conn.*.>");
  const messages = await listen(nc, "h8s.ws.ws.>");
  const client = await Client.connect(`ws://127.0.0.1:${gateway.port}/room//1.x?token=a%20b`);

  const established = await byHost.next();
  assert.equal(established.subject, `${ESTABLISHED}.127.0.0.1`);
  assert.equal((await flat.next()).subject, ESTABLISHED);
  assert.equal(established.data.length, 0);
  const inbox = established.reply!;
  assert.match(inbox, /^_INBOX\.h8s\.\w+\.[\w-]+$/);
  const headers = new Map(headerEntries(established));
  assert.equal(headers.get("X-H8s-PublishSubject"), "h8s.ws.ws.127.0.0.1.room.1%2Ex");
  assert.equal(headers.get("X-H8s-Original-Query"), "token=a%20b");
  assert.equal(headers.get("Host"), `127.0.0.1:${gateway.port}`);
  assert.match(headers.get("Upgrade") ?? "", /^websocket$/i);
  assert.match(headers.get("Connection") ?? "", /upgrade/i);
  assert.equal(headers.get("Sec-Websocket-Version"), "13");
  assert.match(headers.get("Sec-Websocket-Key") ?? "", /==$/);
  assert.ok(headers.get("X-H8s-Connection-Id"));
  assert.ok(inbox.includes(`.${headers.get("X-H8s-Gateway-Id")}.`));

  client.send("héllo");
  const text = await messages.next();
  assert.equal(text.subject, "h8s.ws.ws.127.0.0.1.room.1%2Ex");
  assert.equal(text.reply, inbox);
  assert.equal(text.string(), "héllo");
  assert.equal(text.headers?.get("X-H8s-Frame"), "text");
  assert.equal(text.headers?.get("X-H8s-Connection-Id"), headers.get("X-H8s-Connection-Id"));
  const bytes = Uint8Array.of(0, 255, 1, 254);
  client.send(bytes);
  const binary = await messages.next();
  assert.deepEqual([...binary.data], [...bytes]);
  assert.equal(binary.headers?.get("X-H8s-Frame"), "binary");

  nc.publish(inbox, "plain text");
  nc.publish(inbox, bytes);
  nc.publish(inbox, "as bytes", { headers: natsHeaders(["X-H8s-Frame", "binary"]) });
  nc.publish(inbox, "as text", { headers: natsHeaders(["X-H8s-Frame", "text"]) });
  nc.publish(inbox, "");
  assert.equal(await client.next(), "plain text");
  assert.deepEqual(await client.next(), bytes);
  assert.deepEqual(await client.next(), new TextEncoder().encode("as bytes"));
  assert.equal(await client.next(), "as text");
  assert.equal(await client.next(), "");

  await client.close(4321, "done with it");
  const closed = await byHost.next();
  assert.equal(closed.subject, `${CLOSED}.127.0.0.1`);
  assert.equal((await flat.next()).subject, CLOSED);
  assert.equal(closed.reply, inbox);
  assert.equal(closed.headers?.get("X-H8s-Close-Code"), "4321");
  assert.equal(closed.headers?.get("X-H8s-Close-Reason"), "done with it");
  const id = headers.get("X-H8s-Connection-Id");
  assert.equal(headers.get("X-H8s-Event-Id"), `${id}.established`);
  assert.equal(closed.headers?.get("X-H8s-Event-Id"), `${id}.closed`);
  headers.delete("X-H8s-Event-Id");
  for (const [name, value] of headers) assert.equal(closed.headers?.get(name), value, name);
});

Deno.test("--control-subjects chooses which generation of workloads is told", async (t) => {
  const table = [["flat", [ESTABLISHED]], ["host", [`${ESTABLISHED}.127.0.0.1`]]] as const;
  for (const [form, subjects] of table) {
    await t.step(form, async () => {
      await using setup = await setUp(["--control-subjects", form]);
      const events = await listen(setup.nc, `${ESTABLISHED}`);
      const byHost = await listen(setup.nc, `${ESTABLISHED}.>`);
      const messages = await listen(setup.nc, "h8s.ws.ws.>");
      await using client = await Client.connect(`ws://127.0.0.1:${setup.gateway.port}/`);
      client.send("after the event");
      await messages.next();
      assert.deepEqual([...events.all, ...byHost.all].map(({ subject }) => subject), subjects);
    });
  }
});

Deno.test("the flat event spells the subject's header as its generation reads it", async () => {
  await using setup = await setUp();
  const flat = await listen(setup.nc, ESTABLISHED);
  await using _client = await Client.connect(`ws://127.0.0.1:${setup.gateway.port}/x`);
  const names = headerEntries(await flat.next()).map(([name]) => name);
  assert.ok(names.includes("X-H8S-PublishSubject") && names.includes("X-H8s-PublishSubject"));
});

Deno.test("2000 messages each way keep their order", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const events = await listen(nc, ESTABLISHED);
  const messages = await listen(nc, "h8s.ws.ws.>");
  await using client = await Client.connect(`ws://127.0.0.1:${gateway.port}/order`);
  const { reply } = await events.next();
  for (let index = 0; index < 2000; index++) {
    client.send(String(index));
    nc.publish(reply!, String(index));
  }
  for (let index = 0; index < 2000; index++) {
    assert.equal((await messages.next()).string(), String(index));
    assert.equal(await client.next(), String(index));
  }
});

Deno.test("a workload closes a socket with X-H8s-Close, and codes that may not be sent are not", async (t) => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const established = await listen(nc, ESTABLISHED);
  const closed = await listen(nc, CLOSED);
  const table: [header: string, code: number, reason: string][] = [
    ["1000 bye bye", 1000, "bye bye"],
    ["4401 token expired", 4401, "token expired"],
    ["3000", 3000, ""],
    ["1008 no", 1008, "no"],
    ["1006 x", 1011, "invalid close code from the workload"],
    ["1005", 1005, ""],
    ["5000 x", 1011, "invalid close code from the workload"],
    ["soon", 1011, "invalid close code from the workload"],
  ];
  for (const [header, code, reason] of table) {
    await t.step(header, async () => {
      await using client = await Client.connect(`ws://127.0.0.1:${gateway.port}/close`);
      const { reply } = await established.next();
      nc.publish(reply!, "", { headers: natsHeaders(["X-H8s-Close", header]) });
      const event = await client.closed;
      assert.deepEqual([event.code, event.reason], [code, reason]);
      const end = await closed.next();
      assert.equal(end.headers?.get("X-H8s-Close-Code"), String(code));
      assert.equal(end.headers?.get("X-H8s-Close-Reason"), reason);
    });
  }
});

Deno.test("how a client leaves is told", async (t) => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const closed = await listen(nc, `${CLOSED}.com.example.chat`);
  const table: [name: string, last: string, code: string][] = [
    ["vanishes", "", "1006"],
    ["closes with a code", clientFrame(8, "\x0f\xa1bye"), "4001"],
    ["closes with a code and no reason", clientFrame(8, "\x0f\xa2"), "4002"],
    ["closes without a code", clientFrame(8, ""), "1005"],
    ["sends text that is not UTF-8", clientFrame(1, "\xff\xfe"), "1006"],
    ["sends an opcode that does not exist", clientFrame(3, "x"), "1006"],
  ];
  for (const [name, last, code] of table) {
    await t.step(name, async () => {
      const { conn } = await rawHandshake(gateway.port);
      await write(conn, last);
      if (last !== "") await readUntil(conn);
      conn.close();
      assert.equal((await closed.next()).headers?.get("X-H8s-Close-Code"), code);
    });
  }
});

Deno.test("a handshake that is none is a 400, another version a 426", async (t) => {
  await using setup = await setUp();
  const seen = await listen(setup.nc, "h8s.*.ws.>");
  const table: [name: string, from: string, to: string, status: number][] = [
    ["a POST", "GET ", "POST ", 400],
    ["no Connection: Upgrade", "Connection: Upgrade", "Connection: x", 400],
    ["h2c in a line before it", "Upgrade: websocket", "Upgrade: H2C\r\nUpgrade: websocket", 400],
    ["no key", "Sec-WebSocket-Key:", "X-Key:", 400],
    ["a key of 15 bytes", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub25j", 400],
    ["a key that is not base64", "dGhlIHNhbXBsZSBub25jZQ==", "dGhlIHNhbXBsZSBub2*jZQ==", 400],
    ["a hostile host", "chat.example.com", "chat.>", 400],
    ["a list of protocols that is none", "Host:", "Sec-WebSocket-Protocol: a b\r\nHost:", 400],
    ["version 8", "Version: 13", "Version: 8", 426],
    ["no version", "Sec-WebSocket-Version: 13", "X-Version: 13", 426],
  ];
  for (const [name, from, to, status] of table) {
    await t.step(name, async () => {
      const head = HANDSHAKE.join("\r\n").replace(from, to);
      const { conn, response } = await rawHandshake(setup.gateway.port, head.split("\r\n"));
      conn.close();
      assert.equal(Number(response.split(" ")[1]), status);
      if (status === 426) assert.match(response, /sec-websocket-version: 13/i);
    });
  }
  await setup.nc.flush();
  assert.deepEqual(seen.all.map(({ subject }) => subject), []);
});

Deno.test("of the subprotocols offered the first is picked, however the list is written", async (t) => {
  await using setup = await setUp();
  for (const list of ["a,b", "a, b", "a ,b"]) {
    await t.step(list, async () => {
      const lines = [...HANDSHAKE, `Sec-WebSocket-Protocol: ${list}`];
      const { conn, response } = await rawHandshake(setup.gateway.port, lines);
      conn.close();
      assert.match(response, /^HTTP\/1\.1 101 /);
      assert.match(response, /sec-websocket-protocol: a\r\n/i);
    });
  }
});

Deno.test("an Upgrade to anything else is plain HTTP", async () => {
  await using setup = await setUp();
  const { status } = await rawRequest(
    setup.gateway.port,
    "GET / HTTP/1.1\r\nHost: e.com\r\nUpgrade: h2c",
  );
  assert.equal(status, 503);
});

Deno.test("a message over the limit closes the socket with 1009", async () => {
  await using setup = await setUp(["--max-body-size", "1000B"]);
  const messages = await listen(setup.nc, "h8s.ws.ws.>");
  await using client = await Client.connect(`ws://127.0.0.1:${setup.gateway.port}/big`);
  client.send("x".repeat(1000));
  assert.equal((await messages.next()).data.length, 1000);
  client.send("x".repeat(1001));
  assert.equal((await client.closed).code, 1009);
  await setup.nc.flush();
  assert.equal(messages.all.length, 1);
});

Deno.test("a client that does not answer a close is hung up on", async () => {
  await using setup = await setUp(["--max-body-size", "1000B"]);
  const closed = await listen(setup.nc, CLOSED);
  const { conn } = await rawHandshake(setup.gateway.port);
  await write(conn, clientFrame(2, "x".repeat(1001)));
  let hasWaitedInVain = false;
  const timer = setTimeout(() => {
    hasWaitedInVain = true;
    conn.close();
  }, 10_000);
  assert.match(await readUntil(conn), /message larger than 1000 bytes$/);
  clearTimeout(timer);
  assert.ok(!hasWaitedInVain);
  conn.close();
  assert.equal((await closed.next()).headers?.get("X-H8s-Close-Code"), "1009");
  await setup.nc.flush();
  assert.equal(closed.all.length, 1);
});

Deno.test("a client that does not read is closed as a slow consumer, told though it never answers", async () => {
  await using setup = await setUp(["--ws-send-limit", "64KiB"]);
  const { nc, gateway } = setup;
  const established = await listen(nc, ESTABLISHED);
  const closed = await listen(nc, CLOSED);
  const { conn } = await rawHandshake(gateway.port);
  const { reply } = await established.next();
  await using other = await Client.connect(`ws://127.0.0.1:${gateway.port}/other`);
  const otherInbox = (await established.next()).reply!;
  for (let sent = 0; sent < 1000; sent++) nc.publish(reply!, new Uint8Array(32 * 1024));
  const end = await closed.next();
  assert.equal(end.headers?.get("X-H8s-Close-Code"), "1013");
  assert.equal(end.headers?.get("X-H8s-Close-Reason"), "slow consumer");
  conn.close();
  nc.publish(otherInbox, "still here");
  assert.equal(await other.next(), "still here");
});

Deno.test("where too much waits for all clients, the one for which most waits is closed, and no other", async () => {
  await using setup = await setUp(["--ws-send-limit", "1GiB", "--ws-send-total", "8MiB"]);
  const { nc, gateway } = setup;
  const established = await listen(nc, ESTABLISHED);
  const closed = await listen(nc, CLOSED);
  const [few, many] = [await rawHandshake(gateway.port), await rawHandshake(gateway.port)];
  const [toFew, toMany] = [(await established.next()).reply!, (await established.next()).reply!];
  await using other = await Client.connect(`ws://127.0.0.1:${gateway.port}/other`);
  const toOther = (await established.next()).reply!;
  for (let sent = 0; sent < 1000 && closed.all.length === 0; sent++) {
    nc.publish(toMany, new Uint8Array(64 * 1024));
    if (sent % 4 === 0) nc.publish(toFew, new Uint8Array(64 * 1024));
    await nc.flush();
  }
  const end = await closed.next();
  assert.equal(end.reply, toMany);
  assert.equal(end.headers?.get("X-H8s-Close-Reason"), "slow consumer");
  nc.publish(toOther, "still here");
  assert.equal(await other.next(), "still here");
  assert.equal(closed.all.length, 1);
  many.conn.close();
  few.conn.close();
});

Deno.test("a message that nobody hears never reaches the client as an empty frame", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const established = await listen(nc, ESTABLISHED);
  await using client = await Client.connect(`ws://127.0.0.1:${gateway.port}/unheard`);
  const { reply } = await established.next();
  client.send("anybody?");
  await gateway.logged("no workload subscribes to what a client says");
  nc.publish(reply!, "first");
  assert.equal(await client.next(), "first");
  assert.equal(await gateway.metric("h8s_websocket_messages_unheard_total"), 1);
});
