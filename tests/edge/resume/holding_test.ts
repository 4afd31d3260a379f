/** Who holds a connection, and who tells its end: one gateway, or several that share a bucket. */
import assert from "node:assert/strict";
import { encodeResumeRecord, parseResumeRecord } from "../../../lib/mapping/connection_record.ts";
import { turn } from "../../harness/fake_edge.ts";
import { type FakeClient, Gateway, VANISHED, WINDOW_MS } from "./world.ts";

const ID = "G1-1";
const KEY = `resume.${ID}`;

/** A client of G1 that is away, and a second gateway, G2. */
async function open({ isAway = true } = {}) {
  const first = await Gateway.open();
  const second = await Gateway.open({ id: "G2", beside: first });
  const client = await first.connect();
  if (isAway) client.leave();
  await turn();
  return {
    ...{ first, second, client, back: { token: client.token, lastSeq: 0 } },
    [Symbol.dispose]() {
      second[Symbol.dispose]();
      first[Symbol.dispose]();
    },
  };
}

/** The gateway hears, as NATS would have it, what the others have told it. */
function hearMoved(gateway: Gateway, from: Gateway): void {
  const subject = `h8s.control.ws.conn.moved.${gateway.edge.parts.gatewayId}`;
  for (const text of from.heard(subject)) gateway.edge.bus.deliver(subject, text);
}

function toOwner(gateway: Gateway): unknown {
  return gateway.edge.records.read(KEY)?.owner;
}

Deno.test("a new connection is told, recorded, listed, and takes one place", async () => {
  using gateway = await Gateway.open();
  const client = await gateway.connect();
  assert.deepEqual(gateway.edge.told, ["established"]);
  assert.deepEqual([...gateway.held].map(({ id }) => id), [ID]);
  assert.equal(gateway.edge.records.read(KEY)?.detached, undefined);
  assert.equal(gateway.placesTaken, 1);
  client.leave();
  await turn();
  assert.equal(gateway.placesTaken, 1, "it is waited for");
  assert.deepEqual(gateway.edge.told, ["established"]);
  const { end } = gateway.edge.records.read(KEY)!.detached as { end: unknown };
  assert.deepEqual(end, VANISHED);
});

Deno.test("who does not come back within the window is told as gone, once, as it went", async () => {
  using gateway = await Gateway.open();
  const client = await gateway.connect();
  client.leave({ code: 1001, reason: "going away" });
  await gateway.edge.pass(WINDOW_MS - 1000);
  assert.deepEqual(gateway.edge.told, ["established"]);
  await gateway.edge.pass(1000);
  assert.deepEqual(gateway.edge.told, ["established", "closed 1001 going away"]);
  assert.equal(gateway.edge.records.bucket.size, 0);
  assert.equal(gateway.placesTaken, 0);
  assert.equal(gateway.held.size, 0);
  const late = await gateway.connect({ token: client.token, lastSeq: 0 });
  assert.deepEqual(late.got, ["new", "gap 1-"]);
  assert.deepEqual(gateway.edge.told, ["established", "closed 1001 going away", "established"]);
});

Deno.test("an end that was meant is told at once", async () => {
  using gateway = await Gateway.open();
  const client = await gateway.connect();
  client.leave({ code: 1000, reason: "done" });
  await turn();
  assert.deepEqual(gateway.edge.told, ["established", "closed 1000 done"]);
  assert.equal(gateway.edge.records.bucket.size, 0);
});

Deno.test("a workload closes a connection whose client is away", async () => {
  using gateway = await Gateway.open();
  const client = await gateway.connect();
  client.leave();
  const headers = "NATS/1.0\r\nX-H8s-Close: 4000 enough\r\nNats-Sequence: 1\r\n\r\n";
  gateway.edge.bus.deliver(`h8s.resumed.${ID}`, "", headers);
  await turn();
  assert.deepEqual(gateway.edge.told, ["established", "closed 4000 enough"]);
});

