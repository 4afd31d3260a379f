import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { listen, type Setup, setUp } from "../../harness/setup.ts";
import { Client } from "../../harness/websocket.ts";
import { serve, type SocketConnection, type SocketHandlers } from "../../../lib/workload/mod.ts";
import { PlayedGateway } from "../played_gateway.ts";
import { collectFailures, openPair, settle } from "../serve_fixture.ts";
import { Events } from "../../harness/waiting.ts";

type Told =
  | { readonly type: "open"; readonly conn: SocketConnection }
  | {
    readonly type: "message";
    readonly conn: SocketConnection;
    readonly data: string | Uint8Array;
  }
  | {
    readonly type: "close";
    readonly conn: SocketConnection;
    readonly code: number;
    readonly reason: string;
  };

Deno.test("a WebSocket's life reaches the handlers: open, messages, close", async () => {
  await using setup = await setUp();
  const { told, handlers } = collect();
  await using service = serve(setup.nc, { host: "127.0.0.1", websocket: handlers }, notFound);
  await service.ready;
  const client = await Client.connect(`${toUrl(setup)}/room//1?token=a%20b`, ["chat.v1"]);

  const opened = await told.next();
  assert.equal(opened.type, "open");
  const { conn } = opened;
  assert.equal(conn.subject, "h8s.ws.ws.127.0.0.1.room.1");
  assert.equal(conn.request.url, `http://127.0.0.1:${setup.gateway.port}/room//1?token=a%20b`);
  assert.equal(conn.request.headers.get("sec-websocket-protocol"), "chat.v1");
  assert.equal(conn.request.headers.get("upgrade")?.toLowerCase(), "websocket");
  assert.equal(conn.request.headers.get("x-h8s-connection-id"), null);

  client.send("héllo");
  const text = await told.next();
  assert.ok(text.type === "message");
  assert.deepEqual([text.data, text.conn.id], ["héllo", conn.id]);
  assert.equal(text.conn.request.url, conn.request.url);
  client.send(Uint8Array.of(104, 105));
  const binary = await told.next();
  assert.ok(binary.type === "message");
  assert.deepEqual(binary.data, new Uint8Array([104, 105]));

  await conn.send("tëxt");
  conn.send(new TextEncoder().encode("bytes"));
  conn.send("");
  assert.equal(await client.next(), "tëxt");
  assert.deepEqual(await client.next(), new TextEncoder().encode("bytes"));
  assert.equal(await client.next(), "");

  await client.close(4321, "fertig – done");
  const closed = await told.next();
  assert.ok(closed.type === "close");
  assert.deepEqual([closed.code, closed.reason, closed.conn.id], [4321, "fertig – done", conn.id]);
});

Deno.test("a workload closes a WebSocket with a code and a reason, and is told of the end", async () => {
  await using setup = await setUp();
  const { told, handlers } = collect();
  await using service = serve(setup.nc, { host: "127.0.0.1", websocket: handlers }, notFound);
  await service.ready;
  const table: [args: [code?: number, reason?: string], code: number, reason: string][] = [
    [[], 1000, ""],
    [[4001, "täken"], 4001, "täken"],
    [[1013, "line\r\nbreak"], 1013, "line  break"],
  ];
  for (const [args, code, reason] of table) {
    await using client = await Client.connect(toUrl(setup));
    const { conn } = await told.next();
    assert.equal(conn.close(...args), true);
    const event = await client.closed;
    assert.deepEqual([event.code, event.reason], [code, reason]);
    const closed = await told.next();
    assert.ok(closed.type === "close");
    assert.deepEqual([closed.code, closed.reason], [code, reason]);
  }
  await using _client = await Client.connect(toUrl(setup));
  const { conn } = await told.next();
  for (const code of [1006, 999, 5000]) {
    assert.throws(() => conn.close(code), /Cannot close: "\d+" is no code/);
  }
  assert.throws(() => conn.send(new Uint8Array(2 ** 20)), /Cannot send 1048576 bytes: at most/);
});

