import assert from "node:assert/strict";
import { LostConnections } from "../../../lib/workload/registry/lost_connections.ts";
import { FakeClock } from "../../harness/fake_clock.ts";

const TEN_MINUTES_MS = 600_000;

Deno.test("the end of a lost connection is told once, by whomever", () => {
  const lost = new LostConnections(new FakeClock());
  lost.add(["a", "b"]);
  assert.deepEqual([lost.tell("a"), lost.tell("a"), lost.tell("b")], [true, false, true]);
  assert.equal(lost.has("a"), true, "it may be told once more by a gateway that was cut off");
});

Deno.test("a connection that was not lost, or is back, is told like any other", () => {
  const lost = new LostConnections(new FakeClock());
  lost.add(["a"]);
  lost.tell("a");
  lost.forget("a");
  assert.deepEqual([lost.has("a"), lost.has("b")], [false, false]);
  assert.deepEqual([lost.tell("a"), lost.tell("b")], [true, true]);
  lost.add(["a"]);
  assert.equal(lost.tell("a"), true, "it was lost a second time");
});

Deno.test("lost connections are forgotten after ten minutes, at the next loss", () => {
  const clock = new FakeClock();
  const lost = new LostConnections(clock);
  lost.add(["a"]);
  clock.advance(TEN_MINUTES_MS - 1);
  lost.add(["b"]);
  assert.equal(lost.has("a"), true);
  clock.advance(1);
  lost.add([]);
  assert.deepEqual([lost.has("a"), lost.has("b")], [false, true]);
});
