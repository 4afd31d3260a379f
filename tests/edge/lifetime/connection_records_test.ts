import assert from "node:assert/strict";
import { NO_LINES } from "../../../lib/mapping/headers.ts";
import {
  ConnectionRecords,
  type KeptLease,
} from "../../../lib/edge/lifetime/connection_records.ts";
import { FakeEdge, turn } from "../../harness/fake_edge.ts";
import type { Operation, Outcome } from "../../harness/fake_records.ts";
import { readSubject, toHostTokens } from "../../../lib/mapping/subject.ts";

const RECORD = {
  inbox: "_INBOX.h8s.G1.1",
  subject: readSubject("h8s.ws.ws.a"),
  hostTokens: toHostTokens("a"),
  lines: NO_LINES,
};
const END = { code: 4000, reason: "bye" };

/** A gateway with one connection, `a`. */
class World implements Disposable {
  readonly edge: FakeEdge;
  readonly taken: string[] = [];
  readonly told: string[] = [];
  readonly kept: ConnectionRecords;
  lease!: KeptLease;

  constructor(plan: () => Outcome = () => "answered") {
    this.edge = new FakeEdge();
    this.edge.records.plan = plan;
    this.kept = new ConnectionRecords(this.edge.parts, () => Promise.resolve());
  }

  static async open(): Promise<World> {
    const world = new World();
    await world.kept.opened();
    world.keep();
    await turn();
    return world;
  }

  get records() {
    return this.edge.records;
  }

  keep(): void {
    this.lease = this.kept.keep("a", RECORD, () => this.taken.push("a"))!;
  }

  end(): Promise<void> {
    return this.kept.end(this.lease, END, () => {
      this.told.push(this.records.read("G1.a")?.end === undefined ? "unrecorded" : "recorded");
    });
  }

  /** NATS is lost, and back. */
  async reconnect(): Promise<void> {
    this.edge.bus.setState("disconnected");
    await turn();
    this.edge.bus.setState("connected");
    await turn();
  }

  /** Another gateway takes this one for lost, and tells the end of its connection. */
  takeForLost(): void {
    this.records.bucket.set("lost.G1", { value: new Uint8Array(), revision: 99 });
    this.records.bucket.delete("G1.a");
  }

  [Symbol.dispose](): void {
    this.kept[Symbol.dispose]();
    this.edge[Symbol.dispose]();
    assert.equal(this.edge.clock.waiting, 0);
  }
}

/** The first questions of a kind go wrong, and no others. */
function first(count: number, operation: Operation, outcome: Outcome) {
  let left = count;
  return (asked: Operation): Outcome => asked === operation && left-- > 0 ? outcome : "answered";
}

Deno.test("a record is there as soon as its connection, and says its end before that is told", async () => {
  using world = await World.open();
  assert.deepEqual(world.records.read("G1.a"), RECORD);
  await world.end();
  assert.deepEqual(world.told, ["recorded"]);
  assert.equal(world.records.bucket.size, 0);
});

Deno.test("the record goes out before whatever is done next", async () => {
  using world = new World();
  await world.kept.opened();
  world.keep();
  assert.ok(world.records.asked.at(-1)?.endsWith("G1.a"));
});

Deno.test("a connection that ends before its record was acknowledged waits for that", async () => {
  using world = new World();
  await world.kept.opened();
  world.records.plan = () => "late";
  world.keep();
  const ended = world.end();
  await turn();
  assert.deepEqual(world.told, []);
  world.records.plan = () => "answered";
  world.records.arrive();
  await ended;
  assert.deepEqual(world.told, ["recorded"]);
  assert.equal(world.records.bucket.size, 0);
});

Deno.test("who dies between saying how it ended and telling it leaves the end to others", async () => {
  using world = await World.open();
  world.records.plan = (operation) => operation === "replace" ? "late" : "answered";
  const ended = world.end();
  await turn();
  world.records.arrive();
  // Killed here: the turn in which it would tell never comes.
  assert.deepEqual(world.records.read("G1.a")?.end, END);
  assert.deepEqual(world.told, []);
  await ended;
});

Deno.test("an end whose claim is not answered is told once", async () => {
  using world = await World.open();
  world.records.plan = first(1, "replace", "unanswered");
  const ended = world.end();
  await world.edge.passUntil(() => world.told.length > 0, 500);
  await ended;
  assert.deepEqual(world.told, ["recorded"]);
  assert.equal(world.records.bucket.size, 0);
});

