import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type AbortReason,
  Inbox,
  type InboxWatcher,
  type Receiver,
  type Slot,
} from "../../lib/nats/inbox.ts";
import type { BusMessage } from "../../lib/nats/bus.ts";
import { FakeBus } from "./fake_bus.ts";

const FAR_AWAY_MS = 60_000;

Deno.test("Inbox makes do with one subscription, whatever is opened", () => {
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "gw1");
  for (let index = 0; index < 100; index++) inbox.open(collect().receiver);
  assert.deepEqual([...bus.subscriptions].map(({ subject }) => subject), ["_INBOX.h8s.gw1.*"]);
});

Deno.test("a message to a slot's subject reaches its receiver and no other", () => {
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "gw1");
  const all = Array.from({ length: 1000 }, () => {
    const { receiver, texts } = collect();
    return { slot: inbox.open(receiver), texts };
  });
  for (const [index, { slot }] of all.entries()) {
    assert.match(slot.id, /^[\w-]+$/);
    assert.equal(slot.subject, `_INBOX.h8s.gw1.${slot.id}`);
    bus.deliver(slot.subject, String(index));
  }
  for (const [index, { texts }] of all.entries()) assert.deepEqual(texts, [String(index)]);
  assert.equal(new Set(all.map(({ slot }) => slot.id)).size, 1000);
});

Deno.test("a slot gets all its messages in order until it is released", () => {
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "gw1");
  const { receiver, texts } = collect();
  const slot = inbox.open(receiver);
  for (const text of ["1", "2", "3"]) bus.deliver(slot.subject, text);
  slot.release();
  bus.deliver(slot.subject, "late");
  assert.deepEqual(texts, ["1", "2", "3"]);
});

Deno.test("a receiver keeps the messages that it gets, unless it borrows them", () => {
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "gw1");
  const all: BusMessage[] = [];
  const onMessage = (message: BusMessage) => all.push(message);
  const [keeper, borrower] = [inbox.open({ onMessage }), inbox.open({ onMessage, borrows: true })];
  for (const { subject } of [keeper, borrower]) bus.deliver(subject, "a");
  assert.deepEqual(all.map(({ data }) => [...data]), [[0x61], [0xff]]);
});

Deno.test("the acknowledgement of a stream reaches only who waits for it", () => {
  const bus = new FakeBus();
  const told: string[] = [];
  const watcher: InboxWatcher = {
    ack: (stream) => told.push(`ack of ${stream}`),
    unclaimed: ({ subject }) => told.push(`unclaimed ${subject}`),
  };
  using inbox = new Inbox(bus, "gw1", { watcher });
  const [request, store] = [collect(), collect()];
  const slots = [
    inbox.open(request.receiver),
    inbox.open({ ...store.receiver, takesAcks: true }),
  ];
  const ack = '{"stream":"AUDIT","seq":7}';
  for (const { subject } of slots) bus.deliver(subject, ack);
  assert.deepEqual([request.texts, store.texts], [[], [ack]]);
  slots[0]!.release();
  bus.deliver(slots[0]!.subject, "late");
  assert.deepEqual(told, ["ack of AUDIT", `unclaimed ${slots[0]!.subject}`]);
});

Deno.test("a receiver may release its slot in the middle of a message", () => {
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "gw1");
  let count = 0;
  const slot: Slot = inbox.open({
    onMessage() {
      count++;
      slot.release();
    },
  });
  for (let index = 0; index < 3; index++) bus.deliver(slot.subject);
  assert.equal(count, 1);
});

Deno.test("a late message to a slot that was given away again reaches nobody", () => {
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "gw1");
  const old: string[] = [];
  for (let generation = 0; generation < 100; generation++) {
    const { receiver, texts } = collect();
    const slot = inbox.open(receiver);
    for (const subject of old) bus.deliver(subject, "late");
    bus.deliver(slot.subject, "mine");
    assert.deepEqual(texts, ["mine"]);
    assert.ok(!old.includes(slot.subject));
    old.push(slot.subject);
    slot.release();
  }
});

Deno.test("a subject that was made up reaches nobody", async (t) => {
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "gw1");
  const { receiver, texts } = collect();
  const slots = Array.from({ length: 40 }, () => inbox.open(receiver));
  slots[3]?.release();
  const known = new Set(slots.map(({ id }) => id));
  const ids = ["", "0", "-", "0-", "-0", "00-0", "0-00", "0-0-0", "0-0 ", " 0-0", "+0-0", "0x0-0"];
  ids.push("13-1", "40-0", "zzzzzzzzzz-0", "1e1-0", "-1-0", "NaN", "__proto__", "length", "0-A");
  for (const id of ids) {
    await t.step(JSON.stringify(id), () => {
      bus.deliver(`_INBOX.h8s.gw1.${id}`, "made up");
      assert.deepEqual(texts, []);
    });
  }
  await t.step("whatever it is", () => {
    const pieces = fc.constantFrom("0", "1", "3", "a", "Z", "-", "+", " ", "_", "é");
    fc.assert(fc.property(fc.string({ unit: pieces, maxLength: 5 }), (id) => {
      if (known.has(id)) return;
      bus.deliver(`_INBOX.h8s.gw1.${id}`, id);
      assert.deepEqual(texts, []);
    }));
  });
});

