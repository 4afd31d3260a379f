import assert from "node:assert/strict";
import { Quiet } from "../../../lib/edge/limits/quiet.ts";

function setUp() {
  let now = 0;
  let due: (() => void) | undefined;
  const looks: number[] = [];
  const clock = {
    now: () => now,
    after: (_ms: number, callback: () => void) => {
      due = callback;
      return () => due = undefined;
    },
  };
  const quiet = new Quiet(clock, (quietLooks) => looks.push(quietLooks));
  const look = (lateMs = 0) => {
    quiet.watch();
    now += 100 + lateMs;
    due!();
  };
  return { quiet, look, looks };
}

Deno.test("Quiet counts the looks at which nothing had come", () => {
  const { quiet, look, looks } = setUp();
  look();
  look();
  quiet.break();
  look();
  look();
  assert.deepEqual(looks, [1, 2, 0, 1]);
});

Deno.test("a process that got no turn itself says nothing of others, but not for ever", () => {
  const { look, looks } = setUp();
  for (let count = 0; count < 6; count++) look(20);
  assert.deepEqual(looks, [0, 0, 0, 0, 1, 0]);
});
