import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import { listen, type Setup, setUp } from "../harness/setup.ts";
import { readUntil, write } from "../harness/raw_http.ts";
import { Client, clientFrame, HANDSHAKE, rawHandshake } from "../harness/websocket.ts";

const PERSIST = ["--persist", "said", "--persist-storage", "memory"];
const CLIENT_ID = "0123456789abcdef";

async function setUpPersistent(flags: readonly string[] = []): Promise<Setup> {
  const setup = await setUp([...PERSIST, ...flags], { jetstream: true });
  await setup.gateway.logged("stream ready");
  return setup;
}

function open({ gateway }: Setup, ...protocols: string[]): Promise<Client> {
  return Client.connect(`ws://127.0.0.1:${gateway.port}/chat`, ["h8s.ack.v1", ...protocols]);
}

async function next(client: Client): Promise<unknown> {
  return JSON.parse(String(await client.next()));
}

async function countStored({ nc }: Setup): Promise<number> {
  return (await (await jetstreamManager(nc)).streams.info("said")).state.messages;
}

Deno.test("each message is acknowledged with its sequence, once the stream has it", async () => {
  await using setup = await setUpPersistent();
  const live = await listen(setup.nc, "h8s.ws.ws.>");
  await using client = await open(setup, `h8s.ack.client.${CLIENT_ID}`);
  assert.equal(client.protocol, "h8s.ack.v1");
  client.send('{"id": 41, "data": "hello"}');
  assert.deepEqual(await next(client), { ack: 41, seq: 1 });
  client.send('{"id": 42, "data": {"a": 1}}');
  assert.deepEqual(await next(client), { ack: 42, seq: 2 });
  client.send(Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 43, 1, 2, 3));
  assert.deepEqual(await next(client), { ack: 43, seq: 3 });
  const messages = [await live.next(), await live.next(), await live.next()];
  assert.deepEqual(messages.map(({ data }) => [...data]), [
    [...new TextEncoder().encode("hello")],
    [...new TextEncoder().encode('{"a":1}')],
    [1, 2, 3],
  ]);
  assert.equal(messages[2]?.headers?.get("X-H8s-Frame"), "binary");
});

Deno.test("what is said again after a reconnect is kept once, and acknowledged as before", async () => {
  await using setup = await setUpPersistent();
  {
    await using client = await open(setup, `h8s.ack.client.${CLIENT_ID}`);
    client.send('{"id": 1, "data": "once"}');
    assert.deepEqual(await next(client), { ack: 1, seq: 1 });
  }
  await using client = await open(setup, `h8s.ack.client.${CLIENT_ID}`);
  client.send('{"id": 1, "data": "once"}');
  client.send('{"id": 2, "data": "more"}');
  assert.deepEqual(await next(client), { ack: 1, seq: 1 });
  assert.deepEqual(await next(client), { ack: 2, seq: 2 });
  assert.equal(await countStored(setup), 2);
});

Deno.test("two clients that count alike lose nothing", async () => {
  await using setup = await setUpPersistent();
  await using one = await open(setup, `h8s.ack.client.${CLIENT_ID}`);
  await using two = await open(setup, "h8s.ack.client.fedcba9876543210");
  await using nameless = await open(setup);
  one.send('{"id": 1, "data": "a"}');
  assert.deepEqual(await next(one), { ack: 1, seq: 1 });
  two.send('{"id": 1, "data": "b"}');
  assert.deepEqual(await next(two), { ack: 1, seq: 2 });
  nameless.send('{"id": 1, "data": "c"}');
  assert.deepEqual(await next(nameless), { ack: 1, seq: 3 });
  assert.equal(await countStored(setup), 3);
});

