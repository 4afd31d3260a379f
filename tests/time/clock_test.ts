import assert from "node:assert/strict";
import { guarded, repeat } from "../../lib/time/clock.ts";
import { pause } from "../../lib/time/within.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { turn } from "../harness/fake_edge.ts";

Deno.test("guarded() tells what a callback throws, at once or later, and the others are called", async () => {
  const clock = new FakeClock();
  const told: string[] = [];
  const { now, after } = guarded(clock, (error) => told.push(String(error)));
  after(1, () => {
    throw new Error("at once");
  });
  after(1, () => Promise.reject(new Error("later")));
  after(1, () => void told.push("called"));
  clock.advance(1);
  await turn();
  assert.deepEqual(told, ["Error: at once", "called", "Error: later"]);
  assert.equal(now(), 1);
});

Deno.test("repeat() goes on after a call that threw", () => {
  const clock = new FakeClock();
  let calls = 0;
  const end = repeat(guarded(clock, () => {}), 10, () => {
    calls++;
    throw new Error("odd");
  });
  clock.advance(30);
  assert.equal(calls, 3);
  end();
  assert.equal(clock.waiting, 0);
});

Deno.test("pause() ends in time, or with its signal, and leaves no timer", async () => {
  const clock = new FakeClock();
  const inTime = pause(10, { clock });
  clock.advance(10);
  await inTime;
  const stop = new AbortController();
  const withSignal = pause(10, { clock, signal: stop.signal });
  stop.abort();
  await withSignal;
  await pause(10, { clock, signal: stop.signal });
  assert.equal(clock.waiting, 0);
});
