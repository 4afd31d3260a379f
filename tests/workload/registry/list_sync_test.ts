import assert from "node:assert/strict";
import type { Listing } from "../../../lib/mapping/listing.ts";
import { ListSync } from "../../../lib/workload/registry/list_sync.ts";
import { FakeClock } from "../../harness/fake_clock.ts";
import { FakeBus, FakeNats } from "../../nats/fake_bus.ts";

const ALL = "h8s.control.ws.conn.list";
const GATHER_MS = 1000;

/** Gateways that answer when the test says so. */
class World {
  readonly clock = new FakeClock();
  readonly bus: FakeBus;
  /** What was known before, by gateway. */
  readonly known = new Map<string, string[]>();
  /** What was told, in order. */
  readonly told: string[] = [];
  readonly sync: ListSync;
  isSettled = false;

  constructor(nats?: FakeNats) {
    this.bus = new FakeBus("connected", nats);
    this.sync = new ListSync(this.bus, {
      prefix: "h8s",
      clock: this.clock,
      gatherMs: GATHER_MS,
      host: undefined,
      knownIds: (gateway) => this.known.get(gateway) ?? [],
      onPage: ({ gateway, connections }) => {
        this.told.push(`${gateway}: ${connections.map(({ id }) => id)}`);
        this.sync.askIfUnknown(gateway);
      },
      onComplete: (gateway, vanished) => this.told.push(`${gateway} all but ${[...vanished]}`),
      onError: (error) => this.told.push(String(error)),
    });
  }

  /** What was asked, with its cursor. */
  get asked(): string[] {
    return this.bus.published.map(({ subject, data }) => {
      const { cursor = "" } = JSON.parse(new TextDecoder().decode(data));
      return `${subject} ${cursor}`.trim();
    });
  }

  /** A gateway answers the question that was asked last, or another one. */
  answer(gateway: string, ids: readonly string[], cursor?: string, question = -1): void {
    const connections = ids.map((id) => ({
      ...{ id, inbox: `_INBOX.${id}`, subject: "h8s.ws.ws.com.example.chat", host: "example.com" },
      ...{
        path: "/chat",
        query: "",
        remote: "192.0.2.1",
        protocol: "",
        since: "2026-01-01T00:00:00.000Z",
      },
    }));
    const listing: Listing = { gateway, connections, ...(cursor === undefined ? {} : { cursor }) };
    this.bus.deliver(this.bus.published.at(question)!.options.reply!, JSON.stringify(listing));
  }

  async settles(): Promise<boolean> {
    void this.sync.settled().then(() => this.isSettled = true);
    await Promise.resolve();
    await Promise.resolve();
    return this.isSettled;
  }
}

Deno.test("all are asked once, and further pages of each gateway alone", async () => {
  const world = new World();
  world.known.set("A", ["old", "a1"]);
  world.sync.askAll();
  world.answer("B", []);
  world.answer("A", ["a1"], "next");
  assert.equal(await world.settles(), false);
  // What became known between two pages is in neither, and there all the same.
  world.known.set("A", ["old", "a1", "new"]);
  world.answer("A", ["a2"]);
  world.clock.advance(GATHER_MS);
  assert.equal(await world.settles(), true);
  assert.deepEqual(world.asked, [ALL, `${ALL}.A next`]);
  assert.deepEqual(world.told, ["B: ", "B all but ", "A: a1", "A: a2", "A all but old"]);
});

Deno.test("who has told everything, or is about to, is not asked", () => {
  const world = new World();
  world.sync.askAll();
  world.sync.askIfUnknown("A");
  world.clock.advance(GATHER_MS);
  world.sync.askIfUnknown("A");
  world.sync.askIfUnknown("A");
  world.answer("A", []);
  world.sync.askIfUnknown("A");
  world.sync.forget("A");
  world.sync.askIfUnknown("A");
  assert.deepEqual(world.asked, [ALL, `${ALL}.A`, `${ALL}.A`]);
});

