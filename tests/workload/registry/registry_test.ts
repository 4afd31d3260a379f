import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { FakeClock } from "../../harness/fake_clock.ts";
import { startNats } from "../../harness/nats_server.ts";
import { listen } from "../../harness/setup.ts";
import {
  createRegistry,
  type KnownConnection,
  type OpenRegistry,
  type RegistryOptions,
} from "../../../lib/workload/mod.ts";
import { PlayedGateway } from "../played_gateway.ts";
import { happened, openPair, type Pair, settle } from "../serve_fixture.ts";
import { Events } from "../../harness/waiting.ts";

type Told = [type: "open" | "close", id: string, ...end: unknown[]];

Deno.test("a registry that starts late knows everyone, page after page", async () => {
  await using pair = await openPair();
  const [one, two] = [new PlayedGateway(pair.edge, "G1"), new PlayedGateway(pair.edge, "G2")];
  for (let index = 0; index < 7; index++) one.connections.push(one.connection(index));
  two.connections.push(two.connection(0, "/other"));
  await one.answerLists(3);
  await two.answerLists();
  using run = await open(pair);
  const { registry, told } = run;
  assert.equal(registry.size, 8);
  assert.equal(told.all.length, 8);
  assert.deepEqual(one.requests, [{}, { cursor: "3" }, { cursor: "6" }]);
  assert.deepEqual(
    registry.connectionsBySubject("h8s.ws.ws.com.example.other"),
    [{ ...two.connection(0, "/other"), gateway: "G2" }],
  );
  assert.deepEqual(registry.connectionsBySubject("h8s.ws.ws.com.example"), []);
});

Deno.test("without any gateway a registry is ready at once, and empty", async () => {
  await using pair = await openPair();
  using registry = await createRegistry(pair.nc, { clock: new FakeClock() });
  assert.deepEqual(registry.connections(), []);
});

Deno.test("a registry follows the events: each connection is opened once and closed once", async () => {
  await using pair = await openPair();
  const gateway = new PlayedGateway(pair.edge, "G1");
  await gateway.answerLists();
  using run = await open(pair);
  const { registry, told } = run;
  const connection = gateway.connection(1);
  gateway.establish(connection);
  gateway.establish(connection);
  assert.deepEqual(await told.next(), ["open", "G1-1"]);
  const [known] = registry.connections();
  assert.deepEqual({ ...known, since: connection.since }, { ...connection, gateway: "G1" });
  assert.ok(Math.abs(Date.now() - Date.parse(known!.since)) < 60_000);
  gateway.close(connection, 4000, "bye");
  gateway.close(connection);
  gateway.close(gateway.connection(2));
  assert.deepEqual(await told.next(), ["close", "G1-1", 4000, "bye"]);
  await settle(pair.edge, pair.nc);
  assert.equal(told.all.length, 2);
  assert.equal(registry.size, 0);
});

Deno.test("an event that is told again is heard once, whatever came in between", async () => {
  await using pair = await openPair();
  const gateway = new PlayedGateway(pair.edge, "G1");
  await gateway.answerLists();
  using run = await open(pair, { host: ["example.com", "EXAMPLE.com", "*"] });
  const { registry, told } = run;
  const connection = gateway.connection(1);
  gateway.establish(connection);
  gateway.close(connection, 4000, "bye");
  gateway.tellAgain("established", connection);
  gateway.tellAgain("closed", connection);
  await settle(pair.edge, pair.nc);
  assert.deepEqual(told.all, [["open", "G1-1"], ["close", "G1-1", 4000, "bye"]]);
  assert.equal(registry.size, 0);
});

Deno.test("the end of a connection that is heard before its beginning is its end", async () => {
  await using pair = await openPair();
  const gateway = new PlayedGateway(pair.edge, "G1");
  await gateway.answerLists();
  using run = await open(pair);
  const { registry, told } = run;
  const [one, two] = [gateway.connection(1), gateway.connection(2)];
  gateway.tellAgain("closed", one);
  gateway.tellAgain("established", one);
  gateway.establish(two);
  assert.deepEqual(await told.next(), ["open", "G1-2"]);
  assert.deepEqual(registry.connections().map(({ id }) => id), ["G1-2"]);
});

Deno.test("a listed host that is none hides no other connection of its page", async () => {
  await using pair = await openPair();
  const gateway = new PlayedGateway(pair.edge, "G1");
  gateway.connections.push({ ...gateway.connection(1), host: "a b/c" }, gateway.connection(2));
  await gateway.answerLists();
  using run = await open(pair, { host: ["example.com", "example.org"] });
  assert.deepEqual(run.registry.connections().map(({ id }) => id), ["G1-2"]);
});