Deno.test("the messages of one connection are handled in order, those of two side by side", async () => {
  await using setup = await setUp();
  const gates = new Map([["slow", Promise.withResolvers<void>()]]);
  const seen = new Map<string, string[]>();
  const done = new Events<string>();
  await using service = serve(setup.nc, {
    host: "127.0.0.1",
    websocket: {
      async message(conn, data) {
        const name = new URL(conn.request.url).pathname.slice(1);
        await gates.get(name)?.promise;
        // A turn that a later message could use to overtake.
        await Promise.resolve();
        seen.set(name, [...seen.get(name) ?? [], String(data)]);
        done.add(name);
      },
    },
  }, notFound);
  await service.ready;
  await using slow = await Client.connect(`${toUrl(setup)}/slow`);
  await using fast = await Client.connect(`${toUrl(setup)}/fast`);
  const numbers = Array.from({ length: 200 }, (_, index) => String(index));
  for (const number of numbers) {
    slow.send(number);
    fast.send(number);
  }
  for (let count = 0; count < numbers.length; count++) assert.equal(await done.next(), "fast");
  gates.get("slow")!.resolve();
  for (let count = 0; count < numbers.length; count++) assert.equal(await done.next(), "slow");
  assert.deepEqual(seen.get("fast"), numbers);
  assert.deepEqual(seen.get("slow"), numbers);
});

Deno.test("each path has its own handlers, the most specific one", async () => {
  await using setup = await setUp();
  const exact = collect();
  const below = collect();
  await using service = serve(setup.nc, {
    ...{ host: "127.0.0.1", methods: [] },
    websocket: { "/rooms/*": below.handlers, "/rooms/lobby": exact.handlers },
  }, notFound);
  await service.ready;
  await using lobby = await Client.connect(`${toUrl(setup)}/rooms/lobby/`);
  assert.equal((await exact.told.next()).conn.subject, "h8s.ws.ws.127.0.0.1.rooms.lobby");
  await using room = await Client.connect(`${toUrl(setup)}/rooms/1/2`);
  assert.equal((await below.told.next()).conn.subject, "h8s.ws.ws.127.0.0.1.rooms.1.2");
  await using elsewhere = await Client.connect(`${toUrl(setup)}/elsewhere`);
  lobby.send("a");
  room.send("b");
  elsewhere.send("c");
  await exact.told.next();
  await below.told.next();
  await setup.gateway.logged("no workload subscribes to what a client says");
  assert.equal(exact.told.all.length, 2);
  assert.equal(below.told.all.length, 2);
});

Deno.test("of several replicas one is told of each open, message and close", async () => {
  await using setup = await setUp();
  const replicas = [collect(), collect(), collect()];
  const all = new Events<Told>();
  for (const { told } of replicas) told.onAdd = (event) => all.add(event);
  await using stack = new AsyncDisposableStack();
  for (const { handlers } of replicas) {
    const service = serve(setup.nc, { host: "127.0.0.1", websocket: handlers }, notFound);
    await stack.use(service).ready;
  }
  const clients: Client[] = [];
  for (let index = 0; index < 20; index++) clients.push(await Client.connect(toUrl(setup)));
  for (const client of clients) client.send("hello");
  for (let count = 0; count < 40; count++) await all.next();
  for (const client of clients) await client.close();
  for (let count = 0; count < 20; count++) await all.next();
  await setup.nc.flush();
  const counts = (type: Told["type"]) => all.all.filter((event) => event.type === type).length;
  assert.deepEqual([counts("open"), counts("message"), counts("close")], [20, 20, 20]);
  assert.ok(replicas.filter(({ told }) => told.all.length > 0).length > 1);
});

Deno.test("an event that is told again reaches the handlers of one replica, once", async () => {
  await using pair = await openPair();
  await using other = await connect({ servers: pair.nats.url });
  const gateway = new PlayedGateway(pair.edge, "G1");
  await gateway.answerLists();
  const { told, handlers } = collect();
  const options = { host: ["example.com", "other.example.com"], websocket: handlers };
  await using first = serve(pair.nc, options, notFound);
  await using second = serve(other, options, notFound);
  await Promise.all([first.ready, second.ready]);
  await pair.nc.flush();
  await other.flush();
  for (let index = 0; index < 10; index++) {
    const connection = gateway.connection(index);
    gateway.establish(connection);
    gateway.tellAgain("established", connection);
    gateway.close(connection);
    gateway.tellAgain("established", connection);
    gateway.tellAgain("closed", connection);
  }
  await settle(pair.edge, pair.nc);
  await settle(pair.edge, other);
  const count = (type: Told["type"]) => told.all.filter((one) => one.type === type).length;
  assert.deepEqual([count("open"), count("close")], [10, 10]);
});

