import assert from "node:assert/strict";
import fc from "fast-check";
import { addressRate, RateTable } from "../../../lib/edge/admission/rate.ts";
import { toCandidate } from "./candidate.ts";

const RATE = { perSecond: 10, burst: 3 };

Deno.test("RateTable gives a burst, then one token an interval", () => {
  const table = new RateTable();
  const take = (now: number) => Math.round(table.take("a", { rate: RATE, now }));
  assert.deepEqual([0, 0, 0, 0, 50, 100, 100].map(take), [0, 0, 0, 100, 50, 0, 100]);
  // A pause gives back a whole burst, and no more.
  assert.deepEqual([5000, 5000, 5000, 5000].map(take), [0, 0, 0, 100]);
});

Deno.test("RateTable keeps clients apart", () => {
  const table = new RateTable();
  const rate = { perSecond: 1, burst: 1 };
  assert.equal(table.take("a", { rate, now: 0 }), 0);
  assert.equal(table.take("b", { rate, now: 0 }), 0);
  assert.equal(table.take("a", { rate, now: 0 }), 1000);
});

Deno.test("RateTable never gives more than the rate and one burst", () => {
  const steps = fc.array(fc.nat(200), { minLength: 1, maxLength: 200 });
  fc.assert(fc.property(steps, fc.integer({ min: 1, max: 20 }), (steps, burst) => {
    const table = new RateTable();
    let now = 0;
    let taken = 0;
    for (const step of steps) {
      now += step;
      if (table.take("a", { rate: { perSecond: 50, burst }, now }) === 0) taken++;
      assert.ok(taken <= burst + now / 20 + 1e-6);
    }
  }));
});

Deno.test("RateTable forgets full buckets, and is bounded whatever comes", () => {
  const table = new RateTable();
  for (let index = 0; index < 70_000; index++) {
    table.take(`client ${index}`, { rate: { perSecond: 0.001, burst: 1 }, now: 0 });
  }
  assert.equal(table.size, 65_536);
  table.take("late", { rate: RATE, now: 1e9 });
  assert.equal(table.size, 1);
});

Deno.test("addressRate() refuses with the time to wait; an IPv6 /64 is one client", () => {
  const check = addressRate({ perSecond: 0.25, burst: 1 }, new RateTable());
  const refusal = { code: "rate_limited", status: 429, retryAfter: 4 };
  check(toCandidate());
  assert.throws(() => check(toCandidate()), refusal);
  check(toCandidate({ address: "2001:db8::1" }));
  assert.throws(() => check(toCandidate({ address: "2001:db8::ffff:2" })), refusal);
  check(toCandidate({ address: "2001:db8:0:1::1" }));
});
