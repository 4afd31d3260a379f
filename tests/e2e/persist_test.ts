import assert from "node:assert/strict";
import { jetstream, jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport";
import { SignJWT } from "jose";
import { type GatewayOptions, startGateway, StreamError } from "../../lib/mod.ts";
import { GatewayProcess } from "../harness/gateway.ts";
import { type NatsServer, startNats } from "../harness/nats_server.ts";
import { Program } from "../harness/program.ts";
import { rawRequest } from "../harness/raw_http.ts";
import { answer, listen, natsHeaders, setUp } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";

interface Running extends AsyncDisposable {
  readonly nats: NatsServer;
  readonly nc: NatsConnection;
  readonly port: number;
}

/** Routes come from a file or a program; here from a program. */
async function run(options: GatewayOptions): Promise<Running> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const nc = stack.adopt(await connect({ servers: nats.url }), (nc) => nc.close());
  const gateway = stack.use(startGateway({
    natsUrl: [nats.url],
    listen: "127.0.0.1:0",
    logLevel: "error",
    persistStorage: "memory",
    ...options,
  }));
  await gateway.connected;
  const all = stack.move();
  return { nats, nc, port: gateway.address.port, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/** Everything in a stream, oldest first. */
async function stored(nc: NatsConnection, stream: string) {
  const { streams } = await jetstreamManager(nc);
  const { state } = await streams.info(stream);
  const messages = [];
  for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
    const message = await streams.getMessage(stream, { seq });
    if (message === null) continue;
    messages.push({ subject: message.subject, text: message.string(), header: message.header });
  }
  return messages;
}

Deno.test("a WebSocket's messages are in the stream, once, in order, and heard live", async () => {
  await using setup = await setUp(["--persist", "said", "--persist-storage", "memory"], {
    jetstream: true,
  });
  await setup.gateway.logged("stream ready");
  const live = await listen(setup.nc, "h8s.ws.ws.>");
  const opened = await listen(setup.nc, "h8s.control.ws.conn.established");
  await using client = await Client.connect(`ws://127.0.0.1:${setup.gateway.port}/chat`);
  const inbox = (await opened.next()).reply;
  for (let index = 0; index < 100; index++) client.send(`message ${index}`);
  for (let index = 0; index < 100; index++) {
    const message = await live.next();
    assert.equal(message.string(), `message ${index}`);
    assert.equal(message.headers?.get("X-H8s-ReplySubject"), inbox);
    assert.notEqual(message.reply, inbox);
  }
  setup.nc.publish(inbox!, "back");
  assert.equal(await client.next(), "back");
  await setup.gateway.stored(100);
  const messages = await stored(setup.nc, "said");
  assert.deepEqual(messages.map(({ text }) => text), live.all.map((message) => message.string()));
  assert.equal(new Set(messages.map(({ header }) => header.get("Nats-Msg-Id"))).size, 100);
});

Deno.test("the stream is a work queue that refuses what does not fit", async () => {
  await using setup = await run({ persist: "said", persistMaxBytes: "1MiB", persistMaxAge: "1h" });
  const { config } = await (await jetstreamManager(setup.nc)).streams.info("said");
  assert.equal(config.retention, "workqueue");
  assert.equal(config.discard, "new");
  assert.equal(config.storage, "memory");
  assert.equal(config.max_bytes, 1024 * 1024);
  assert.equal(config.max_age, 3600e9);
  assert.equal(config.duplicate_window, 120e9);
  assert.deepEqual(config.subjects, ["h8s.ws.ws.>"]);
});

Deno.test("a request is answered 202 when the stream has it, and once for one key", async () => {
  await using setup = await run({
    persist: "orders",
    routes: [{
      match: { path: "/orders", methods: ["POST"] },
      subject: "orders.new",
      mode: "publish",
      persist: true,
    }],
  });
  const post = async (body: string, headers: Record<string, string> = {}) => {
    const url = `http://127.0.0.1:${setup.port}/orders`;
    const response = await fetch(url, { method: "POST", body, headers });
    return { status: response.status, body: await response.json() };
  };
  const first = await post("a", { "Idempotency-Key": "k1" });
  assert.deepEqual(first, {
    status: 202,
    body: { stream: "orders", seq: 1, duplicate: false },
  });
  const again = await post("a", { "Idempotency-Key": '"k1"' });
  assert.deepEqual(again, { status: 202, body: { stream: "orders", seq: 1, duplicate: true } });
  assert.equal((await post("b")).body.seq, 2);
  assert.equal((await post("b")).body.seq, 3);
  assert.equal((await post("c", { "Idempotency-Key": "not a key" })).status, 400);
  const messages = await stored(setup.nc, "orders");
  assert.deepEqual(messages.map(({ text }) => text), ["a", "b", "b"]);
  assert.ok(messages[0]?.header.get("Nats-Msg-Id").endsWith("k1"));
});

const SECRET = "a secret of at least 32 characters";

function tokenOf(sub: string): Promise<string> {
  const token = new SignJWT({ sub, exp: 4e9, iat: Math.floor(Math.random() * 1e9) });
  return token.setProtectedHeader({ alg: "HS256" }).sign(new TextEncoder().encode(SECRET));
}

/** Two paths whose messages have one subject; one user has a new token for each request. */
function ordering(): Promise<Running> {
  const route = { subject: "orders.new", mode: "publish", persist: true } as const;
  return run({
    persist: "orders",
    jwt: { secret: SECRET },
    trustedProxies: ["127.0.0.1"],
    routes: [
      { match: { path: "/orders", methods: ["POST", "PUT"] }, ...route },
      { match: { path: "/returns", methods: ["POST"] }, ...route },
    ],
  });
}

interface Order {
  readonly who?: string;
  readonly host?: string;
  readonly path?: string;
  readonly method?: string;
  readonly key?: string;
  readonly body?: string;
  readonly requestId?: string;
}

async function order(port: number, order: Order): Promise<string> {
  const { who = "ann", host = "a.example", path = "/orders", method = "POST" } = order;
  const { key, body = "a book", requestId } = order;
  const response = await rawRequest(
    port,
    `${method} ${path} HTTP/1.1\r\nHost: ${host}\r\nAuthorization: Bearer ${await tokenOf(who)}` +
      `\r\nContent-Length: ${body.length}` +
      (key === undefined ? "" : `\r\nIdempotency-Key: ${key}`) +
      (requestId === undefined ? "" : `\r\nX-Request-Id: ${requestId}`),
    body,
  );
  const { seq, duplicate, type } = JSON.parse(response.body);
  return response.status === 202 ? `${seq}${duplicate ? " again" : ""}` : type;
}

Deno.test("a key is one client's, on one path, host and method, for one request", async () => {
  await using setup = await ordering();
  const table: [order: Order, answer: string][] = [
    [{ key: "1" }, "1"],
    [{ key: "1", who: "bob" }, "2"],
    [{ key: "1", host: "b.example" }, "3"],
    [{ key: "1", path: "/returns" }, "4"],
    [{ key: "1", method: "PUT" }, "5"],
    [{ key: "2" }, "6"],
    [{ key: "1" }, "1 again"],
    [{ key: "1", who: "bob" }, "2 again"],
    [{ key: "1", body: "two books" }, "urn:h8s:error:key_reused"],
    [{ key: "1", path: "/orders?gift=1" }, "urn:h8s:error:key_reused"],
    [{ key: "1", body: "" }, "urn:h8s:error:key_reused"],
    [{ key: "1" }, "1 again"],
    [{ requestId: "batch-42" }, "7"],
    [{ requestId: "batch-42", who: "bob" }, "8"],
    [{ requestId: "batch-42" }, "9"],
  ];
  for (const [row, answer] of table) assert.equal(await order(setup.port, row), answer);
  assert.equal((await stored(setup.nc, "orders")).length, 9);
});

Deno.test("a key is one client's also where an authorizer names nobody", async (t) => {
  const persist = { mode: "publish", persist: true } as const;
  await using setup = await run({
    persist: "orders",
    auth: "authorize",
    session: { cookie: "seen" },
    routes: [{ match: { path: "/orders/:kind" }, subject: "orders.new", ...persist }],
  });
  const { nc, port } = setup;
  const yes = natsHeaders(["Status-Code", "200"]);
  await answer(nc, "h8s.control.http.authorize.>", () => ({ headers: yes }));
  const ask = async (kind: number, shown: string) => {
    const head = `POST /orders/${kind} HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\n`;
    const { body } = await rawRequest(port, `${head}Idempotency-Key: 1\r\n${shown}`, "a book");
    return JSON.parse(body).duplicate;
  };
  const session = "Cookie: seen=0123456789abcdef";
  const table: [name: string, one: string, other: string, isSame: boolean][] = [
    ["two cookies", "Cookie: sid=ann", "Cookie: sid=bob", false],
    ["two keys", "X-Api-Key: a", "X-Api-Key: b", false],
    ["two names and passwords", "Authorization: Basic YTph", "Authorization: Basic Yjpi", false],
    ["one token, two cookies", "Authorization: Bearer x\r\nCookie: a=1", "Cookie: a=1", false],
    ["two sessions of ours", session, session.replace("f", "e"), false],
    [
      "one token, a proof each",
      "Authorization: DPoP x\r\nDPoP: 1",
      "Authorization: DPoP x\r\nDPoP: 2",
      true,
    ],
    ["one cookie", "Cookie: sid=ann", "Cookie: sid=ann", true],
    ["one cookie and its session", "Cookie: sid=ann", `${session}; sid=ann`, true],
    ["one session of ours", session, session, true],
    ["one token, two browsers", "Authorization: Bearer x", "authorization: bearer x", true],
  ];
  for (const [kind, [name, one, other, isSame]] of table.entries()) {
    await t.step(name, async () => {
      assert.equal(await ask(kind, one), false);
      assert.equal(await ask(kind, other), isSame);
    });
  }
});

Deno.test("a key is remembered when a worker has taken the message", async () => {
  await using setup = await ordering();
  assert.equal(await order(setup.port, { key: "1" }), "1");
  const { streams } = await jetstreamManager(setup.nc);
  await streams.purge("orders");
  assert.equal(await order(setup.port, { key: "1", body: "x" }), "urn:h8s:error:key_reused");
  assert.equal(await order(setup.port, { key: "1" }), "1 again");
});

Deno.test("a key that cannot be kept is no promise: 503, and what has none is stored", async () => {
  await using setup = await ordering();
  const { streams } = await jetstreamManager(setup.nc);
  await streams.add({ name: "KV_orders-keys", subjects: ["$KV.orders-keys.>"] });
  assert.equal(await order(setup.port, { key: "1" }), "urn:h8s:error:not_stored");
  assert.equal(await order(setup.port, {}), "1");
});

Deno.test("a stream that somebody deletes is made again, for those who wait as well", async () => {
  await using setup = await ordering();
  const { streams } = await jetstreamManager(setup.nc);
  assert.equal(await order(setup.port, { key: "1" }), "1");
  await streams.delete("orders");
  assert.equal(await order(setup.port, {}), "1");
  await streams.delete("KV_orders-keys");
  assert.equal(await order(setup.port, { key: "2" }), "2");
  assert.equal(await order(setup.port, { key: "2" }), "2 again");
});

Deno.test("of requests that come at once with one key and different bodies one is stored", async () => {
  await using setup = await ordering();
  const bodies = Array.from({ length: 20 }, (_, index) => index < 10 ? "same" : `other ${index}`);
  const answers = await Promise.all(
    bodies.map((body) => order(setup.port, { key: "1", body })),
  );
  const taken = answers.filter((answer) => answer.startsWith("1"));
  const [message, ...more] = await stored(setup.nc, "orders");
  assert.equal(more.length, 0);
  assert.equal(taken.length, message?.text === "same" ? 10 : 1);
  assert.equal(answers.filter((answer) => answer.endsWith("key_reused")).length, 20 - taken.length);
});

Deno.test("a full stream refuses: 503 for a request, 1013 for a socket", async () => {
  await using setup = await run({
    persist: "small",
    persistMaxBytes: "4096B",
    routes: [{ match: { path: "/in" }, subject: "small.in", mode: "publish", persist: true }],
  });
  const send = () => fetch(`http://127.0.0.1:${setup.port}/in`, { method: "POST", body: "x" });
  let response = await send();
  let taken = 0;
  while (response.status === 202) {
    taken++;
    await response.body?.cancel();
    response = await send();
  }
  assert.equal(response.status, 503);
  assert.ok(response.headers.has("retry-after"));
  assert.match((await response.json()).detail, /maximum bytes exceeded/);
  assert.equal((await stored(setup.nc, "small")).length, taken);
  const client = await Client.connect(`ws://127.0.0.1:${setup.port}/chat`);
  client.send("x".repeat(2000));
  const { code, reason } = await client.closed;
  assert.equal(code, 1013);
  assert.match(reason, /not stored/);
});

Deno.test("a stream that differs is a start-up error that names what differs", async () => {
  await using nats = await startNats();
  const nc = await connect({ servers: nats.url });
  const { streams } = await jetstreamManager(nc);
  await streams.add({
    name: "said",
    subjects: ["elsewhere.>"],
    storage: StorageType.Memory,
    retention: RetentionPolicy.Limits,
  });
  const before = (await streams.info("said")).config;
  await using gateway = new Program(
    ["--listen", "127.0.0.1:0", "--nats-url", nats.url, "--persist", "said"],
  );
  const { code } = await gateway.ended;
  assert.equal(code, 1);
  const complaint = gateway.noise.join("\n");
  assert.match(complaint, /^h8s: Cannot use the stream "said": /);
  assert.match(complaint, /storage \(--persist-storage\) is "memory", expected "file"/);
  assert.match(complaint, /retention is "limits", expected "workqueue"/);
  assert.match(complaint, /subjects lack "h8s\.ws\.ws\.>"/);
  assert.deepEqual((await streams.info("said")).config, before);
  await nc.close();
});

Deno.test("without JetStream it says how to get it", async () => {
  await using nats = await startNats({ jetstream: false });
  await using gateway = startGateway({
    natsUrl: [nats.url],
    listen: "127.0.0.1:0",
    logLevel: "error",
    persist: "said",
  });
  await assert.rejects(
    () => gateway.connected,
    (error) => error instanceof StreamError && /start nats-server with -js/.test(error.message),
  );
});

Deno.test("what is said while NATS is away is in the stream once it is back", async () => {
  const storeDir = await Deno.makeTempDir();
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(storeDir, { recursive: true }));
  const first = await startNats({ storeDir });
  const { port } = first;
  await using gateway = await GatewayProcess.start(["--nats-url", first.url, "--persist", "said"]);
  await gateway.logged("stream ready");
  await using client = await Client.connect(`ws://127.0.0.1:${gateway.port}/chat`);
  client.send("before");
  await gateway.stored(1);
  await first[Symbol.asyncDispose]();
  await gateway.logged("nats disconnected");
  client.send("between");
  await using nats = await startNats({ storeDir, port });
  client.send("after");
  await gateway.stored(3);
  const nc = await connect({ servers: nats.url });
  const messages = await stored(nc, "said");
  assert.deepEqual(messages.map(({ text }) => text), ["before", "between", "after"]);
  await nc.close();
});

Deno.test("a request whose subject the stream would answer is refused", async () => {
  await using setup = await run({
    persist: "said",
    routes: [{
      match: { path: "/:room/:client", upgrade: "websocket" },
      publish: "{prefix}.{room}.{client}.in",
    }],
  });
  const get = (host: string) => rawRequest(setup.port, `GET / HTTP/1.1\r\nHost: ${host}`);
  const captured = await get("in");
  assert.equal(captured.status, 400);
  assert.match(captured.body, /a stream keeps/);
  assert.equal((await get("in.example.com")).status, 503);
});

Deno.test("a worker takes each message from the queue once", async () => {
  await using setup = await run({ persist: "said" });
  await using client = await Client.connect(`ws://127.0.0.1:${setup.port}/chat`);
  const manager = await jetstreamManager(setup.nc);
  await manager.consumers.add("said", { durable_name: "worker", ack_policy: "explicit" });
  const consumer = await jetstream(setup.nc).consumers.get("said", "worker");
  client.send("job");
  const message = await consumer.next();
  assert.equal(message?.string(), "job");
  await message?.ackAck();
  assert.equal((await manager.streams.info("said")).state.messages, 0);
});