Deno.test("a handler that throws is reported, and the connection lives on", async () => {
  await using setup = await setUp();
  const failures = collectFailures();
  const fail = (): never => {
    throw new Error("oops");
  };
  await using service = serve(setup.nc, {
    ...{ host: "127.0.0.1", onError: failures.onError },
    websocket: {
      open: fail,
      message: (conn, data) => data === "fail" ? fail() : void conn.send(data),
      close: () => Promise.reject(new Error("oops")),
    },
  }, notFound);
  await service.ready;
  const client = await Client.connect(toUrl(setup));
  client.send("fail");
  client.send("echo");
  assert.equal(await client.next(), "echo");
  await client.close();
  for (const stage of ["open", "message", "close"]) {
    assert.equal((await failures.next()).stage, stage);
  }
});

Deno.test("a client that sends faster than its handler takes is closed and told why", async () => {
  await using setup = await setUp();
  const failures = collectFailures();
  const gate = Promise.withResolvers<void>();
  let handled = 0;
  const closed = Promise.withResolvers<number>();
  await using service = serve(setup.nc, {
    ...{ host: "127.0.0.1", onError: failures.onError },
    websocket: {
      message: async () => {
        await gate.promise;
        handled++;
      },
      close: (_conn, code) => closed.resolve(code),
    },
  }, notFound);
  await service.ready;
  await using client = await Client.connect(toUrl(setup));
  for (let index = 0; index < 10; index++) client.send(new Uint8Array(500_000));
  const event = await client.closed;
  assert.deepEqual([event.code, event.reason], [1013, "the workload is too slow"]);
  assert.equal((await failures.next()).stage, "overflow");
  gate.resolve();
  assert.equal(await closed.promise, 1013);
  assert.ok(handled > 0 && handled < 10);
});

Deno.test("stop() finishes the messages that have come", async () => {
  await using setup = await setUp();
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const service = serve(setup.nc, {
    host: "127.0.0.1",
    websocket: {
      message: async (conn) => {
        begun.resolve();
        await gate.promise;
        conn.send("done");
      },
    },
  }, notFound);
  await service.ready;
  await using client = await Client.connect(toUrl(setup));
  client.send("work");
  await begun.promise;
  const stopped = service.stop();
  gate.resolve();
  await stopped;
  assert.equal(await client.next(), "done");
});

Deno.test("the service knows who is connected, those from before it started included", async () => {
  await using setup = await setUp();
  const established = await listen(setup.nc, "h8s.control.ws.conn.established.>");
  await using before = await Client.connect(`${toUrl(setup)}/before`);
  await established.next();
  const { told, handlers } = collect();
  await using service = serve(setup.nc, { host: "127.0.0.1", websocket: handlers }, notFound);
  await service.ready;
  const registry = service.registry!;
  await registry.ready;
  await using after = await Client.connect(`${toUrl(setup)}/after`);
  assert.equal((await told.next()).conn.subject, "h8s.ws.ws.127.0.0.1.after");
  assert.deepEqual(registry.connections().map(({ path }) => path), ["/before", "/after"]);
  const [connection] = registry.connectionsBySubject("h8s.ws.ws.127.0.0.1.after");
  registry.send(connection!, "to one");
  assert.equal(await after.next(), "to one");
  for (const known of registry.connections()) registry.send(known, "to all");
  assert.equal(await before.next(), "to all");
  assert.equal(await after.next(), "to all");
  before.send("still here");
  assert.equal((await told.next()).type, "message");
});

/** Handlers that keep what they are told. */
function collect(): { told: Events<Told>; handlers: SocketHandlers } {
  const told = new Events<Told>();
  const handlers: SocketHandlers = {
    open: (conn) => told.add({ type: "open", conn }),
    message: (conn, data) => told.add({ type: "message", conn, data }),
    close: (conn, code, reason) => told.add({ type: "close", conn, code, reason }),
  };
  return { told, handlers };
}

function toUrl({ gateway }: Setup): string {
  return `ws://127.0.0.1:${gateway.port}`;
}

function notFound(): Response {
  return new Response(null, { status: 404 });
}
