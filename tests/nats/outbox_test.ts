import assert from "node:assert/strict";
import fc from "fast-check";
import { Outbox } from "../../lib/nats/outbox.ts";
import { FakeBus } from "./fake_bus.ts";

const EMPTY = new Uint8Array();

Deno.test("publish() passes a message on as it is while NATS is connected", () => {
  const bus = new FakeBus();
  using outbox = new Outbox(bus);
  const message = {
    subject: "a.b",
    data: Uint8Array.of(1, 2),
    options: { reply: "c", headers: Uint8Array.of(3) },
  };
  assert.equal(outbox.publish(message.subject, message.data, message.options), true);
  assert.equal(outbox.publish("bare", EMPTY), true);
  assert.deepEqual(bus.published, [message, { subject: "bare", data: EMPTY, options: {} }]);
  assert.equal(outbox.size, 0);
});

Deno.test("publish() holds messages while NATS is away, and releases them in order", async (t) => {
  for (const state of ["connecting", "disconnected"] as const) {
    await t.step(state, () => {
      const bus = new FakeBus(state);
      using outbox = new Outbox(bus);
      const options = { reply: "r", headers: Uint8Array.of(1) };
      for (const subject of ["1", "2", "3"]) {
        assert.equal(outbox.publish(subject, Uint8Array.of(7), options), false);
      }
      assert.deepEqual([outbox.size, bus.published], [3, []]);
      bus.setState("connected");
      assert.equal(outbox.size, 0);
      const expected = ["1", "2", "3"].map((subject) => ({
        subject,
        data: Uint8Array.of(7),
        options,
      }));
      assert.deepEqual(bus.published, expected);
      assert.equal(outbox.publish("4", EMPTY), true);
      assert.deepEqual(subjects(bus), ["1", "2", "3", "4"]);
    });
  }
});

Deno.test("publish() lets no message overtake one that is held", () => {
  const bus = new FakeBus("disconnected");
  using outbox = new Outbox(bus);
  outbox.publish("1", EMPTY);
  // Another listener hears first that NATS is back, and publishes.
  bus.setStateInSilence("connected");
  assert.equal(outbox.publish("2", EMPTY), false);
  assert.deepEqual(subjects(bus), []);
  bus.setState("connected");
  assert.deepEqual(subjects(bus), ["1", "2"]);
});

Deno.test("Outbox holds the rest again, in order, when NATS is lost while it releases", () => {
  const bus = new FakeBus("disconnected");
  using outbox = new Outbox(bus);
  for (const subject of ["1", "2", "3", "4"]) outbox.publish(subject, EMPTY);
  bus.budget = 2;
  bus.setState("connected");
  assert.deepEqual([subjects(bus), outbox.size], [["1", "2"], 2]);
  bus.setState("disconnected");
  outbox.publish("5", EMPTY);
  bus.budget = 1;
  bus.setState("connected");
  assert.deepEqual([subjects(bus), outbox.size], [["1", "2", "3"], 2]);
  bus.budget = Number.POSITIVE_INFINITY;
  bus.setState("connected");
  assert.deepEqual([subjects(bus), outbox.size], [["1", "2", "3", "4", "5"], 0]);
});

Deno.test("Outbox loses nothing, doubles nothing and keeps the order, whatever NATS does", () => {
  const operation = fc.oneof(
    { weight: 3, arbitrary: fc.constant("publish" as const) },
    { weight: 1, arbitrary: fc.constantFrom("connected" as const, "disconnected" as const) },
    { weight: 1, arbitrary: fc.nat(4) },
  );
  fc.assert(fc.property(fc.array(operation, { maxLength: 60 }), (operations) => {
    const bus = new FakeBus("connecting");
    using outbox = new Outbox(bus);
    let count = 0;
    for (const next of operations) {
      if (next === "publish") outbox.publish(String(count++), EMPTY);
      else if (typeof next === "number") bus.budget = next;
      else bus.setState(next);
      assert.equal(bus.published.length + outbox.size, count);
    }
    bus.budget = Number.POSITIVE_INFINITY;
    bus.setState("connected");
    assert.deepEqual(subjects(bus), Array.from({ length: count }, (_, index) => String(index)));
    assert.equal(outbox.size, 0);
  }));
});

Deno.test("Outbox loses no other message with one that can never be published", () => {
  // E.g. a server that comes back with a smaller max_payload: the NATS client throws then.
  const bus = new FakeBus("disconnected");
  using outbox = new Outbox(bus);
  for (const subject of ["1", "too large", "2", "3"]) outbox.publish(subject, EMPTY);
  bus.isRefused = (subject) => subject === "too large";
  bus.setState("connected");
  bus.setState("connected");
  assert.deepEqual(subjects(bus), ["1", "2", "3"]);
  assert.equal(outbox.size, 0);
});