Deno.test("a connection for which too much waits ends, and what waits is removed", async () => {
  using gateway = await Gateway.open({ config: { resumeMaxWaiting: "1KiB" } });
  const client = await gateway.connect();
  client.leave();
  gateway.send(ID, "x".repeat(900));
  await turn();
  assert.deepEqual(gateway.edge.told, ["established"]);
  gateway.send(ID, "x".repeat(100));
  await turn();
  assert.deepEqual(gateway.edge.told, ["established", "closed 1013 too much waits for it"]);
  assert.deepEqual(gateway.stream.forgotten, [`_INBOX.h8s.resume.${ID}`]);
});

Deno.test("a client that lost its connection without knowing comes back beside its old socket", async () => {
  using gateway = await Gateway.open();
  const old = await gateway.connect();
  const client = await gateway.connect({ token: old.token, lastSeq: 0 });
  gateway.send(ID, "one");
  assert.deepEqual(old.closed, ["1008 resumed elsewhere"]);
  old.leave({ code: 1008, reason: "resumed elsewhere" });
  assert.deepEqual(old.got, ["new"]);
  assert.deepEqual(client.got, ["resumed", "1 one"]);
  assert.equal(gateway.placesTaken, 1);
  await gateway.edge.pass(2 * WINDOW_MS);
  assert.deepEqual(gateway.edge.told, ["established"], "it is there");
});

Deno.test("who comes back within the window stays beyond it", async () => {
  using gateway = await Gateway.open();
  const client = await gateway.connect();
  client.leave();
  await gateway.edge.pass(WINDOW_MS - 1000);
  const again = await gateway.connect({ token: client.token, lastSeq: 0 });
  await gateway.edge.pass(2 * WINDOW_MS);
  assert.deepEqual(gateway.edge.told, ["established"]);
  assert.deepEqual(again.closed, []);
});

Deno.test("who comes back as its end is told gets a new connection", async () => {
  using gateway = await Gateway.open();
  const client = await gateway.connect();
  gateway.edge.records.plan = (operation) => operation === "claim" ? "late" : "answered";
  client.leave({ code: 1000, reason: "done" });
  await turn();
  const again = await gateway.connect({ token: client.token, lastSeq: 0 });
  assert.deepEqual(again.got, ["new", "gap 1-"]);
  gateway.edge.records.arrive();
  await turn();
  assert.deepEqual(gateway.edge.told, ["established", "closed 1000 done", "established"]);
});

Deno.test("whose connection ends before its socket opens is told to try again", async () => {
  using gateway = await Gateway.open();
  const gone = await gateway.connect();
  gone.leave();
  const { client, owner } = await gateway.admit({ token: gone.token, lastSeq: 0 });
  await gateway.edge.pass(WINDOW_MS);
  client.arrive(owner);
  assert.deepEqual(client.closed, ["1013 held elsewhere"]);
  client.leave({ code: 1013, reason: "held elsewhere" });
  assert.equal(gateway.placesTaken, 0);
  assert.deepEqual(gateway.edge.told, ["established", "closed 1006"]);
});

Deno.test("a client goes on at another gateway, which tells so, and the first one holds it no more", async () => {
  using world = await open();
  const { first, second, back } = world;
  first.keep(ID, "missed");
  const client = await second.connect(back);
  assert.deepEqual(client.got, ["resumed", "1 missed"]);
  assert.deepEqual(second.edge.told, ["resumed"]);
  assert.equal(toOwner(second), "G2");
  hearMoved(first, second);
  await turn();
  assert.equal(first.held.size, 0);
  assert.equal(first.placesTaken, 0);
  await first.edge.pass(2 * WINDOW_MS);
  assert.deepEqual(first.edge.told, ["established"], "the end is not its to tell");
  client.leave({ code: 1000, reason: "done" });
  await turn();
  assert.deepEqual(second.edge.told, ["resumed", "closed 1000 done"]);
});

