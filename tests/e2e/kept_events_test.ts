import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport";
import { createRegistry } from "../../lib/workload/mod.ts";
import { GatewayProcess } from "../harness/gateway.ts";
import { startNats } from "../harness/nats_server.ts";
import { listen, setUp } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";
import { Relay } from "../nats/relay.ts";
import { RestartableNats } from "../nats/restartable_nats.ts";
import { Events, until } from "../harness/waiting.ts";

const FLAGS = ["--events", "who", "--log-level", "debug"];

type Told = [type: "open" | "close", id: string, code?: number];

Deno.test("a workload that starts late learns who came and went, and who is there", async () => {
  await using setup = await setUp(FLAGS, { jetstream: true });
  const { gateway, nc } = setup;
  await gateway.logged("stream ready");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const url = `ws://127.0.0.1:${gateway.port}/chat`;
  const gone = await Client.connect(url);
  await gone.close(4000, "bye");
  const first = (await closed.next()).headers!.get("X-H8s-Connection-Id");
  await using stays = await Client.connect(url);
  const kept = (await jetstreamManager(nc)).streams;
  await until(async () => (await kept.info("who")).state.messages >= 3, "three events are kept");
  const told = new Events<Told>();
  using registry = await createRegistry(nc, {
    host: "127.0.0.1",
    events: "who",
    onOpen: ({ id }) => told.add(["open", id]),
    onClose: ({ id }, code) => told.add(["close", id, code]),
  });
  const [known] = registry.connections();
  assert.equal(registry.size, 1);
  assert.equal(known!.path, "/chat");
  assert.ok(Date.now() - Date.parse(known!.since) < 60_000);
  assert.deepEqual(told.all, [["open", first], ["close", first, 4000], ["open", known!.id]]);
  assert.equal(registry.send(known!, "hello"), true);
  assert.equal(await stays.next(), "hello", "no acknowledgement has come to the client before");
  await stays.close(4001);
  while (registry.size > 0) await told.next();
  assert.deepEqual(told.all.at(-1), ["close", known!.id, 4001]);
  assert.equal(await gateway.metric('h8s_events_kept_total{outcome="stored"}'), 4);
});

Deno.test("each event is kept once, whatever happened to NATS meanwhile", async () => {
  const storeDir = await Deno.makeTempDir({ prefix: "h8s-events-" });
  await using stack = new AsyncDisposableStack();
  stack.defer(() => Deno.remove(storeDir, { recursive: true }));
  const nats = stack.use(await RestartableNats.start({ jetstream: true, storeDir }));
  const flags = ["--nats-url", nats.url, "--nats-grace", "60s", ...FLAGS];
  const gateway = stack.use(await GatewayProcess.start(flags));
  await gateway.logged("stream ready");
  const url = `ws://127.0.0.1:${gateway.port}/`;
  const clients: Client[] = [];
  for (let index = 0; index < 40; index++) clients.push(await Client.connect(url));
  const ends = clients.map((client) => client.close());
  await nats.kill();
  await Promise.all(ends);
  await nats.restart({ jetstream: true, storeDir });
  const nc = stack.use(await connect({ servers: nats.url }));
  const { streams } = await jetstreamManager(nc);
  const count = async () => (await streams.info("who")).state.messages;
  await until(async () => await count() >= 80, "all events are kept");
  const closed = new Map<string, number>();
  using _registry = await createRegistry(nc, {
    events: "who",
    onClose: ({ id }) => closed.set(id, (closed.get(id) ?? 0) + 1),
  });
  assert.deepEqual([...closed.values()], Array.from({ length: 40 }, () => 1));
  assert.equal(await count(), 80);
});

Deno.test("what was swallowed with a connection to NATS is told again over the next one", async () => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const nc = stack.use(await connect({ servers: nats.url }));
  const relay = stack.use(new Relay(Number(new URL(nats.url).port)));
  const flags = ["--nats-url", relay.url, "--connection-records", "off"];
  const gateway = stack.use(await GatewayProcess.start(flags));
  await gateway.measures("h8s_nats_connected", (count) => count === 1);
  const events = await listen(nc, "h8s.control.ws.conn.*");
  // What is written now is taken by the system, and never read.
  relay.stall();
  const client = await Client.connect(`ws://127.0.0.1:${gateway.port}/`);
  await client.close(4000);
  assert.deepEqual(events.all, []);
  relay.cut();
  const ids = [await events.next(), await events.next()]
    .map(({ headers }) => headers?.get("X-H8s-Event-Id").split(".")[1]);
  assert.deepEqual(ids, ["established", "closed"]);
  await nc.flush();
  assert.equal(events.all.length, 2);
});

Deno.test("events go into a new stream where somebody deleted the old one", async () => {
  await using setup = await setUp(FLAGS, { jetstream: true });
  const { gateway, nc } = setup;
  await gateway.logged("stream ready");
  const { streams } = await jetstreamManager(nc);
  await streams.delete("who");
  await (await Client.connect(`ws://127.0.0.1:${gateway.port}/`)).close(4000);
  await gateway.measures('h8s_events_kept_total{outcome="stored"}', (stored) => stored >= 2);
  assert.equal((await streams.info("who")).state.messages, 2);
});
