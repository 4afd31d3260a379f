import assert from "node:assert/strict";
import { slopeOf } from "./memory.ts";

Deno.test("slopeOf() finds the line through noise", () => {
  const samples = Array.from({ length: 100 }, (_, index) => ({
    hours: index / 100,
    mib: 80 + 12 * index / 100 + (index % 2 === 0 ? 5 : -5),
  }));
  assert.ok(Math.abs(slopeOf(samples) - 12) < 0.5, String(slopeOf(samples)));
  assert.equal(slopeOf([{ hours: 0, mib: 3 }, { hours: 2, mib: 3 }]), 0);
});