Deno.test("release() twice is release() once", () => {
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "gw1");
  const first = inbox.open(collect().receiver);
  first.release();
  first.release();
  const [one, other] = [collect(), collect()];
  const slots = [inbox.open(one.receiver), inbox.open(other.receiver)];
  first.release();
  for (const { subject } of slots) bus.deliver(subject, subject);
  assert.deepEqual([...one.texts, ...other.texts], slots.map(({ subject }) => subject));
});

Deno.test("no two slots ever have the same id, however they come and go", () => {
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "gw1");
  const operations = fc.array(fc.oneof(fc.constant("open"), fc.nat(20)), { maxLength: 200 });
  const seen = new Set<string>();
  fc.assert(fc.property(operations, (list) => {
    const taken: { slot: Slot; texts: string[] }[] = [];
    for (const operation of list) {
      if (typeof operation === "number") {
        taken.splice(operation, 1)[0]?.slot.release();
        continue;
      }
      const { receiver, texts } = collect();
      const slot = inbox.open(receiver);
      assert.ok(!seen.has(slot.id), slot.id);
      seen.add(slot.id);
      taken.push({ slot, texts });
    }
    for (const { slot } of taken) bus.deliver(slot.subject, slot.id);
    for (const { slot, texts } of taken) {
      assert.deepEqual(texts, [slot.id]);
      slot.release();
    }
  }));
});

Deno.test("abort() tells every receiver why, once, and none whose slot was released", () => {
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "gw1");
  const all = Array.from({ length: 5 }, () => collect());
  const slots = all.map(({ receiver }) => inbox.open(receiver));
  inbox.open({ onMessage: () => {} });
  slots[2]?.release();
  inbox.abort("draining");
  const reasons = all.map(({ aborts }) => aborts);
  assert.deepEqual(reasons, [["draining"], ["draining"], [], ["draining"], ["draining"]]);
});

Deno.test("a receiver may release its slot when it is aborted, and others still hear of it", () => {
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "gw1");
  let told = 0;
  const open = () => {
    const slot: Slot = inbox.open({
      onMessage: () => {},
      onAbort() {
        told++;
        slot.release();
      },
    });
  };
  for (let index = 0; index < 10; index++) open();
  inbox.abort("draining");
  assert.equal(told, 10);
  inbox.abort("draining");
  assert.equal(told, 10);
});

Deno.test("receivers are aborted whenever NATS goes, not when it comes", async (t) => {
  for (const state of ["disconnected", "closed"] as const) {
    await t.step(state, () => {
      const bus = new FakeBus();
      using inbox = new Inbox(bus, "gw1");
      const { receiver, aborts } = collect();
      inbox.open(receiver);
      bus.setState("connected");
      assert.deepEqual(aborts, []);
      bus.setState(state);
      assert.deepEqual(aborts, ["nats_disconnected"]);
    });
  }
});

Deno.test("an aborted slot stays until it is released: a WebSocket's outlives the connection", () => {
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "gw1");
  const { receiver, texts, aborts } = collect();
  const slot = inbox.open(receiver);
  bus.setState("disconnected");
  bus.setState("connected");
  bus.deliver(slot.subject, "welcome back");
  assert.deepEqual([aborts, texts], [["nats_disconnected"], ["welcome back"]]);
});

Deno.test("a disposed inbox hears nothing any more", () => {
  const bus = new FakeBus();
  const inbox = new Inbox(bus, "gw1");
  const { receiver, texts, aborts } = collect();
  const slot = inbox.open(receiver);
  slot.setDeadline(FAR_AWAY_MS);
  inbox[Symbol.dispose]();
  assert.deepEqual([bus.subscriptions.size, bus.listeners.size], [0, 0]);
  bus.deliver(slot.subject, "late");
  bus.setState("disconnected");
  assert.deepEqual([texts, aborts], [[], []]);
});

function collect(): { receiver: Receiver; texts: string[]; aborts: AbortReason[] } {
  const texts: string[] = [];
  const aborts: AbortReason[] = [];
  const receiver: Receiver = {
    onMessage: ({ data }) => texts.push(new TextDecoder().decode(data)),
    onAbort: (reason) => aborts.push(reason),
  };
  return { receiver, texts, aborts };
}