Deno.test("it goes on elsewhere while the first gateway still has its socket", async (t) => {
  const ways: [name: string, learn: (first: Gateway, second: Gateway) => void | Promise<void>][] = [
    ["and is told so", hearMoved],
    ["and looks whether it still holds it", ({ resumables }) => resumables.verify()],
  ];
  for (const [name, learn] of ways) {
    await t.step(name, async () => {
      using world = await open({ isAway: false });
      const { first, second, client, back } = world;
      const again = await second.connect(back);
      await learn(first, second);
      await turn();
      assert.deepEqual(client.closed, ["1008 resumed elsewhere"]);
      assert.equal(first.held.size, 0);
      client.leave();
      await turn();
      assert.equal(first.placesTaken, 0);
      assert.deepEqual(first.edge.told, ["established"]);
      assert.deepEqual(again.got, ["resumed"]);
      assert.equal(toOwner(first), "G2");
    });
  }
  await t.step("and its socket ends before it knows: the end is not told", async () => {
    using world = await open({ isAway: false });
    const { first, second, client, back } = world;
    await second.connect(back);
    client.leave({ code: 1000, reason: "done" });
    await turn();
    assert.deepEqual([first.edge.told, second.edge.told], [["established"], ["resumed"]]);
    assert.equal(first.held.size, 0);
    assert.equal(toOwner(first), "G2");
  });
});

Deno.test("who comes back before its gateway has heard of its leaving goes on there, and stays", async () => {
  using world = await open();
  const { first, second, back } = world;
  const away = await second.connect(back);
  away.leave();
  await turn();
  const again = await first.connect(back);
  await turn();
  hearMoved(first, second);
  assert.equal(toOwner(first), "G1");
  assert.ok(first.resumables.find(ID)?.hasClient);
  assert.deepEqual(again.closed, []);
  assert.deepEqual([...first.held].map(({ id }) => id), [ID]);
  assert.deepEqual(first.edge.told, ["established", "resumed"]);
  hearMoved(second, first);
  await turn();
  assert.equal(second.held.size, 0);
});

Deno.test("of two that come back at once to two gateways the last one keeps it", async () => {
  using world = await open();
  const { first, second, back } = world;
  using third = await Gateway.open({ id: "G3", beside: first });
  // Both have read the record before either writes.
  second.edge.records.plan = (operation) => operation === "replace" ? "late" : "answered";
  third.edge.records.plan = (operation) => operation === "replace" ? "late" : "answered";
  const both = [second.connect(back), third.connect(back)];
  await turn();
  second.edge.records.plan = third.edge.records.plan = () => "answered";
  second.edge.records.arrive();
  third.edge.records.arrive();
  const clients = await Promise.all(both);
  hearMoved(second, third);
  await turn();
  assert.equal(toOwner(first), "G3");
  assert.deepEqual(clients.map(({ got }) => got), [["resumed"], ["resumed"]]);
  assert.deepEqual(clients.map(({ closed }) => closed), [["1008 resumed elsewhere"], []]);
  assert.deepEqual([second.held.size, third.held.size], [0, 1]);
});

Deno.test("of two that come back at once to another gateway the last one keeps it", async () => {
  using world = await open();
  const { second, back } = world;
  // The first one has it, and does not know yet.
  second.edge.records.plan = (operation) => operation === "replace" ? "answeredLate" : "answered";
  const first = second.connect(back);
  await turn();
  second.edge.records.plan = () => "answered";
  const last = await second.connect(back);
  second.edge.records.arrive();
  const client = await first;
  await turn();
  assert.deepEqual([client.closed, last.closed], [["1013 held elsewhere"], []]);
  client.leave({ code: 1013, reason: "held elsewhere" });
  assert.ok(second.resumables.find(ID)?.hasClient);
  assert.equal(second.held.size, 1);
  assert.equal(second.placesTaken, 1);
});

Deno.test("a record that changes hands all the time is no new connection", async () => {
  using world = await open();
  const { second, back } = world;
  const { records } = second.edge;
  records.plan = (operation, key) => {
    const stored = records.bucket.get(key);
    if (operation === "replace" && stored !== undefined) {
      records.bucket.set(key, { ...stored, revision: stored.revision + 1 });
    }
    return "answered";
  };
  await assert.rejects(second.connect(back), /The connection changes hands; try again/);
  assert.equal(second.placesTaken, 0);
  assert.equal(second.held.size, 0);
});

