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
