import assert from "node:assert/strict";
import { ReceiveBudget } from "../../../lib/edge/limits/receive_budget.ts";
import { FakeBus } from "../../nats/fake_bus.ts";

const KIB = 1024;
const LIMITS = { wsReceiveBuffer: 100 * KIB, wsReceiveTotal: 500 * KIB };

function setUp() {
  const bus = new FakeBus();
  const budget = new ReceiveBudget(bus, () => LIMITS);
  const gone: string[] = [];
  const open = (name: string) => budget.open(() => gone.push(name));
  return { bus, budget, gone, open };
}

Deno.test("whoever says more than its share while NATS is slow has to go", () => {
  const { bus, gone, open } = setUp();
  const fast = open("fast");
  for (let sent = 0; sent <= 300; sent += 20) {
    bus.unsentBytes += 20 * KIB;
    fast.publish(20 * KIB);
  }
  assert.equal(gone[0], "fast");
});

Deno.test("whoever says as much over time as NATS takes may stay", () => {
  const { bus, gone, open } = setUp();
  const steady = open("steady");
  // Somebody else keeps the connection busy all the time.
  bus.unsentBytes = 80 * KIB;
  for (let index = 0; index < 1000; index++) steady.publish(10 * KIB);
  assert.deepEqual(gone, []);
  assert.ok(steady.bytes <= 100 * KIB, `${steady.bytes}`);
});

Deno.test("what NATS has taken is forgotten", () => {
  const { bus, gone, open } = setUp();
  const account = open("a");
  bus.unsentBytes = 90 * KIB;
  account.publish(90 * KIB);
  assert.equal(account.bytes, 90 * KIB);
  bus.unsentBytes = 0;
  account.publish(90 * KIB);
  assert.equal(account.bytes, 0);
  assert.deepEqual(gone, []);
});

Deno.test("what is held counts until it is released", () => {
  const { gone, open } = setUp();
  const account = open("a");
  account.hold(60 * KIB);
  account.release(60 * KIB);
  account.hold(60 * KIB);
  assert.deepEqual(gone, []);
  account.hold(60 * KIB);
  assert.deepEqual(gone, ["a"]);
});

Deno.test("past the bound for all, the one with the most has to go, whoever spoke last", () => {
  const { gone, open } = setUp();
  for (let index = 0; index < 5; index++) open(`small ${index}`).hold(75 * KIB);
  open("large").hold(99 * KIB);
  assert.deepEqual(gone, []);
  open("last").hold(30 * KIB);
  assert.deepEqual(gone, ["large"]);
});
