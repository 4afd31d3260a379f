import assert from "node:assert/strict";
import { NO_LINES } from "../../../lib/mapping/headers.ts";
import type { ConnectionRecords } from "../../../lib/edge/lifetime/connection_records.ts";
import { LostGateways } from "../../../lib/edge/connections/lost_gateways.ts";
import { renderConnectionRecord } from "../../../lib/mapping/connection_record.ts";
import { FakeEdge, turn } from "../../harness/fake_edge.ts";
import type { Bucket } from "../../harness/fake_records.ts";
import { readSubject, toHostTokens } from "../../../lib/mapping/subject.ts";

const RECORD = {
  inbox: "_INBOX.h8s.G2.1",
  subject: readSubject("h8s.ws.ws.a"),
  hostTokens: toHostTokens("a"),
  lines: NO_LINES,
};
/** From the last sign of life until the first in line has told what it can. */
const LOST_MS = 12_000;

/** One gateway that watches the others. */
class World implements Disposable {
  readonly edge: FakeEdge;
  readonly lostGateways: LostGateways;
  resyncs = 0;

  constructor({ id = "G1", bucket, opened = Promise.resolve(true) }: {
    id?: string;
    bucket?: Bucket;
    opened?: Promise<boolean>;
  } = {}) {
    const edge = this.edge = new FakeEdge({ id, ...(bucket && { bucket }) });
    const own = {
      opened: () => opened,
      resync: () => {
        this.resyncs++;
        return Promise.resolve();
      },
    };
    this.lostGateways = new LostGateways(edge.records, {
      parts: edge.parts,
      own: own as unknown as ConnectionRecords,
      resumables: undefined,
    });
  }

  hold(key: string, end?: { code: number; reason: string }): void {
    const value = new TextEncoder().encode(
      renderConnectionRecord({ ...RECORD, ...(end && { end }) }),
    );
    void this.edge.records.put(key, value);
  }

  /** Time passes in which these gateways are heard, this one among them. */
  async live(ms: number, others: readonly string[] = []): Promise<void> {
    for (let passed = 0; passed < ms; passed += 500) {
      for (const gateway of [this.edge.parts.gatewayId, ...others]) {
        this.edge.bus.deliver(`h8s.control.gateway.${gateway}.alive`);
      }
      await this.edge.pass(500);
    }
  }

  [Symbol.dispose](): void {
    this.lostGateways[Symbol.dispose]();
    this.edge[Symbol.dispose]();
    assert.equal(this.edge.clock.waiting, 0);
  }
}

Deno.test("LostGateways leaves no timer behind that would keep the process, whenever it ends", async () => {
  const opened = Promise.withResolvers<boolean>();
  using world = new World({ opened: opened.promise });
  world.lostGateways[Symbol.dispose]();
  // The bucket was being opened when the gateway stopped.
  opened.resolve(true);
  await turn();
  assert.equal(world.edge.clock.waiting, 0);
});

Deno.test("a gateway that falls silent is told as gone, each connection once, its mark first", async () => {
  using world = new World();
  await world.live(1000, ["G2"]);
  world.hold("G2.a");
  world.hold("G2.b");
  await world.live(LOST_MS);
  assert.deepEqual(world.edge.told, Array(2).fill("closed 1006 gateway lost"));
  assert.deepEqual([...world.edge.records.bucket.keys()], ["lost.G2"]);
  const { asked } = world.edge.records;
  assert.ok(asked.indexOf("put lost.G2") < asked.indexOf("claim G2.a"));
});

Deno.test("an end that its gateway had written down is told as it was", async () => {
  using world = new World();
  await world.live(1000, ["G2"]);
  world.hold("G2.a", { code: 4000, reason: "bye" });
  await world.live(LOST_MS);
  assert.deepEqual(world.edge.told, ["closed 4000 bye"]);
});

Deno.test("a record that changes between reading and taking is not ours to tell", async () => {
  using world = new World();
  await world.live(1000, ["G2"]);
  world.hold("G2.a");
  world.edge.records.plan = (operation) => {
    if (operation === "claim") world.hold("G2.a", { code: 4000, reason: "bye" });
    return "answered";
  };
  await world.live(LOST_MS);
  assert.deepEqual(world.edge.told, []);
  assert.ok(world.edge.records.bucket.has("G2.a"));
});

Deno.test("of two survivors one tells each end", async () => {
  using one = new World();
  using two = new World({ id: "G2", bucket: one.edge.records.bucket });
  await Promise.all([one.live(1000, ["G2", "G3"]), two.live(1000, ["G1", "G3"])]);
  for (const key of ["G3.a", "G3.b", "G3.c"]) one.hold(key);
  await Promise.all([one.live(LOST_MS, ["G2"]), two.live(LOST_MS, ["G1"])]);
  assert.equal(one.edge.told.length + two.edge.told.length, 3);
  assert.deepEqual([...one.edge.records.bucket.keys()], ["lost.G3"]);
});

