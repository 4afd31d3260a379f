import assert from "node:assert/strict";
import type { NatsConnection } from "@nats-io/nats-core";
import type { BusState } from "../../lib/nats/bus.ts";
import { Inbox } from "../../lib/nats/inbox.ts";
import { Interests } from "../../lib/nats/interest.ts";
import { Provision } from "../../lib/nats/jetstream/provision.ts";
import { StreamError } from "../../lib/nats/jetstream/stream.ts";
import { guarded } from "../../lib/time/clock.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { until } from "../harness/waiting.ts";
import { FakeBus } from "./fake_bus.ts";

const ODD = new Error("odd");

/** Time as the gateway has it: what is thrown arrives at one place. */
function setUp() {
  const fake = new FakeClock();
  const told: unknown[] = [];
  let isBroken = false;
  const clock = guarded({
    now() {
      if (isBroken) throw ODD;
      return fake.now();
    },
    after: (ms, callback) => fake.after(ms, callback),
  }, (error) => told.push(error));
  const breakFor = (ms: number) => {
    isBroken = true;
    fake.advance(ms);
    isBroken = false;
  };
  return { fake, clock, told, breakFor };
}

Deno.test("what a sweep of registrations throws is told, and the next one sweeps", async () => {
  const { fake, clock, told, breakFor } = setUp();
  const bus = new FakeBus();
  using interests = new Interests(bus, { prefix: "h8s", clock, onError: () => {} });
  const interest = JSON.stringify({ host: "e.com", path: "/", method: "GET" });
  bus.deliver("h8s.control.interest.register.com.e", interest);
  breakFor(5000);
  await until(() => told.length > 0, "it is told");
  assert.deepEqual([told, interests.size], [[ODD], 1]);
  fake.advance(70_000);
  assert.equal(interests.size, 0);
});

Deno.test("what a receiver throws at its deadline is told, and the others have theirs", async () => {
  const told: unknown[] = [];
  using inbox = new Inbox(new FakeBus(), "g", { onFault: (...fault) => told.push(fault) });
  const { promise, resolve } = Promise.withResolvers<void>();
  const onDeadline = () => {
    throw ODD;
  };
  inbox.open({ onMessage() {}, onDeadline }).setDeadline(1);
  inbox.open({ onMessage() {}, onDeadline: resolve }).setDeadline(1);
  await promise;
  assert.deepEqual(told, [["timer", ODD]]);
});

/** A session that is connected, as far as a provision looks at it. */
function provide(task: () => Promise<void>, onTrouble: (error: Error) => void) {
  const setup = setUp();
  const listeners = new Set<(state: BusState) => void>();
  const session = {
    state: "connected" as const,
    connection: {} as NatsConnection,
    onState(listener: (state: BusState) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
  };
  const provision = new Provision({ session, clock: setup.clock }, { task, onTrouble });
  const connect = () => {
    for (const listener of listeners) listener("connected");
    setup.fake.advance(0);
  };
  return { ...setup, provision, connect, listeners };
}

Deno.test("what cannot be seen to is tried again, also where who is told of it throws", async () => {
  let attempts = 0;
  const { provision, connect, told, fake } = provide(
    () => ++attempts < 3 ? Promise.reject(new Error("not yet")) : Promise.resolve(),
    () => {
      throw ODD;
    },
  );
  using _ = provision;
  connect();
  for (const count of [1, 2]) {
    await until(() => told.length === count, `failure ${count} is told`);
    fake.advance(1000);
  }
  await provision.ready;
  assert.deepEqual([attempts, told], [3, [ODD, ODD]]);
});

Deno.test("what throws at once where it is seen to is trouble like any other", async () => {
  const troubles: string[] = [];
  let attempts = 0;
  const { provision, connect, told, fake } = provide(() => {
    if (++attempts === 1) throw ODD;
    return Promise.resolve();
  }, ({ message }) => troubles.push(message));
  using _ = provision;
  connect();
  await until(() => troubles.length > 0, "it is told");
  fake.advance(1000);
  await provision.ready;
  assert.deepEqual([troubles, told], [["odd"], []]);
});

Deno.test("what can never be had ends the waiting for it, whoever throws", async () => {
  const error = new StreamError("Cannot use it");
  const { provision, connect, told, fake, listeners } = provide(
    () => Promise.reject(error),
    () => {
      throw ODD;
    },
  );
  connect();
  await assert.rejects(provision.ready, error);
  await until(() => told.length > 0, "it is told");
  assert.deepEqual(told, [ODD]);
  provision[Symbol.dispose]();
  assert.deepEqual([listeners.size, fake.waiting], [0, 0]);
});
