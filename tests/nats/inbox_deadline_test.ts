import assert from "node:assert/strict";
import { Inbox, type Receiver, type Slot } from "../../lib/nats/inbox.ts";
import { FakeBus } from "./fake_bus.ts";

const FAR_AWAY_MS = 60_000;

Deno.test("a receiver is told that its deadline has passed, not before", async () => {
  using inbox = new Inbox(new FakeBus(), "gw1");
  const { slot, passed } = openWithDeadline(inbox);
  const begun = performance.now();
  slot.setDeadline(150);
  await passed;
  assert.ok(performance.now() - begun >= 150);
});

Deno.test("a deadline passes once, until it is set again", async () => {
  using inbox = new Inbox(new FakeBus(), "gw1");
  let count = 0;
  const slot = inbox.open({ onMessage: () => {}, onDeadline: () => count++ });
  slot.setDeadline(1);
  await twoSweeps(inbox);
  assert.equal(count, 1);
  await twoSweeps(inbox);
  assert.equal(count, 1);
  slot.setDeadline(1);
  await twoSweeps(inbox);
  assert.equal(count, 2);
});

Deno.test("a deadline that is set again counts from then", async () => {
  using inbox = new Inbox(new FakeBus(), "gw1");
  let isPassed = false;
  const slot = inbox.open({ onMessage: () => {}, onDeadline: () => isPassed = true });
  slot.setDeadline(1);
  slot.setDeadline(FAR_AWAY_MS);
  await twoSweeps(inbox);
  assert.equal(isPassed, false);
});

Deno.test("a slot without a deadline has none, and one that was released neither", async () => {
  using inbox = new Inbox(new FakeBus(), "gw1");
  let isPassed = false;
  const receiver: Receiver = { onMessage: () => {}, onDeadline: () => isPassed = true };
  inbox.open(receiver);
  const released = inbox.open(receiver);
  released.setDeadline(1);
  released.release();
  released.setDeadline(1);
  await twoSweeps(inbox);
  assert.equal(isPassed, false);
});

Deno.test("the deadline of a slot that was given away again is not the next one's", async () => {
  using inbox = new Inbox(new FakeBus(), "gw1");
  let isPassed = false;
  const old = inbox.open({ onMessage: () => {} });
  old.setDeadline(1);
  old.release();
  inbox.open({ onMessage: () => {}, onDeadline: () => isPassed = true });
  old.setDeadline(1);
  await twoSweeps(inbox);
  assert.equal(isPassed, false);
});

Deno.test("a slot stays after its deadline until it is released", async () => {
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "gw1");
  let messages = 0;
  const passed = Promise.withResolvers<void>();
  const slot = inbox.open({ onMessage: () => messages++, onDeadline: () => passed.resolve() });
  slot.setDeadline(1);
  await passed.promise;
  bus.deliver(slot.subject);
  assert.equal(messages, 1);
});

Deno.test("one of a thousand deadlines passes, the others do not", async () => {
  using inbox = new Inbox(new FakeBus(), "gw1");
  const passed: number[] = [];
  const slots = Array.from(
    { length: 1000 },
    (_, index) => inbox.open({ onMessage: () => {}, onDeadline: () => passed.push(index) }),
  );
  for (const slot of slots) slot.setDeadline(FAR_AWAY_MS);
  slots[500]?.setDeadline(1);
  await twoSweeps(inbox);
  assert.deepEqual(passed, [500]);
});

Deno.test("a receiver is told once that it has been waiting, if it still is", async () => {
  using inbox = new Inbox(new FakeBus(), "gw1");
  let waiting = 0;
  let released = 0;
  inbox.open({ onMessage: () => {}, onWaiting: () => waiting++ });
  inbox.open({ onMessage: () => {}, onWaiting: () => released++ }).release();
  await twoSweeps(inbox);
  await twoSweeps(inbox);
  assert.deepEqual([waiting, released], [1, 0]);
});

function openWithDeadline(inbox: Inbox): { slot: Slot; passed: Promise<void> } {
  const { promise: passed, resolve } = Promise.withResolvers<void>();
  return { slot: inbox.open({ onMessage: () => {}, onDeadline: resolve }), passed };
}

/** The sweep that finds a slot for the first time says so: two of them in a row are two sweeps. */
async function twoSweeps(inbox: Inbox): Promise<void> {
  for (let sweep = 0; sweep < 2; sweep++) {
    const { promise, resolve } = Promise.withResolvers<void>();
    const slot = inbox.open({ onMessage: () => {}, onWaiting: resolve });
    await promise;
    slot.release();
  }
}