Deno.test("who does not answer in time is asked again, and begins anew", async () => {
  const world = new World();
  world.known.set("A", ["a1", "a2"]);
  world.sync.askIfUnknown("A");
  world.answer("A", ["a1"], "next");
  world.clock.advance(GATHER_MS);
  assert.equal(await world.settles(), true);
  world.sync.askIfUnknown("A");
  world.answer("A", ["a2"]);
  assert.deepEqual(world.asked, [`${ALL}.A`, `${ALL}.A next`, `${ALL}.A`]);
  assert.equal(world.told.at(-1), "A all but a1");
  assert.equal(world.clock.waiting, 0);
});

Deno.test("an answer that comes too late counts, and nobody waits for it any more", async () => {
  const world = new World();
  world.sync.askAll();
  world.clock.advance(GATHER_MS);
  world.answer("A", ["a1"]);
  assert.deepEqual(world.told, ["A: a1", "A all but "]);
  assert.deepEqual([await world.settles(), world.clock.waiting], [true, 0]);
  world.clock.advance(GATHER_MS);
  world.sync.askIfUnknown("A");
  assert.equal(world.asked.filter((subject) => subject === `${ALL}.A`).length, 1);
});

Deno.test("where there is no gateway, nobody waits", async () => {
  const world = new World(new FakeNats());
  world.sync.askAll();
  await world.bus.flush();
  assert.deepEqual([await world.settles(), world.clock.waiting], [true, 0]);
});

Deno.test("where NATS is away, nobody waits, and all are asked later", async () => {
  const world = new World();
  world.bus.setState("disconnected");
  world.sync.askAll();
  assert.equal(await world.settles(), true);
  world.bus.setState("connected");
  world.sync.askAll();
  assert.deepEqual(world.asked, [ALL]);
});

Deno.test("what is no list is told, and costs nobody else", () => {
  const world = new World();
  world.sync.askAll();
  world.bus.deliver(world.bus.published[0]!.options.reply!, "?");
  world.answer("A", []);
  assert.match(world.told[0]!, /Error/);
  assert.deepEqual(world.told.slice(1), ["A: ", "A all but "]);
});

Deno.test("a later page that comes too late is none of a new list", async () => {
  const world = new World();
  world.known.set("A", ["a1", "a2"]);
  world.sync.askIfUnknown("A");
  world.answer("A", ["a1"], "next");
  world.clock.advance(GATHER_MS);
  world.answer("A", ["a2"]);
  assert.deepEqual(world.told, ["A: a1"]);
  assert.equal(await world.settles(), true);
});

Deno.test("an answer that comes twice, or from two of one name, is believed once", () => {
  const world = new World();
  world.sync.askAll();
  for (let times = 0; times < 3; times++) world.answer("A", ["a1"], "next", 0);
  for (let times = 0; times < 3; times++) world.answer("A", ["a2"], undefined, 1);
  world.answer("A", ["a1"], "next", 0);
  assert.deepEqual(world.asked, [ALL, `${ALL}.A next`]);
  assert.deepEqual(world.told, ["A: a1", "A: a2", "A all but "]);
});

Deno.test("a list without an end is given up, and said to be one", async (t) => {
  const table: [what: string, ids: string[][]][] = [
    ["the same page again", [["a1"], ["a1"]]],
    ["empty pages", [[]]],
    ["pages that go round", [["a1"], ["a2"], ["a1"]]],
  ];
  for (const [what, pages] of table) {
    await t.step(what, async () => {
      const world = new World();
      world.known.set("A", ["old"]);
      world.sync.askAll();
      for (const ids of pages) world.answer("A", ids, "next");
      world.clock.advance(GATHER_MS);
      assert.equal(world.asked.length, pages.length);
      assert.match(world.told.at(-1)!, /Cannot list who is connected to the gateway "A"/);
      assert.deepEqual([await world.settles(), world.clock.waiting], [true, 0]);
    });
  }
});

Deno.test("who follows no more waits for nothing", async () => {
  const world = new World();
  world.sync.askAll();
  world.answer("A", ["a1"], "next");
  world.sync[Symbol.dispose]();
  assert.deepEqual([world.clock.waiting, world.bus.subscriptions.size], [0, 0]);
  assert.equal(await world.settles(), true);
});
