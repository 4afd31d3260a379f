import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport";
import type { Msg } from "@nats-io/nats-core";
import { serve } from "../../lib/workload/mod.ts";
import { GatewayProcess } from "../harness/gateway.ts";
import { startNats } from "../harness/nats_server.ts";
import { listen, recordsWritten } from "../harness/setup.ts";
import { within } from "../harness/waiting.ts";
import { Client } from "../harness/websocket.ts";
import { Relay } from "../nats/relay.ts";

const SOCKETS = 50;

Deno.test("what a killed or frozen gateway held is told as closed by one of the others, once", async () => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const nc = stack.use(await connect({ servers: nats.url }));
  const flags = ["--nats-url", nats.url, "--log-level", "debug"];
  const start = async () => stack.use(await GatewayProcess.start(flags));
  const [one, two, killed, frozen] = [await start(), await start(), await start(), await start()];
  const established = await listen(nc, "h8s.control.ws.conn.established");
  const closed = await listen(nc, "h8s.control.ws.conn.closed.>");
  const flat = await listen(nc, "h8s.control.ws.conn.closed");
  const handled: string[] = [];
  const allHandled = Promise.withResolvers<void>();
  for (let replica = 0; replica < 2; replica++) {
    const own = stack.use(await connect({ servers: nats.url }));
    const close = ({ id }: { id: string }) => {
      if (handled.push(id) === 2 * SOCKETS + 2) allHandled.resolve();
    };
    stack.use(serve(own, { host: "*", websocket: { close } }, () => new Response()));
    await own.flush();
  }
  const openMany = async ({ port }: GatewayProcess, count: number) => {
    const clients: Client[] = [];
    for (let index = 0; index < count; index++) {
      clients.push(stack.use(await Client.connect(`ws://127.0.0.1:${port}/caf%C3%A9?q=%FF`)));
    }
    return clients;
  };
  await openMany(killed, SOCKETS);
  const frozenClients = await openMany(frozen, SOCKETS);
  const [kept] = await openMany(one, 1);
  const begins = new Map<string, Msg>();
  while (begins.size < 2 * SOCKETS + 1) {
    const event = await established.next();
    begins.set(toId(event), event);
  }

  const begun = performance.now();
  killed.kill("SIGKILL");
  frozen.kill("SIGSTOP");
  const told: Msg[] = [];
  while (told.length < 2 * SOCKETS) told.push(await closed.next());
  const seconds = (performance.now() - begun) / 1000;
  console.log(`all ${2 * SOCKETS} were told as closed after ${seconds.toFixed(1)} s`);
  assert.ok(seconds <= 15, `${seconds} s`);
  for (const end of told) assertSame(end, begins.get(toId(end))!);

  // The survivor that is second in line has looked, too; and the frozen gateway wakes up.
  await Promise.race([one, two].map((it) => it.logged("a lost gateway left no WebSockets")));
  frozen.kill("SIGCONT");
  for (const client of frozenClients) assert.equal((await client.closed).code, 1013);
  await kept!.close(4000, "bye");
  let last = await closed.next();
  assert.equal(last.headers?.get("X-H8s-Close-Code"), "4000");
  const [again] = await openMany(frozen, 1);
  await again!.close(4001, "bye");
  last = await closed.next();
  assert.equal(last.headers?.get("X-H8s-Close-Code"), "4001");

  assert.equal(new Set(closed.all.map(toId)).size, 2 * SOCKETS + 2);
  assert.equal(closed.all.length, 2 * SOCKETS + 2);
  assert.equal(flat.all.length, 2 * SOCKETS + 2);
  const counts = await Promise.all(
    [one, two].map((gateway) => gateway.metric("h8s_lost_websockets_closed_total")),
  );
  assert.equal(counts[0]! + counts[1]!, 2 * SOCKETS);
  await within(allHandled.promise, "the workloads to hear of each end");
  assert.deepEqual(handled.sort(), closed.all.map(toId).sort(), "workloads see each end once");
});

Deno.test("when all gateways have died, the next one tells the end of what they held", async () => {
  await using nats = await startNats();
  await using nc = await connect({ servers: nats.url });
  const closed = await listen(nc, "edge.control.ws.conn.closed");
  const flags = ["--nats-url", nats.url, "--prefix", "edge", "--connection-records", "sockets"];
  const records = await listen(nc, "$KV.sockets.*.*");
  await using killed = await GatewayProcess.start(flags);
  const client = await Client.connect(`ws://127.0.0.1:${killed.port}/`);
  await using second = await Client.connect(`ws://127.0.0.1:${killed.port}/`);
  await records.next();
  await records.next();
  killed.kill("SIGKILL");
  await Promise.all([client.closed, second.closed]);
  await using _next = await GatewayProcess.start(flags);
  const ends = [await closed.next(), await closed.next()];
  assert.deepEqual(ends.map(({ headers }) => headers?.get("X-H8s-Close-Code")), ["1006", "1006"]);
  assert.equal(new Set(ends.map(toId)).size, 2);
});

Deno.test("an end that its gateway died of telling is told by another one, as it was", async () => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const nc = stack.use(await connect({ servers: nats.url }));
  const relay = stack.use(new Relay(Number(new URL(nats.url).port)));
  const start = async (natsUrl: string) =>
    stack.use(await GatewayProcess.start(["--nats-url", natsUrl]));
  const records = await listen(nc, "$KV.h8s-connections.*.*");
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  const dying = await start(relay.url);
  const client = stack.use(await Client.connect(`ws://127.0.0.1:${dying.port}/`));
  await records.next();
  await recordsWritten(nc, 1);
  // What is asked later is answered later: now the gateway knows that it is written.
  await (await fetch(`http://127.0.0.1:${dying.port}/`)).body?.cancel();
  relay.hold();
  await client.close(4000, "bye");
  await records.next();
  dying.kill("SIGKILL");
  await dying.ended;
  assert.equal(closed.all.length, 0);
  await start(nats.url);
  assert.equal((await closed.next()).headers?.get("X-H8s-Close-Code"), "4000");
});

/** As the connection's own gateway would have told it. */
function assertSame(end: Msg, begin: Msg): void {
  assert.equal(end.headers?.get("X-H8s-Close-Code"), "1006");
  assert.equal(end.headers?.get("X-H8s-Close-Reason"), "gateway lost");
  assert.equal(end.reply, begin.reply);
  for (const [name, values] of begin.headers!) {
    if (name === "X-H8S-PublishSubject" || name === "X-H8s-Event-Id") continue;
    assert.deepEqual(end.headers?.values(name), values, name);
  }
}

function toId({ headers }: Msg): string {
  return headers?.get("X-H8s-Connection-Id") ?? "";
}

Deno.test("where somebody deletes the bucket, all records are written into a new one", async () => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const nc = stack.use(await connect({ servers: nats.url }));
  const gateway = stack.use(await GatewayProcess.start(["--nats-url", nats.url]));
  const open = async () => stack.use(await Client.connect(`ws://127.0.0.1:${gateway.port}/`));
  await open();
  await recordsWritten(nc, 1);
  const { streams } = await jetstreamManager(nc);
  await streams.delete("KV_h8s-connections");
  await open();
  await recordsWritten(nc, 2);
});
