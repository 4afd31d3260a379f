import assert from "node:assert/strict";
import { Load } from "../../../lib/edge/admission/load.ts";
import { Connections } from "../../../lib/edge/connections/connections.ts";
import { ConnectionService } from "../../../lib/edge/connections/connection_service.ts";
import type { Connection } from "../../../lib/edge/socket/websocket.ts";
import type { CloseInfo } from "../../../lib/mapping/close.ts";
import { afterTurn } from "../../../lib/time/turn.ts";
import { FakeEdge, turn } from "../../harness/fake_edge.ts";

/** One gateway's connections, and who tells of them. */
class World implements Disposable {
  readonly edge = new FakeEdge({ config: { natsGrace: "10s" } });
  readonly connections = new Connections(this.edge.parts, new Load());
  readonly service = new ConnectionService(this.connections, this.edge.parts);
  readonly closed: string[] = [];

  /** A client that answers a close at once. */
  connect(id: string): Connection {
    const record = {
      inbox: `_INBOX.h8s.G1.${id}`,
      subject: "h8s.ws.ws.a",
      hostTokens: "a",
      lines: "",
    };
    const connection = {
      ...{
        id,
        record,
        place: { [Symbol.dispose]() {} },
        onReconnect: () => this.closed.push(`${id} goes on`),
      },
      describe: () => ({ id, subject: record.subject, host: "a" }),
      close: (end: CloseInfo) => {
        this.closed.push(`${id} ${end.code} ${end.reason}`);
        this.connections.remove(connection, end);
      },
    } as unknown as Connection;
    this.connections.add(connection);
    return connection;
  }

  get beats(): string[] {
    return this.edge.bus.published.flatMap(({ subject }) =>
      /^h8s\.control\.gateway\.G1\.(.*)$/.exec(subject)?.[1] ?? []
    );
  }

  [Symbol.dispose](): void {
    this.service[Symbol.dispose]();
    this.connections[Symbol.dispose]();
    this.edge[Symbol.dispose]();
    assert.equal(this.edge.clock.waiting, 0);
  }
}

Deno.test("connections are closed when NATS stays away, and go on when it comes back in time", async () => {
  using world = new World();
  await turn();
  world.connect("a");
  await turn();
  world.edge.bus.setState("disconnected");
  await world.edge.pass(9999);
  world.edge.bus.setState("connected");
  await world.edge.pass(60_000);
  assert.deepEqual(world.closed, ["a goes on"]);
  world.edge.bus.setState("disconnected");
  await world.edge.pass(10_000);
  assert.deepEqual(world.closed, ["a goes on", "a 1013 NATS is not connected"]);
  assert.equal(world.connections.size, 1, "its end has not been told");
  world.edge.bus.setState("connected");
  await turn();
  assert.equal(world.connections.size, 0);
  assert.deepEqual(world.edge.told, ["established", "closed 1013 NATS is not connected"]);
});

Deno.test("a gateway drains once each end has been told, of those that still come, too", async () => {
  using world = new World();
  await turn();
  world.connect("a");
  let isDrained = false;
  world.edge.records.plan = (operation) => operation === "replace" ? "late" : "answered";
  void world.connections.drain().then(() => isDrained = true);
  world.connect("b");
  await turn();
  assert.equal(isDrained, false);
  world.edge.records.plan = () => "answered";
  world.edge.records.arrive();
  await turn();
  assert.equal(isDrained, true);
  assert.deepEqual(world.closed, ["a 1001 gateway is draining", "b 1001 gateway is draining"]);
});

Deno.test("connections whose end another gateway has told are closed, and not told again", async () => {
  using world = new World();
  await turn();
  world.connect("a");
  world.connect("b");
  await turn();
  await world.edge.records.put("lost.G1", new Uint8Array());
  world.edge.records.bucket.delete("G1.a");
  await world.connections.records.resync();
  await turn();
  assert.deepEqual(world.closed, ["a 1013 the gateway was cut off"]);
  assert.equal(world.connections.size, 1);
  assert.deepEqual(world.edge.told, ["established", "established"]);
});

Deno.test("a gateway beats, also after a beat that failed, until it leaves", async () => {
  using world = new World();
  await turn();
  world.edge.bus.isRefused = (subject) => subject.endsWith(".alive");
  await world.edge.pass(5000);
  assert.deepEqual(world.edge.faults, [
    "timer RangeError: Cannot publish to h8s.control.gateway.G1.alive",
  ]);
  world.edge.bus.isRefused = () => false;
  await world.edge.pass(5000);
  world.service.drain();
  await world.edge.pass(5000);
  world.service.leave();
  await world.edge.pass(5000);
  assert.deepEqual(world.beats, ["alive", "draining", "alive", "gone"]);
});

Deno.test("nobody is told who is connected while that may have changed", async () => {
  using world = new World();
  const ask = () => {
    const { bus } = world.edge;
    const [listen] = [...bus.subscriptions].filter(({ subject }) => subject.endsWith("conn.list"));
    const before = bus.published.length;
    const message = { subject: listen!.subject, reply: "r", headers: "", data: new Uint8Array() };
    listen!.onMessage(message);
    return bus.published.slice(before).map(({ data }) =>
      JSON.parse(new TextDecoder().decode(data))
    );
  };
  assert.deepEqual(ask(), []);
  await turn();
  world.connect("a");
  assert.deepEqual(ask()[0].connections.map(({ id }: { id: string }) => id), ["a"]);
  world.edge.bus.setState("disconnected");
  assert.deepEqual(ask(), []);
});

Deno.test("of many who ask who is connected one is answered in a turn, in order, and 257 in all", async () => {
  using world = new World();
  await turn();
  const { bus } = world.edge;
  const [listen] = [...bus.subscriptions].filter(({ subject }) => subject.endsWith("conn.list"));
  const answered = () =>
    bus.published.map(({ subject }) => subject).filter((to) => /^r\d/.test(to));
  for (let count = 0; count < 300; count++) {
    listen!.onMessage({ subject: "", reply: `r${count}`, headers: "", data: new Uint8Array() });
  }
  assert.deepEqual(answered(), ["r0"]);
  await endOfTurn();
  assert.deepEqual(answered(), ["r0", "r1"]);
  for (let count = 0; count < 300; count++) await endOfTurn();
  assert.deepEqual(answered(), Array.from({ length: 257 }, (_, index) => `r${index}`));
});

function endOfTurn(): Promise<void> {
  return new Promise((resolve) => afterTurn(resolve));
}
