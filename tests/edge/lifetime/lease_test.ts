import assert from "node:assert/strict";
import {
  Lease,
  type LeaseEvent,
  type LeaseHome,
  type LeaseState,
  type RecordKind,
  toNext,
} from "../../../lib/edge/lifetime/lease.ts";
import { FakeEdge, turn } from "../../harness/fake_edge.ts";

interface Held {
  readonly owner: string;
  readonly end?: string;
}

const KIND: RecordKind<Held> = {
  encode: (record) => new TextEncoder().encode(JSON.stringify(record)),
  isOurs: (stored) => JSON.parse(new TextDecoder().decode(stored)).owner === "G1",
  attempts: Number.POSITIVE_INFINITY,
};
const KEY = "resume.a";

/** A lease on a record that changes hands. */
class World implements Disposable {
  readonly edge = new FakeEdge();
  readonly givenUp = new AbortController();
  readonly told: string[] = [];
  readonly faults: string[] = [];
  lost = 0;
  readonly lease: Lease<Held>;

  constructor() {
    const { records, clock } = this.edge;
    const home: LeaseHome = {
      ...{ records, clock, settling: undefined, isOn: true, isConnected: true },
      givenUp: this.givenUp.signal,
      wasLost: async () => await records.get("lost.G1") !== undefined,
      claimLate: () => {},
      report: () => {},
      onFault: (error) => this.faults.push(String(error)),
    };
    this.lease = new Lease({ home, kind: KIND, key: KEY, onLost: () => this.lost++ });
  }

  get records() {
    return this.edge.records;
  }

  end(): Promise<void> {
    return this.lease.end({ owner: "G1", end: "bye" }, () => this.told.push("bye"));
  }

  [Symbol.dispose](): void {
    this.edge[Symbol.dispose]();
    assert.equal(this.edge.clock.waiting, 0);
  }
}

Deno.test("toNext() leads where the table says, and nowhere else", () => {
  const events: LeaseEvent[] = ["write", "written", "failed", "end", "lost"];
  const table: Record<LeaseState, LeaseState[]> = {
    unrecorded: ["writing", "unrecorded", "unrecorded", "ending", "theirs"],
    writing: ["writing", "ours", "unrecorded", "ending", "theirs"],
    ours: ["writing", "ours", "ours", "ending", "theirs"],
    ending: ["ending", "ending", "ending", "ending", "theirs"],
    theirs: ["theirs", "theirs", "theirs", "theirs", "theirs"],
  };
  for (const state of Object.keys(table) as LeaseState[]) {
    assert.deepEqual(events.map((event) => toNext(state, event)), table[state], state);
  }
});

Deno.test("versions are written in order, each on top of the one before", async () => {
  using world = new World();
  world.records.plan = () => "late";
  world.lease.write({ owner: "G1" });
  world.lease.write({ owner: "G1", end: "second" });
  assert.equal(world.records.asked.length, 1);
  world.records.plan = () => "answered";
  world.records.arrive();
  await world.lease.settled;
  assert.deepEqual(world.records.read(KEY), { owner: "G1", end: "second" });
  assert.equal(world.lease.state, "ours");
  assert.equal(world.lease.revision, 2);
});

Deno.test("of two that claim one record, one gets it", async () => {
  using world = new World();
  world.lease.write({ owner: "G1" });
  await world.lease.settled;
  const other = await world.records.replace(KEY, KIND.encode({ owner: "G2" }), 1);
  assert.equal(await world.lease.claim({ owner: "G1" }, 1), false);
  assert.equal(other, 2);
  assert.equal(world.lease.state, "theirs");
});

Deno.test("a record that somebody else holds is not written over, and its end not told", async (t) => {
  const table: [name: string, act: (world: World) => void | Promise<void>][] = [
    ["a new version", ({ lease }) => lease.write({ owner: "G1" })],
    ["a look", ({ lease }) => lease.verify()],
    ["the end", (world) => world.end()],
  ];
  for (const [name, act] of table) {
    await t.step(name, async () => {
      using world = new World();
      world.lease.write({ owner: "G1" });
      await world.lease.settled;
      await world.records.put(KEY, KIND.encode({ owner: "G2" }));
      await act(world);
      await world.lease.settled;
      assert.equal(world.lease.state, "theirs");
      await world.end();
      assert.deepEqual(world.told, []);
      assert.deepEqual(world.records.read(KEY), { owner: "G2" });
      assert.equal(world.lost, name === "the end" ? 0 : 1);
    });
  }
});

Deno.test("a version whose answer was lost is ours at the next look", async () => {
  using world = new World();
  world.records.plan = () => "unanswered";
  world.lease.write({ owner: "G1" });
  await world.lease.settled;
  assert.equal(world.lease.state, "unrecorded");
  world.records.plan = () => "answered";
  await world.lease.verify();
  assert.equal(world.lease.state, "ours");
  assert.equal(world.lost, 0);
});

Deno.test("what only the record knows is not told before it answers, however long that takes", async () => {
  using world = new World();
  world.lease.write({ owner: "G1" });
  await world.lease.settled;
  world.records.plan = () => "fails";
  const ended = world.end();
  for (let second = 0; second < 60; second++) await world.edge.pass(1000);
  assert.deepEqual(world.told, []);
  world.records.plan = () => "answered";
  await world.edge.pass(1000);
  await ended;
  assert.deepEqual(world.told, ["bye"]);
  assert.equal(world.records.bucket.size, 0);
});

Deno.test("a lease that is dropped writes, takes and tells nothing more", async () => {
  using world = new World();
  world.lease.write({ owner: "G1" });
  await world.lease.settled;
  world.lease.drop();
  world.lease.write({ owner: "G1", end: "late" });
  await world.lease.verify();
  await world.end();
  assert.deepEqual(world.told, []);
  assert.deepEqual(world.records.read(KEY), { owner: "G1" });
});

Deno.test("an end that cannot be told because telling throws is a fault, and holds up nothing", async () => {
  using world = new World();
  world.lease.write({ owner: "G1" });
  await world.lease.end({ owner: "G1", end: "bye" }, () => {
    throw new Error("odd");
  });
  await turn();
  assert.deepEqual(world.faults, ["Error: odd"]);
});