Deno.test("send() publishes to the connection's inbox", async () => {
  await using pair = await openPair();
  const gateway = new PlayedGateway(pair.edge, "G1");
  gateway.connections.push(gateway.connection(1));
  await gateway.answerLists();
  const inbox = await listen(pair.edge, "_INBOX.h8s.G1.1");
  using run = await open(pair);
  const [connection] = run.registry.connections();
  assert.equal(run.registry.send(connection!, "text"), true);
  run.registry.send(connection!, Uint8Array.of(1));
  const text = await inbox.next();
  assert.deepEqual([text.string(), text.headers?.get("X-H8s-Frame")], ["text", "text"]);
  const binary = await inbox.next();
  assert.deepEqual([[...binary.data], binary.headers?.get("X-H8s-Frame")], [[1], "binary"]);
});

Deno.test("the connections of a gateway that falls silent are closed within 15 s, once each", async () => {
  await using pair = await openPair();
  const [dies, lives] = [new PlayedGateway(pair.edge, "G1"), new PlayedGateway(pair.edge, "G2")];
  for (const gateway of [dies, lives]) {
    gateway.connections.push(gateway.connection(1), gateway.connection(2));
    await gateway.answerLists();
  }
  using run = await open(pair);
  const { registry, told, clock } = run;
  for (let count = 0; count < 4; count++) await told.next();
  clock.advance(11_000);
  lives.beat();
  await settle(pair.edge, pair.nc);
  assert.equal(registry.size, 4);
  clock.advance(2000);
  assert.deepEqual(await told.next(), ["close", "G1-1", 1006, "its gateway fell silent"]);
  assert.deepEqual(await told.next(), ["close", "G1-2", 1006, "its gateway fell silent"]);
  assert.deepEqual(registry.connections().map(({ gateway }) => gateway), ["G2", "G2"]);
  clock.advance(10_000);
  assert.equal(told.all.length, 6);
});

Deno.test("whatever a gateway says is a sign of life", async () => {
  await using pair = await openPair();
  const gateway = new PlayedGateway(pair.edge, "G1");
  await gateway.answerLists();
  using run = await open(pair);
  const { told, clock } = run;
  gateway.establish(gateway.connection(1));
  await told.next();
  clock.advance(10_000);
  gateway.establish(gateway.connection(2));
  await told.next();
  clock.advance(10_000);
  assert.equal(told.all.length, 2);
  clock.advance(6000);
  assert.equal(told.all.length, 4);
});

Deno.test("a gateway that leaves takes along what it did not close", async () => {
  await using pair = await openPair();
  const gateway = new PlayedGateway(pair.edge, "G1");
  gateway.connections.push(gateway.connection(1));
  await gateway.answerLists();
  using run = await open(pair);
  await run.told.next();
  gateway.beat("gone");
  assert.deepEqual(await run.told.next(), ["close", "G1-1", 1006, "its gateway has left"]);
});

Deno.test("a gateway that was only cut off is asked again when it is back", async () => {
  await using pair = await openPair();
  const gateway = new PlayedGateway(pair.edge, "G1");
  gateway.connections.push(gateway.connection(1));
  await gateway.answerLists();
  using run = await open(pair);
  const { told, clock } = run;
  await told.next();
  clock.advance(14_000);
  assert.equal((await told.next())[0], "close");
  gateway.beat();
  assert.deepEqual(await told.next(), ["open", "G1-1"]);
});

Deno.test("a gateway that did not answer in time is asked when it is next heard of", async () => {
  await using pair = await openPair();
  const mute = await listen(pair.edge, "h8s.control.ws.conn.list");
  const clock = new FakeClock();
  const told = new Events<string>();
  const opening = createRegistry(pair.nc, { clock, onOpen: ({ id }) => told.add(id) });
  await mute.next();
  clock.advance(1000);
  using registry = await opening;
  assert.equal(registry.size, 0);
  const gateway = new PlayedGateway(pair.edge, "G1");
  gateway.connections.push(gateway.connection(1));
  await gateway.answerLists();
  gateway.beat();
  assert.equal(await told.next(), "G1-1");
  gateway.beat();
  await settle(pair.edge, pair.nc);
  assert.equal(gateway.requests.length, 1);
});