Deno.test("a gateway that hung and was taken for lost tells no end, and hears which were told", async () => {
  using world = await World.open();
  world.takeForLost();
  await world.kept.resync();
  await turn();
  assert.deepEqual(world.taken, ["a"]);
  await world.end();
  assert.deepEqual(world.told, []);
});

Deno.test("a gateway that was taken for lost while it says how a connection ended tells nothing", async () => {
  using world = await World.open();
  world.takeForLost();
  await world.end();
  assert.deepEqual(world.told, []);
});

Deno.test("of two that want to tell one end, one does", async (t) => {
  for (const when of ["before the claim", "after it"]) {
    await t.step(when, async () => {
      using world = await World.open();
      world.records.plan = first(1, "replace", "late");
      const ended = world.end();
      await turn();
      if (when === "after it") world.records.arrive();
      // As the other one does it: the mark first, then the record, if it is still what was read.
      world.records.bucket.set("lost.G1", { value: new Uint8Array(), revision: 99 });
      if (when === "before the claim") world.records.bucket.delete("G1.a");
      world.records.arrive();
      await ended;
      assert.equal(world.told.length, when === "before the claim" ? 0 : 1);
      assert.equal(world.records.bucket.has("G1.a"), false);
    });
  }
});

Deno.test("what JetStream has lost is written again, and its end told", async () => {
  using world = await World.open();
  world.records.bucket.clear();
  await world.reconnect();
  assert.deepEqual(world.records.read("G1.a"), RECORD);
  world.records.bucket.clear();
  await world.end();
  assert.equal(world.told.length, 1);
  assert.equal(world.records.bucket.size, 0);
});

Deno.test("an end while NATS is away is told once it is back, if nobody else has told it", async (t) => {
  for (const isTaken of [false, true]) {
    await t.step(isTaken ? "somebody has" : "nobody has", async () => {
      using world = await World.open();
      world.edge.bus.setState("disconnected");
      const ended = world.end();
      await world.edge.pass(60_000);
      assert.deepEqual(world.told, []);
      if (isTaken) world.takeForLost();
      world.edge.bus.setState("connected");
      await ended;
      assert.equal(world.told.length, isTaken ? 0 : 1);
    });
  }
});

Deno.test("who gives up tells nothing more, and leaves the record to others", async () => {
  using world = await World.open();
  world.edge.bus.setState("disconnected");
  const ended = world.end();
  await turn();
  world.kept.giveUp();
  await ended;
  assert.deepEqual(world.told, []);
  assert.ok(world.records.bucket.has("G1.a"));
});

Deno.test("records that stay away cost no end: it is told, and what comes late is taken", async () => {
  using world = new World();
  await world.kept.opened();
  world.records.plan = (operation) => operation === "open" ? "answered" : "fails";
  world.keep();
  const ended = world.end();
  await world.edge.passUntil(() => world.told.length > 0, 1000);
  await world.edge.pass(2000);
  world.records.plan = () => "answered";
  await world.edge.pass(2000);
  await ended;
  assert.deepEqual(world.told, ["unrecorded"]);
  world.records.bucket.set("G1.a", { value: new Uint8Array(), revision: 7 });
  await world.edge.pass(10_000);
  assert.equal(world.records.bucket.size, 0);
});

Deno.test("a record that is not taken at once is asked for until it is", async () => {
  using world = await World.open();
  world.records.plan = first(2, "claim", "fails");
  const ended = world.end();
  await turn();
  assert.deepEqual(world.told, ["recorded"]);
  assert.equal(world.records.bucket.size, 1);
  await world.edge.pass(2000);
  await world.edge.pass(2000);
  await ended;
  assert.deepEqual(world.told, ["recorded"]);
  assert.equal(world.records.bucket.size, 0);
});

Deno.test("without records each end is told at once", async () => {
  using world = new World(() => "fails");
  world.keep();
  await world.end();
  assert.equal(await world.kept.opened(), false);
  assert.deepEqual(world.told, ["unrecorded"]);
});

Deno.test("what came before the bucket was open is recorded then", async () => {
  using world = new World();
  world.keep();
  await world.kept.opened();
  await turn();
  assert.deepEqual(world.records.read("G1.a"), RECORD);
});