Deno.test("a token is worth nothing to somebody else: what it asked for is a gap", async () => {
  using world = await open();
  const { first, second, back } = world;
  const other = await second.connect({ ...back, subject: "bob" });
  assert.deepEqual(other.got, ["new", "gap 1-"]);
  const forged = `${ID}.${"s".repeat(43)}`;
  assert.deepEqual((await second.connect({ ...back, token: forged })).got, ["new", "gap 1-"]);
  assert.deepEqual((await second.connect({ token: "x", lastSeq: 0 })).got, ["new", "gap 1-"]);
  assert.deepEqual([...first.held].map(({ id }) => id), [ID]);
});

Deno.test("a record that this version cannot read concerns nobody else", async (t) => {
  const foreign: readonly string[] = ["{}", "", "[]", '{"owner":"G1","route":{"mode":"shout"}}'];
  for (const text of foreign) {
    await t.step(`${text}: its client gets a new connection, and hears of the gap`, async () => {
      using world = await open();
      await world.second.edge.records.put(KEY, new TextEncoder().encode(text));
      const client = await world.second.connect(world.back);
      assert.deepEqual(client.got, ["new", "gap 1-"]);
    });
    await t.step(`${text}: what else a lost gateway held is taken`, async () => {
      using world = await open({ isAway: false });
      await world.second.edge.records.put("resume.G1-0", new TextEncoder().encode(text));
      assert.deepEqual(await world.second.resumables.takeover.owners(), ["G1"]);
      assert.equal(await world.second.resumables.takeover.adopt("G1"), 1);
    });
  }
});

Deno.test("nobody is let in while JetStream is away", async (t) => {
  const ways: [name: string, lose: (gateway: Gateway) => void][] = [
    ["without its stream", ({ stream }) => stream.isReady = false],
    ["without its bucket", ({ edge }) => edge.records.plan = () => "fails"],
  ];
  for (const [name, lose] of ways) {
    await t.step(name, async () => {
      using world = await open();
      lose(world.second);
      await assert.rejects(world.second.connect(world.back), /Resuming needs JetStream/);
      assert.equal(world.second.placesTaken, 0);
    });
  }
});

Deno.test("no place is left for it elsewhere: nobody takes it over", async () => {
  using world = await open();
  const { first, back } = world;
  using full = await Gateway.open({ id: "G3", beside: first, config: { maxConnections: 1 } });
  await full.connect();
  await assert.rejects(full.connect(back), /All connections are taken/);
  assert.equal(toOwner(first), "G1");
  assert.equal(full.placesTaken, 1);
});

Deno.test("a connection outlives its gateway", async (t) => {
  /** G1 dies: it says nothing more, and its record stays. */
  const adopt = async ({ second }: { second: Gateway }) => {
    const adopted = await second.resumables.takeover.adopt("G1");
    await turn();
    return adopted;
  };

  await t.step("and its client comes back to the one that holds it now", async () => {
    using world = await open({ isAway: false });
    const { first, second, back } = world;
    assert.equal(await adopt(world), 1);
    assert.ok(first.edge.records.bucket.has("lost.G1"), "the dead one is to know");
    assert.deepEqual(second.edge.told, ["resumed"]);
    first.keep(ID, "missed");
    const client = await second.connect(back);
    assert.deepEqual(client.got, ["resumed", "1 missed"]);
    assert.equal(second.placesTaken, 1);
  });

  await t.step("and its client does not come back: told once, by whoever holds it", async () => {
    using world = await open({ isAway: false });
    using third = await Gateway.open({ id: "G3", beside: world.first });
    assert.deepEqual(await Promise.all([adopt(world), third.resumables.takeover.adopt("G1")]), [
      1,
      0,
    ]);
    await world.second.edge.pass(WINDOW_MS);
    await third.edge.pass(WINDOW_MS);
    assert.deepEqual(world.second.edge.told, ["resumed", "closed 1006 gateway lost"]);
    assert.deepEqual(third.edge.told, []);
  });

  await t.step("that died between writing the end and telling it: told as it was", async () => {
    using world = await open({ isAway: false });
    const { first, second, client } = world;
    // The answer is lost, and the gateway with it.
    first.edge.records.plan = (operation) => operation === "replace" ? "unanswered" : "fails";
    client.leave({ code: 4000, reason: "bye" });
    await turn();
    first.resumables[Symbol.dispose]();
    first.records[Symbol.dispose]();
    assert.deepEqual(first.edge.told, ["established"]);
    assert.equal(await adopt(world), 1);
    await second.edge.pass(0);
    assert.deepEqual(second.edge.told, ["resumed", "closed 4000 bye"]);
    assert.equal(second.edge.records.read(KEY), undefined);
  });

  await t.step(
    "that comes back to life: it closes what it holds no more, and tells nothing",
    async () => {
      using world = await open({ isAway: false });
      const { first, client } = world;
      await adopt(world);
      await first.records.resync();
      await turn();
      assert.deepEqual(client.closed, ["1008 resumed elsewhere"]);
      client.leave();
      await turn();
      assert.deepEqual(first.edge.told, ["established"]);
      assert.equal(toOwner(first), "G2");
    },
  );
});