Deno.test("a registry of one host asks for that host, and knows no other's", async () => {
  await using pair = await openPair();
  const gateway = new PlayedGateway(pair.edge, "G1");
  const other = { ...gateway.connection(2), host: "other.com" };
  gateway.connections.push(gateway.connection(1), other);
  await gateway.answerLists();
  using run = await open(pair, { host: "Example.com:443" });
  assert.deepEqual(gateway.requests, [{ host: "example.com" }]);
  gateway.establish({ ...other, id: "G1-3" });
  gateway.establish(gateway.connection(4));
  assert.deepEqual(await run.told.next(), ["open", "G1-1"]);
  assert.deepEqual(await run.told.next(), ["open", "G1-4"]);
});

Deno.test("what was closed while NATS was away is closed when it is back", async () => {
  const nats = await startNats({ jetstream: false });
  const reconnect = { servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 20 };
  const nc = await connect(reconnect);
  const edge = await connect(reconnect);
  const gateway = new PlayedGateway(edge, "G1");
  const [stays, leaves] = [gateway.connection(1), gateway.connection(2)];
  gateway.connections.push(stays, leaves);
  await gateway.answerLists();
  const told = new Events<Told>();
  const clock = new FakeClock();
  const opening = createRegistry(nc, { ...toHooks(told), clock });
  await told.next();
  await told.next();
  clock.advance(1000);
  using registry = await opening;
  gateway.forget(leaves);
  const lost = happened(nc, "disconnect");
  const back = happened(edge, "reconnect");
  await nats[Symbol.asyncDispose]();
  await lost;
  clock.advance(60_000);
  assert.equal(registry.size, 2, "silence says nothing while we cannot hear");
  await using _again = await startNats({ jetstream: false, port: nats.port });
  // Whoever is back first: the registry asks when it is, and again when it hears of the gateway.
  await back;
  gateway.beat();
  assert.deepEqual(
    await told.next(),
    ["close", "G1-2", 1006, "its end was told while NATS was away"],
  );
  assert.deepEqual(registry.connections().map(({ id }) => id), ["G1-1"]);
  await nc.close();
  await edge.close();
});

Deno.test("what cannot be read, and a hook that throws, are reported; the rest goes on", async () => {
  await using pair = await openPair();
  const errors = new Events<unknown>();
  const opened = new Events<string>();
  using _registry = await createRegistry(pair.nc, {
    clock: new FakeClock(),
    onOpen: ({ id }) => {
      opened.add(id);
      throw new Error("oops");
    },
    onError: (error) => errors.add(error),
  });
  pair.edge.publish("h8s.control.ws.conn.established.com.example", "");
  assert.match(String(await errors.next()), /Cannot read an established event/);
  const gateway = new PlayedGateway(pair.edge, "G1");
  gateway.establish(gateway.connection(1));
  assert.equal(await opened.next(), "G1-1");
  assert.match(String(await errors.next()), /oops/);
  pair.edge.subscribe("h8s.control.ws.conn.list.>", {
    callback: (_error, message) => void message.respond("[]"),
  });
  await pair.edge.flush();
  gateway.beat();
  assert.match(String(await errors.next()), /Cannot read a list of connections/);
});

Deno.test("a registry that was closed says nothing more, and leaves no timer", async () => {
  await using pair = await openPair();
  const gateway = new PlayedGateway(pair.edge, "G1");
  await gateway.answerLists();
  const run = await open(pair);
  run.registry.close();
  gateway.establish(gateway.connection(1));
  await settle(pair.edge, pair.nc);
  assert.equal(run.told.all.length, 0);
  assert.equal(run.clock.waiting, 0);
  assert.equal(pair.nc.isClosed(), false);
});

Deno.test("options that cannot be used are refused", async () => {
  await using pair = await openPair();
  await assert.rejects(createRegistry(pair.nc, { host: "a b" }), /the host "a b"/);
  await assert.rejects(createRegistry(pair.nc, { prefix: "" }), /prefix must be tokens/);
});

interface Run extends Disposable {
  readonly registry: OpenRegistry;
  readonly told: Events<Told>;
  readonly clock: FakeClock;
}

/** Opens a registry once all played gateways have answered and their answers' time is over. */
async function open({ nc, edge }: Pair, options: RegistryOptions = {}): Promise<Run> {
  const told = new Events<Told>();
  const clock = new FakeClock();
  const opening = createRegistry(nc, { ...options, ...toHooks(told), clock });
  for (let page = 0; page < 5; page++) await settle(nc, edge);
  clock.advance(1000);
  const registry = await opening;
  return { registry, told, clock, [Symbol.dispose]: () => registry.close() };
}

function toHooks(told: Events<Told>): Pick<RegistryOptions, "onOpen" | "onClose"> {
  return {
    onOpen: ({ id }: KnownConnection) => told.add(["open", id]),
    onClose: ({ id }: KnownConnection, code, reason) => told.add(["close", id, code, reason]),
  };
}
