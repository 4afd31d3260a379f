/**
 * What a client makes of a gateway, a proxy or a server of other software that does not do what it should.
 *
 * @module
 */
import assert from "node:assert/strict";
import { SendError } from "../../lib/client/mod.ts";
import { thisPlatform } from "../../lib/client/platform.ts";
import { addGap, type Gap } from "../../lib/client/position.ts";
import { afterTurn } from "../../lib/time/turn.ts";
import { FakeWorld } from "./fake_platform.ts";

const BOTH = "h8s.ack-resume.v1";

/** What became of a promise so far. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  const { promise: pending, resolve } = Promise.withResolvers<unknown>();
  afterTurn(() => resolve("pending"));
  try {
    return await Promise.race([promise, pending]);
  } catch (error) {
    return error instanceof SendError ? error.code : error;
  }
}

Deno.test("an acknowledgement of what was never sent says nothing", async () => {
  const world = new FakeWorld();
  const client = world.connect({ maxInFlight: 1 });
  const socket = (await world.socket(1)).open(BOTH);
  const [first, second] = [client.send("a"), client.send("b")];
  for (const id of [2, 7, 2 ** 53 - 1]) socket.say({ ack: id, seq: 1 });
  assert.equal(await outcome(second), "pending");
  for (const id of [1, 1, 2, 2, 1]) socket.say({ ack: id, seq: id });
  assert.deepEqual(await Promise.all([first, second]), [1, 2]);
  assert.equal(socket.sent.length, 2);
});

Deno.test("nobody waits for ever for an acknowledgement", async (t) => {
  await t.step("of a gateway that says nothing of it", async () => {
    const world = new FakeWorld();
    const client = world.connect({ pingMs: 0, maxInFlight: 1 });
    const socket = (await world.socket(1)).open(BOTH);
    const [first, second] = [client.send("a"), client.send("b")];
    world.clock.advance(109_999);
    assert.equal(await outcome(first), "pending");
    world.clock.advance(1);
    assert.deepEqual([await outcome(first), await outcome(second)], ["unknown", "pending"]);
    assert.equal(socket.sent.length, 2);
    world.clock.advance(110_000);
    assert.equal(await outcome(second), "unknown");
    assert.equal(client.held, 0);
    void client.close();
  });
  await t.step("while there is no connection", async () => {
    const world = new FakeWorld();
    const client = world.connect({ pingMs: 0, maxRetryMs: 1e9, retryMs: 1e9 });
    const socket = (await world.socket(1)).open(BOTH);
    const sent = client.send("a");
    world.clock.advance(50_000);
    const later = client.send("b");
    socket.lose(1006);
    const unsent = client.send("c");
    world.clock.advance(60_000);
    const outcomes = [await outcome(sent), await outcome(later), await outcome(unsent)];
    assert.deepEqual(outcomes, ["unknown", "pending", "pending"]);
    world.clock.advance(50_000);
    assert.deepEqual([await outcome(later), await outcome(unsent)], ["unknown", "pending"]);
    void unsent.catch(() => {});
    void client.close();
  });
  await t.step("unless it wants to", async () => {
    const world = new FakeWorld();
    const client = world.connect({ pingMs: 0, resendMs: Infinity });
    const socket = (await world.socket(1)).open(BOTH);
    const sent = client.send("a");
    world.clock.advance(1e9);
    socket.say({ ack: 1, seq: 1 });
    assert.equal(await sent, 1);
  });
});

Deno.test("what is sent while the socket closes waits for the next one", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const first = (await world.socket(1)).open("h8s.plain.v1");
  first.readyState = 2;
  const sent = client.send("late");
  assert.equal(await outcome(sent), "pending");
  first.lose(1012);
  world.clock.advance(1000);
  const second = (await world.socket(2)).open("h8s.plain.v1");
  assert.equal(await sent, undefined);
  assert.deepEqual([first.sent, second.sent], [[], ["late"]]);
});

Deno.test("a signal that outlives many messages holds none of them", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const socket = (await world.socket(1)).open("h8s.plain.v1");
  let listeners = 0;
  class Counted extends AbortController {
    override signal = Object.assign(new EventTarget(), { aborted: false }) as AbortSignal;
  }
  const { signal } = new Counted();
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...about: Parameters<typeof addEventListener>) => {
    listeners++;
    addEventListener.apply(signal, about);
  };
  signal.removeEventListener = (...about: Parameters<typeof removeEventListener>) => {
    listeners--;
    removeEventListener.apply(signal, about);
  };
  for (let count = 0; count < 10; count++) await client.send("x", { signal });
  assert.equal(socket.sent.length, 10);
  assert.equal(listeners, 0);
});

Deno.test("a server that does not pick what must be is no connection", async (t) => {
  const table: [picked: string, options: object, isOpen: boolean][] = [
    ["", {}, true],
    ["", { ack: true }, false],
    ["", { resume: true }, false],
    ["", { ack: false }, true],
    ["h8s.plain.v1", { ack: true }, false],
    ["chat", {}, false],
    ["bearer.T", { token: () => "T" }, false],
    ["chat", { protocols: ["chat"] }, true],
    ["", { protocols: ["chat"] }, true],
    ["h8s.ack.v1", { protocols: ["chat"] }, false],
  ];
  for (const [picked, options, isOpen] of table) {
    await t.step(`${picked || "nothing"} of ${JSON.stringify(options)}`, async () => {
      const world = new FakeWorld();
      const client = world.connect(options);
      const socket = (await world.socket(1)).open(picked);
      assert.equal(client.state.name, isOpen ? "open" : "waiting");
      assert.equal(socket.closedWith, isOpen ? undefined : 4499);
      void client.close();
    });
  }
});

Deno.test("close() with a code that a client may not say ends nothing, and a long reason is cut", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const socket = (await world.socket(1)).open(BOTH);
  for (const code of [1001, 1006, 999, 5000, NaN]) {
    await assert.rejects(client.close(code), RangeError);
  }
  assert.equal(client.state.name, "open");
  assert.equal(socket.closedWith, undefined);
  const closed = client.close(4000, "ä".repeat(100));
  assert.equal(socket.closedWith, 4000);
  assert.equal(new TextEncoder().encode(socket.closedFor).length, 122);
  socket.lose(4000);
  await closed;
});

Deno.test("what `advise` throws is its own affair", async () => {
  const world = new FakeWorld();
  const thrown = Promise.withResolvers<unknown>();
  const onError = (event: ErrorEvent) => {
    event.preventDefault();
    thrown.resolve(event.error);
  };
  addEventListener("error", onError, { once: true });
  const error = new Error("no advice");
  const client = world.connect({
    advise: () => {
      throw error;
    },
  });
  (await world.socket(1)).open(BOTH).lose(1012);
  assert.equal(client.state.name, "waiting");
  assert.equal(await thrown.promise, error);
  void client.close();
});

Deno.test("a connection that begins anew is told, whether or not the gateway can still say so", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const gaps: Gap[] = [];
  client.on("gap", (gap) => gaps.push(gap));
  const first = (await world.socket(1)).open("h8s.resume.v1");
  first.say({ resume: { token: "T", seq: 4, isNew: true } });
  first.say({ seq: 6, data: "six" });
  first.lose(1006);
  world.clock.advance(1000);
  const second = (await world.socket(2)).open("h8s.resume.v1");
  second.say({ resume: { token: "U", seq: 9, isNew: true } });
  second.lose(1006);
  assert.deepEqual(gaps, [{ cause: "lost", from: 7 }]);
  void client.close();
});

Deno.test("a mark that goes back brings nothing twice", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const seen: unknown[] = [];
  client.on("message", ({ data }) => seen.push(data));
  const socket = (await world.socket(1)).open("h8s.resume.v1");
  socket.say({ resume: { token: "T", seq: 0, isNew: true } });
  for (const seq of [1, 2, 3]) socket.say({ seq, data: String(seq) });
  socket.say({ mark: 1 });
  for (const seq of [2, 3, 4]) socket.say({ seq, data: String(seq) });
  assert.deepEqual(seen, ["1", "2", "3", "4"]);
  void client.close();
});

Deno.test("addGap() keeps one gap of a cause, however many there are", () => {
  const all: Gap[] = [
    { cause: "not_kept" },
    { cause: "lost", from: 8, to: 12 },
    { cause: "not_kept" },
    { cause: "lost", from: 14, to: 15 },
    { cause: "lost", from: 3, to: 4 },
  ];
  const gaps = all.reduce(addGap, [] as Gap[]);
  assert.deepEqual(gaps, [{ cause: "not_kept" }, { cause: "lost", from: 3, to: 15 }]);
  assert.deepEqual(addGap(gaps, { cause: "lost", from: 1 })[1], { cause: "lost", from: 1 });
});

Deno.test("a wait without an end is none that is over at once", async () => {
  const { after } = thisPlatform();
  let isOver = false;
  const cancel = after(Infinity, () => isOver = true);
  await new Promise<void>((resolve) => after(5, resolve));
  cancel();
  assert.equal(isOver, false);
});