Deno.test("an older gateway that leaves its client's end unwritten does not lose a newer one's", async () => {
  using world = await open({ isAway: false });
  const { first, second, client, back } = world;
  first.edge.records.plan = (operation) => operation === "replace" ? "late" : "answered";
  client.leave();
  await turn();
  const again = await second.connect(back);
  first.edge.records.plan = () => "answered";
  first.edge.records.arrive();
  await turn();
  assert.equal(toOwner(first), "G2");
  assert.equal(first.held.size, 0);
  assert.deepEqual(again.closed, []);
});

Deno.test("a gateway that drains leaves its connections to others", async (t) => {
  const toRecord = (gateway: Gateway) =>
    parseResumeRecord(gateway.edge.records.bucket.get(KEY)!.value);
  const drained: [name: string, isAway: boolean][] = [["without a client", true], [
    "with one",
    false,
  ]];
  for (const [name, isAway] of drained) {
    await t.step(name, async () => {
      using world = await open({ isAway });
      const { first, second, client, back } = world;
      first.resumables.leave();
      if (!isAway) client.leave({ code: 1001, reason: "gateway is draining" });
      await turn();
      assert.equal(first.held.size, 0);
      assert.ok((toRecord(first).detached?.at ?? 0) > Date.now());
      assert.deepEqual((await second.connect(back)).got, ["resumed"]);
      assert.deepEqual(first.edge.told, ["established"]);
    });
  }

  await t.step("not before it is written that the client is away", async () => {
    using world = await open({ isAway: false });
    const { first, client } = world;
    first.resumables.leave();
    first.edge.records.plan = () => "late";
    client.leave();
    await turn();
    assert.equal(first.held.size, 1);
    first.edge.records.plan = () => "answered";
    first.edge.records.arrive();
    await turn();
    assert.equal(first.held.size, 0);
    assert.notEqual(toRecord(first).detached, undefined);
  });

  await t.step("and closes a client that comes meanwhile, and adopts nothing", async () => {
    using world = await open();
    world.second.resumables.leave();
    const client: FakeClient = await world.second.connect();
    assert.deepEqual(client.closed, ["1001 gateway is draining"]);
    assert.equal(await world.second.resumables.takeover.adopt("G1"), 0);
  });
});

Deno.test("a gateway that gives up closes its clients, and leaves their end to others", async () => {
  using world = await open({ isAway: false });
  const { first, client } = world;
  first.records.giveUp();
  first.resumables.giveUp();
  await turn();
  assert.deepEqual(client.closed, ["1008 resumed elsewhere"]);
  assert.equal(first.held.size, 0);
  assert.deepEqual(first.edge.told, ["established"]);
  assert.equal(toOwner(first), "G1");
});

Deno.test("the gateways that hold connections are known from their records", async () => {
  using world = await open();
  const { first } = world;
  const record = parseResumeRecord(first.edge.records.bucket.get(KEY)!.value);
  await first.edge.records.put("resume.G9-1", encodeResumeRecord({ ...record, owner: "G9" }));
  assert.deepEqual((await first.resumables.takeover.owners()).toSorted(), ["G1", "G9"]);
});