Deno.test("tabs of one session, and paths, have numbers of their own", async () => {
  await using setup = await setUp(
    ["--persist", "said", "--persist-storage", "memory", "--config", "-"],
    { jetstream: true },
    "session: {}",
  );
  await setup.gateway.logged("stream ready");
  const lines = [...HANDSHAKE, "Cookie: clientId=0123456789abcdef"];
  const [, ...rest] = lines;
  const word = '{"id": 1, "data": "the same words"}';
  const table: [handshake: readonly string[], answer: string][] = [
    [[...lines, "Sec-WebSocket-Protocol: h8s.ack.v1"], '{"ack":1,"seq":1}'],
    [[...lines, "Sec-WebSocket-Protocol: h8s.ack.v1"], '{"ack":1,"seq":2}'],
    [
      [...lines, `Sec-WebSocket-Protocol: h8s.ack.v1, h8s.ack.client.${CLIENT_ID}`],
      '{"ack":1,"seq":3}',
    ],
    [
      [...lines, `Sec-WebSocket-Protocol: h8s.ack.v1, h8s.ack.client.${CLIENT_ID}`],
      '{"ack":1,"seq":3}',
    ],
    [
      [
        "GET /b HTTP/1.1",
        ...rest,
        `Sec-WebSocket-Protocol: h8s.ack.v1, h8s.ack.client.${CLIENT_ID}`,
      ],
      '{"ack":1,"seq":4}',
    ],
  ];
  for (const [handshake, answer] of table) {
    const { conn } = await rawHandshake(setup.gateway.port, handshake);
    using _ = conn;
    await write(conn, clientFrame(1, word));
    assert.match(await readUntil(conn, (text) => text.includes("ack")), new RegExp(answer));
  }
  assert.equal(await countStored(setup), 4);
});

Deno.test("other words under a number that is taken are kept, too: an acknowledgement is of this message", async () => {
  await using setup = await setUpPersistent();
  await using client = await open(setup, `h8s.ack.client.${CLIENT_ID}`);
  for (const [word, seq] of [["a", 1], ["b", 2], ["a", 1], ["b", 2]] as const) {
    client.send(JSON.stringify({ id: 1, data: word }));
    assert.deepEqual(await next(client), { ack: 1, seq });
  }
  assert.equal(await countStored(setup), 2);
});

Deno.test("a workload's words come wrapped, and no workload hears the client's secret", async () => {
  await using setup = await setUpPersistent();
  const opened = await listen(setup.nc, "h8s.control.ws.conn.established");
  await using client = await open(setup, `h8s.ack.client.${CLIENT_ID}`);
  const { reply, headers } = await opened.next();
  assert.equal(headers?.get("Sec-Websocket-Protocol"), "h8s.ack.v1");
  setup.nc.publish(reply!, '{"ack":1,"seq":1}');
  assert.deepEqual(await next(client), { data: '{"ack":1,"seq":1}' });
  setup.nc.publish(reply!, Uint8Array.of(0xff, 1));
  assert.deepEqual(await client.next(), Uint8Array.of(0xff, 1));
});

Deno.test("a message that is not numbered closes the socket, and says how it should be", async (t) => {
  await using setup = await setUpPersistent();
  for (const message of ["hello", '{"id":-1,"data":1}', Uint8Array.of(1, 2)]) {
    await t.step(String(message), async () => {
      await using client = await open(setup);
      client.send(message);
      const { code, reason } = await client.closed;
      assert.equal(code, 1008);
      assert.match(reason, /^h8s\.ack\.v1: expected/);
    });
  }
  assert.equal(await countStored(setup), 0);
});

Deno.test("without a stream nobody is promised an acknowledgement", async () => {
  await using setup = await setUp();
  const lines = [...HANDSHAKE, "Sec-WebSocket-Protocol: h8s.ack.v1"];
  const refused = await rawHandshake(setup.gateway.port, lines);
  refused.conn.close();
  assert.match(refused.response, /^HTTP\/1.1 400 /);
  await using client = await open(setup, "chat");
  assert.equal(client.protocol, "chat");
});

Deno.test("a client's name that could be guessed is refused", async () => {
  await using setup = await setUpPersistent();
  const lines = [...HANDSHAKE, "Sec-WebSocket-Protocol: h8s.ack.v1, h8s.ack.client.me"];
  const { conn, response } = await rawHandshake(setup.gateway.port, lines);
  conn.close();
  assert.match(response, /^HTTP\/1.1 400 /);
});