Deno.test("when JetStream does not answer, it is asked again", async () => {
  using world = new World();
  await world.live(1000, ["G2"]);
  world.hold("G2.a");
  world.edge.records.plan = () => "fails";
  await world.live(LOST_MS);
  assert.deepEqual(world.edge.told, []);
  world.edge.records.plan = () => "answered";
  await world.live(5500);
  assert.deepEqual(world.edge.told, ["closed 1006 gateway lost"]);
});

Deno.test("what gateways left that nobody has heard is told after their silence, no living one's", async () => {
  using world = new World();
  world.hold("G2.a");
  world.hold("G1.own");
  world.hold("G3.living");
  await world.live(LOST_MS, ["G3"]);
  assert.deepEqual(world.edge.told, ["closed 1006 gateway lost"]);
  assert.deepEqual([...world.edge.records.bucket.keys()], ["G1.own", "G3.living", "lost.G2"]);
});

Deno.test("a gateway that hears itself again after a silence looks what was told meanwhile", async () => {
  using world = new World();
  await world.live(1000, ["G2"]);
  world.hold("G2.a");
  await world.edge.pass(30_000);
  assert.equal(world.resyncs, 0);
  await world.live(1000, ["G2"]);
  assert.equal(world.resyncs, 1);
  assert.deepEqual(world.edge.told, [], "the deaf take nobody for lost");
});

Deno.test("a record that cannot be read is told of in the log, and costs no other", async () => {
  using world = new World();
  await world.live(1000, ["G2"]);
  await world.edge.records.put("G2.broken", new TextEncoder().encode("{}"));
  world.hold("G2.a");
  await world.live(LOST_MS);
  assert.deepEqual(world.edge.told, ["closed 1006 gateway lost"]);
  assert.ok(world.edge.lines.some((line) => line.startsWith("warn what a lost gateway left")));
});

Deno.test("what many WebSockets have left is taken bit by bit: records of the living get in between", async () => {
  using world = new World();
  const many = 1000;
  await world.live(1000, ["G2"]);
  for (let count = 0; count < many; count++) world.hold(`G2.${count}`);
  const { records } = world.edge;
  records.plan = (operation) => operation === "claim" ? "late" : "answered";
  await world.live(LOST_MS);
  const asked = () => records.asked.filter((text) => text.startsWith("claim ")).length;
  assert.ok(asked() > 0 && asked() < many / 2, `${asked()} at once`);
  for (let turns = 0; turns < 20 * many && world.edge.told.length < many; turns++) {
    records.arrive();
    await turn();
  }
  assert.equal(world.edge.told.length, many);
});

Deno.test("two survivors share what takes long, and neither asks for what the other has told", async () => {
  using one = new World();
  using two = new World({ id: "G2", bucket: one.edge.records.bucket });
  const many = 1000;
  await Promise.all([one.live(1000, ["G2", "G3"]), two.live(1000, ["G1", "G3"])]);
  for (let count = 0; count < many; count++) one.hold(`G3.${count}`);
  const worlds = [one, two];
  for (const { edge: { records } } of worlds) {
    records.plan = (operation) => operation === "claim" ? "late" : "answered";
  }
  await Promise.all([one.live(LOST_MS, ["G2"]), two.live(LOST_MS, ["G1"])]);
  const told = () => worlds.map(({ edge }) => edge.told.length);
  const sum = ([a = 0, b = 0]: readonly number[]) => a + b;
  for (let turns = 0; turns < 20 * many && sum(told()) < many; turns++) {
    for (const { edge } of worlds) edge.records.arrive();
    await turn();
  }
  assert.equal(sum(told()), many);
  assert.ok(told().every((count) => count > many / 3), `each has told ${told()}`);
  const asked = worlds.map(({ edge: { records } }) =>
    records.asked.filter((text) => text.startsWith("claim ")).length
  );
  assert.ok(sum(asked) < 1.2 * many, `${sum(asked)} records were asked for`);
});

Deno.test("of many gateways that are lost together a few are looked after at once", async () => {
  using world = new World();
  const lost = Array.from({ length: 100 }, (_, index) => `L${index}`);
  await world.live(1000, lost);
  for (const gateway of lost) world.hold(`${gateway}.a`);
  world.edge.records.plan = (operation) => operation === "list" ? "late" : "answered";
  await world.live(LOST_MS);
  const listed = () => world.edge.records.asked.filter((asked) => asked.startsWith("list")).length;
  const first = listed();
  assert.ok(first > 0 && first <= 4, `${first} at once`);
  world.edge.records.plan = () => "answered";
  world.edge.records.arrive();
  await world.live(10_000);
  assert.equal(world.edge.told.length, lost.length);
});