Deno.test("publish() tells whoever cares that a message can never be published, and does not throw", () => {
  const bus = new FakeBus("disconnected");
  const told: string[] = [];
  using outbox = new Outbox(bus, () => told.push("nobody's"));
  bus.isRefused = (subject) => subject !== "small";
  const publish = (subject: string) =>
    outbox.publish(subject, EMPTY, { onRefused: () => told.push(subject) });
  publish("held");
  outbox.publish("also held", EMPTY);
  bus.setState("connected");
  publish("at once");
  publish("small");
  assert.deepEqual(told, ["held", "nobody's", "at once"]);
  assert.deepEqual(subjects(bus), ["small"]);
});

Deno.test("tell() publishes again, before all else, what the server may not have read", async () => {
  const bus = new FakeBus();
  bus.holdsAnswers = true;
  using outbox = new Outbox(bus);
  outbox.tell("1", EMPTY, { reply: "r" });
  outbox.publish("said once", EMPTY);
  outbox.tell("2", EMPTY);
  await turn();
  bus.answer();
  await turn();
  outbox.tell("3", EMPTY, { reply: "r" });
  outbox.publish("said once", EMPTY);
  outbox.tell("4", EMPTY);
  await turn();
  bus.setState("disconnected");
  outbox.tell("5", EMPTY);
  bus.published.length = 0;
  bus.setState("connected");
  assert.deepEqual(subjects(bus), ["3", "4", "5"]);
  assert.deepEqual(bus.published[0]!.options, { reply: "r" });
  await turn();
  bus.answer();
  await turn();
  bus.published.length = 0;
  bus.setState("disconnected");
  bus.setState("connected");
  assert.deepEqual(subjects(bus), []);
});

Deno.test("tell() asks one question for many", async () => {
  const bus = new FakeBus();
  bus.holdsAnswers = true;
  let questions = 0;
  const flush = bus.flush.bind(bus);
  bus.flush = () => {
    questions++;
    return flush();
  };
  using outbox = new Outbox(bus);
  for (let round = 1; round <= 3; round++) {
    for (let index = 0; index < 100; index++) outbox.tell(String(index), EMPTY);
    await turn();
    assert.equal(questions, round);
    bus.answer();
    await turn();
  }
});

Deno.test("what a question of an earlier connection is answered says nothing of this one", async () => {
  const bus = new FakeBus();
  let answer = () => {};
  bus.flush = () => new Promise((resolve) => answer = resolve);
  using outbox = new Outbox(bus);
  outbox.tell("1", EMPTY);
  await turn();
  const early = answer;
  bus.setState("disconnected");
  bus.setState("connected");
  early();
  await turn();
  bus.published.length = 0;
  bus.setState("disconnected");
  bus.setState("connected");
  assert.deepEqual(subjects(bus), ["1"]);
});

Deno.test("what is told reaches NATS at least once, in order, whatever happens to the connection", async () => {
  const operation = fc.constantFrom("tell", "answer", "lose", "return", "turn" as const);
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 60 }), async (operations) => {
      const bus = new FakeBus();
      bus.holdsAnswers = true;
      using outbox = new Outbox(bus);
      // What the server has read for certain, and what is lost with the connection.
      let read: string[] = [];
      const lose = () => bus.published.length = 0;
      let count = 0;
      for (const next of [...operations, "return", "turn", "answer", "turn"]) {
        if (next === "tell") outbox.tell(String(count++), EMPTY);
        else if (next === "turn") await turn();
        else if (next === "answer") {
          read = [...read, ...subjects(bus)];
          lose();
          bus.answer();
          await turn();
        } else if (next === "lose") {
          lose();
          bus.setState("disconnected");
        } else {
          lose();
          bus.setState("disconnected");
          bus.setState("connected");
        }
      }
      read.push(...subjects(bus));
      const firsts = [...new Set(read)];
      assert.deepEqual(firsts, Array.from({ length: count }, (_, index) => String(index)));
    }),
    { numRuns: 40 },
  );
});

Deno.test("a disposed outbox forgets what it held, and hears nothing any more", () => {
  const bus = new FakeBus("disconnected");
  const outbox = new Outbox(bus);
  outbox.publish("1", EMPTY);
  outbox[Symbol.dispose]();
  assert.deepEqual([outbox.size, bus.listeners.size], [0, 0]);
  bus.setState("connected");
  assert.deepEqual(bus.published, []);
});

function subjects(bus: FakeBus): string[] {
  return bus.published.map(({ subject }) => subject);
}

/** Lets all that waits for nothing else go on. */
function turn(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve));
}
