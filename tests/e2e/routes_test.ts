import assert from "node:assert/strict";
import { freePort } from "../harness/free_port.ts";
import { connect } from "@nats-io/transport";
import type { NatsConnection } from "@nats-io/nats-core";
import { type GatewayOptions, startGateway } from "../../lib/mod.ts";
import { startNats } from "../harness/nats_server.ts";
import { rawRequest } from "../harness/raw_http.ts";
import { answer, listen, natsHeaders } from "../harness/setup.ts";
import { Client, HANDSHAKE, rawHandshake } from "../harness/websocket.ts";

interface Setup extends AsyncDisposable {
  readonly nc: NatsConnection;
  readonly port: number;
}

/** Routes come from a file or a program; here from a program. */
async function setUp(options: GatewayOptions): Promise<Setup> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats({ jetstream: false }));
  const nc = stack.adopt(await connect({ servers: nats.url }), (nc) => nc.close());
  const gateway = stack.use(startGateway({
    natsUrl: [nats.url],
    listen: "127.0.0.1:0",
    logLevel: "error",
    ...options,
  }));
  await gateway.connected;
  const all = stack.move();
  return { nc, port: gateway.address.port, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

Deno.test("the first route that matches gives the subject, the convention takes the rest", async () => {
  await using setup = await setUp({
    prefix: "chat",
    routes: [
      { match: { path: "/users", methods: ["POST"] }, subject: "{prefix}.{method:lower}.{path}" },
      { match: { path: "/users/*" }, subject: "second.{method}" },
      { match: { path: "/users/*" }, subject: "never" },
    ],
  });
  await answer(setup.nc, ">", ({ subject }) => ({ data: subject }));
  const get = (path: string, init: RequestInit = {}) =>
    fetch(`http://127.0.0.1:${setup.port}${path}`, init).then((response) => response.text());
  assert.equal(await get("/users", { method: "POST" }), "chat.post.users");
  assert.equal(await get("/users/7"), "second.GET");
  assert.equal(await get("/user"), "chat.http.GET.127.0.0.1.user");
});

Deno.test("a route in publish mode answers 200 and waits for nobody", async () => {
  await using setup = await setUp({
    routes: [{ match: { path: "/fire" }, subject: "{prefix}.fire", mode: "publish" }],
  });
  const messages = await listen(setup.nc, "h8s.fire");
  const response = await fetch(`http://127.0.0.1:${setup.port}/fire`, {
    method: "POST",
    body: "x",
  });
  assert.equal(response.status, 200);
  assert.equal(await response.text(), "");
  const message = await messages.next();
  assert.equal(message.reply ?? "", "");
  assert.equal(message.headers?.get("X-H8s-PublishSubject"), "h8s.fire");
});

Deno.test("a WebSocket route publishes and subscribes by its templates", async () => {
  await using setup = await setUp({
    routes: [{
      match: { path: "/:room/:client", upgrade: "websocket" },
      publish: "{prefix}.{room}.{client}.in",
      subscribe: ["{prefix}.{room}.all", "{prefix}.{client}.push"],
    }],
  });
  const { nc, port } = setup;
  const messages = await listen(nc, "h8s.*.*.in");
  const established = await listen(nc, "h8s.control.ws.conn.established");
  await using ann = await Client.connect(`ws://127.0.0.1:${port}/my%20room/ann`);
  await using bob = await Client.connect(`ws://127.0.0.1:${port}/my%20room/bob`);
  const { headers } = await established.next();
  assert.equal(headers?.get("X-H8s-PublishSubject"), "h8s.my%20room.ann.in");
  ann.send("hi");
  assert.equal((await messages.next()).subject, "h8s.my%20room.ann.in");
  nc.publish("h8s.my%20room.all", "for all");
  nc.publish("h8s.bob.push", "for bob");
  nc.publish("h8s.ann.push", "", { headers: natsHeaders(["X-H8s-Close", "4000 ann"]) });
  assert.equal(await ann.next(), "for all");
  assert.equal((await ann.closed).code, 4000);
  assert.equal(await bob.next(), "for all");
  assert.equal(await bob.next(), "for bob");
});

Deno.test("a path cannot name a subject on which the gateway itself speaks", async (t) => {
  await using setup = await setUp({
    routes: [
      {
        match: { path: "/:room/:client", upgrade: "websocket" },
        subscribe: ["{prefix}.{room}.{client}.>"],
      },
      { match: { path: "/:a/:b/:c" }, subject: "{prefix}.{a}.{b}.{c}" },
    ],
  });
  const all = await listen(setup.nc, "h8s.>");
  for (const path of ["/http/POST", "/control/ws", "/%68ttp/POST"]) {
    await t.step(path, async () => {
      const { conn, response } = await rawHandshake(
        setup.port,
        HANDSHAKE.with(0, `GET ${path} HTTP/1.1`),
      );
      conn.close();
      assert.match(response, /^HTTP\/1.1 400 /);
    });
  }
  const response = await fetch(`http://127.0.0.1:${setup.port}/control/ws/conn`);
  assert.equal(response.status, 400);
  assert.match((await response.json()).detail, /reserved/);
  await setup.nc.flush();
  const subjects = all.all.map(({ subject }) => subject);
  assert.deepEqual(subjects.filter((subject) => !subject.endsWith(".alive")), []);
});

Deno.test("a guarded subject is guarded under every spelling, host and kind", async (t) => {
  await using setup = await setUp({
    auth: "none",
    authorizationKey: ["k"],
    routes: [
      { match: { path: "/admin/*" }, auth: "key" },
      { match: { host: "secret.example.com" }, auth: "key" },
      {
        match: { path: "/to/:a/:b", methods: ["POST"] },
        subject: "{prefix}.http.GET.com.example.{a}.{b}",
      },
      { match: { path: "/by/:verb/:a" }, subject: "{prefix}.http.{verb}.com.example.{a}" },
    ],
  });
  const { nc, port } = setup;
  await answer(nc, "h8s.http.>", ({ subject }) => ({ data: subject }));
  const refused = [
    ...["/admin", "/admin/", "/admin/x", "//admin/x", "/%61dmin/x", "/a/../admin/x", "/.//admin/x"],
    ...["/\\admin/x", "/admin\\x", "/%2e/admin/%78"],
  ].map((path) => ["a.test", path] as const);
  const others: (readonly [host: string, path: string])[] = [
    ["test", "/a/admin/x"],
    ["admin.a.test", "/x"],
    ["example.com", "/secret/x"],
    ["com", "/example/secret"],
    ["x.secret.example.com", "/"],
  ];
  for (const [host, path] of [...refused, ...others]) {
    await t.step(`${host} ${path}`, async () => {
      const lines = `GET ${path} HTTP/1.1\r\nHost: ${host}`;
      assert.equal((await rawRequest(port, lines)).status, 401);
      const keyed = await rawRequest(port, `${lines}\r\nAuthorization: Bearer k`);
      assert.equal(keyed.status, 200);
      const handshake = HANDSHAKE.with(0, `GET ${path} HTTP/1.1`)
        .map((line) => line.startsWith("Host:") ? `Host: ${host}` : line);
      const { conn, response } = await rawHandshake(port, handshake);
      conn.close();
      assert.match(response, /^HTTP\/1.1 401 /);
    });
  }
  await t.step("what is beside it is not", async () => {
    for (const path of ["/administrator", "/x", "/Admin/x", "/secrets"]) {
      const { status } = await rawRequest(port, `GET ${path} HTTP/1.1\r\nHost: example.com`);
      assert.equal(status, 200, path);
    }
  });
  await t.step("no route's subject leads there", async () => {
    const paths = [
      ...[["/to/secret/x", 400], ["/to/public/x", 200], ["/by/PUT/admin", 400]],
      // Whoever serves all methods hears what is none.
      ...[["/by/Put/admin", 400], ["/by/http/secret", 400], ["/by/Put/public", 200]],
    ] as const;
    for (const [path, expected] of paths) {
      const { status } = await rawRequest(port, `POST ${path} HTTP/1.1\r\nHost: a.test`);
      assert.equal(status, expected, path);
    }
  });
});

Deno.test("no parameter leads to what another route guards, to speak there or to hear it", async (t) => {
  await using setup = await setUp({
    auth: "none",
    authorizationKey: ["k"],
    routes: [
      {
        match: { path: "/orders", methods: ["POST"] },
        subject: "{prefix}.orders.new",
        mode: "publish",
        auth: "key",
      },
      {
        match: { path: "/say/:a/:b", methods: ["POST"] },
        subject: "{prefix}.{a}.{b}",
        mode: "publish",
      },
      {
        match: { path: "/talk/:a/:b", upgrade: "websocket" },
        publish: "{prefix}.{a}.{b}",
      },
      {
        match: { path: "/hear/:a/:b", upgrade: "websocket" },
        publish: "{prefix}.said",
        subscribe: ["{prefix}.{a}.{b}"],
      },
    ],
  });
  const { nc, port } = setup;
  const messages = await listen(nc, "h8s.orders.>");
  for (const [path, expected] of [["/say/orders/new", 400], ["/say/orders/old", 200]] as const) {
    await t.step(path, async () => {
      const { status } = await rawRequest(port, `POST ${path} HTTP/1.1\r\nHost: a.test`);
      assert.equal(status, expected);
    });
  }
  assert.equal((await messages.next()).subject, "h8s.orders.old");
  const handshakes = [
    ...["/talk/orders/new", "/hear/orders/new"].map((path) => [path, 400] as const),
    ...["/talk/orders/old", "/hear/orders/old"].map((path) => [path, 101] as const),
  ];
  for (const [path, expected] of handshakes) {
    await t.step(path, async () => {
      const lines = HANDSHAKE.with(0, `GET ${path} HTTP/1.1`);
      const { conn, response } = await rawHandshake(port, lines);
      conn.close();
      assert.ok(response.startsWith(`HTTP/1.1 ${expected} `), response);
    });
  }
});

Deno.test("sockets that subscribe to one subject share one NATS subscription", async () => {
  const monitor = freePort();
  await using nats = await startNats({ jetstream: false, config: `http: 127.0.0.1:${monitor}` });
  await using gateway = startGateway({
    natsUrl: [nats.url],
    listen: "127.0.0.1:0",
    logLevel: "error",
    routes: [{ match: { path: "/:room", upgrade: "websocket" }, subscribe: ["room.{room}"] }],
  });
  await gateway.connected;
  const count = async () => {
    const response = await fetch(`http://127.0.0.1:${monitor}/subsz?subs=1&test=room.a`);
    return (await response.json()).subscriptions_list?.length ?? 0;
  };
  const clients = await Promise.all(
    Array.from({ length: 10 }, () => Client.connect(`ws://127.0.0.1:${gateway.address.port}/a`)),
  );
  const nc = await connect({ servers: nats.url });
  nc.publish("room.a", "one for all");
  for (const client of clients) assert.equal(await client.next(), "one for all");
  assert.equal(await count(), 1);
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  for (const client of clients) await client.close();
  for (let index = 0; index < clients.length; index++) await closed.next();
  assert.equal(await count(), 0);
  await nc.close();
});

Deno.test("in publish mode a stream's acknowledgement never reaches the client", async () => {
  await using setup = await setUp({
    routes: [{ match: { path: "/x", upgrade: "websocket" }, publish: "kept", mode: "publish" }],
  });
  const messages = await listen(setup.nc, "kept");
  await using client = await Client.connect(`ws://127.0.0.1:${setup.port}/x`);
  client.send("hi");
  const message = await messages.next();
  assert.equal(message.reply ?? "", "");
  const inbox = message.headers?.get("X-H8s-ReplySubject") ?? "";
  setup.nc.publish(inbox, "by the header");
  assert.equal(await client.next(), "by the header");
});

Deno.test("a client without a session gets one, keeps it, and is reached by it", async () => {
  await using setup = await setUp({ session: {} });
  const { nc, port } = setup;
  await answer(nc, "h8s.http.>", ({ headers }) => ({ data: headers?.get("Client-Id") ?? "" }));
  const first = await fetch(`http://127.0.0.1:${port}/`);
  const cookie = first.headers.get("set-cookie") ?? "";
  assert.match(cookie, /^clientId=[\w-]{16,64}; Max-Age=2592000; Path=\/; HttpOnly; SameSite=Lax$/);
  const id = /=([^;]+)/.exec(cookie)![1]!;
  assert.equal(await first.text(), id);
  const again = await fetch(`http://127.0.0.1:${port}/`, {
    headers: { cookie: `a=b; clientId=${id}` },
  });
  assert.equal(again.headers.get("set-cookie"), null);
  assert.equal(await again.text(), id);

  const established = await listen(nc, "h8s.control.ws.conn.established");
  const { conn } = await rawHandshake(port, [...HANDSHAKE, `Cookie: clientId=${id}`]);
  const event = await established.next();
  assert.equal(event.headers?.get("Client-Id"), id);
  assert.equal(event.headers?.get("Reply-To"), `${id}.push`);
  nc.publish(`h8s.${id}.push`, "pushed");
  const buffer = new Uint8Array(100);
  const length = await conn.read(buffer) ?? 0;
  assert.ok(new TextDecoder().decode(buffer.subarray(0, length)).endsWith("pushed"));
  conn.close();
});

Deno.test("a session that a client made up is not taken, nor are the headers that tell it", async (t) => {
  await using setup = await setUp({ session: { cookie: "sid", maxAge: "1h" } });
  await answer(
    setup.nc,
    "h8s.http.>",
    ({ headers }) => ({ data: headers?.get("Client-Id") ?? "" }),
  );
  for (
    const made of ["a.b.>", "*", "x", "", "a".repeat(65), "%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e%2e"]
  ) {
    await t.step(made, async () => {
      const lines = `GET / HTTP/1.1\r\nHost: e.com\r\nCookie: sid=${made}\r\nClient-Id: forged`;
      const { body, headers } = await rawRequest(setup.port, lines);
      assert.match(body, /^[0-9a-f]{32}$/);
      assert.ok(headers.some(([name, value]) => name === "set-cookie" && value.includes(body)));
    });
  }
});

Deno.test("--host-filters: other hosts are a 403", async (t) => {
  await using setup = await setUp({ hostFilters: ["example.com,*.example.org"] });
  await answer(setup.nc, "h8s.http.>", () => ({ data: "ok" }));
  const table = [["example.com", 200], ["Example.com:80", 200], ["a.example.org", 200]] as const;
  const refused = [["a.example.com", 403], ["example.org", 403], ["evil.com", 403]] as const;
  for (const [host, expected] of [...table, ...refused]) {
    await t.step(host, async () => {
      const { status } = await rawRequest(setup.port, `GET / HTTP/1.1\r\nHost: ${host}`);
      assert.equal(status, expected);
    });
  }
});
