import assert from "node:assert/strict";
import fc from "fast-check";
import { BEGIN, type ClientState, type Happening, next } from "../../lib/client/state.ts";

const PAUSES = { firstMs: 1000, longestMs: 30_000 };
const END = { code: 1006, reason: "" };

function lost(advice: "retry" | "later" | "renew" | "stop", at = 0, random = 1): Happening {
  return { type: "lost", at, end: END, advice, random };
}

function open(failures = 0, since = 0): ClientState {
  return { name: "open", failures, since };
}

Deno.test("next() knows what to do after an end", async (t) => {
  const table: [what: string, state: ClientState, happening: Happening, expected: object][] = [
    ["opens", BEGIN, { type: "opened", at: 7 }, { name: "open", since: 7 }],
    ["a break is tried again soon", open(), lost("retry"), { delayMs: 1000, wantsToken: false }],
    ["chance spreads all of the pause", open(), lost("retry", 0, 0.25), { delayMs: 250 }],
    ["later is later", open(), lost("later"), { delayMs: 4000, failures: 3 }],
    ["an old token is renewed", open(), lost("renew"), { delayMs: 1000, wantsToken: true }],
    ["what is final ends it", open(), lost("stop"), { name: "closed", isWanted: false }],
    ["a refused handshake may be the token's", BEGIN, lost("retry"), { wantsToken: true }],
    ["a short connection is a failure more", open(3), lost("retry", 4999), { failures: 4 }],
    ["a long one ends the row", open(3), lost("retry", 5000), { failures: 1, delayMs: 1000 }],
    ["a pause has a bound", open(60), lost("retry"), { delayMs: 30_000 }],
    ["sleep ends everything but the end", open(), { type: "slept" }, { name: "asleep" }],
    ["it wakes up", { name: "asleep" }, { type: "woke" }, { name: "connecting", failures: 0 }],
  ];
  for (const [what, state, happening, expected] of table) {
    await t.step(what, () => {
      const after = next(state, happening, PAUSES);
      assert.deepEqual({ ...after, ...expected }, after);
    });
  }
});

Deno.test("what does not fit a state changes nothing", () => {
  const waiting = next(open(), lost("retry"), PAUSES);
  const table: [ClientState, Happening][] = [
    [open(), { type: "opened", at: 1 }],
    [open(), { type: "retry" }],
    [open(), { type: "woke" }],
    [waiting, { type: "opened", at: 1 }],
    [waiting, lost("stop")],
    [{ name: "asleep" }, lost("retry")],
    [{ name: "asleep" }, { type: "retry" }],
  ];
  for (const [state, happening] of table) assert.equal(next(state, happening, PAUSES), state);
});

Deno.test("an end is an end, and no row of happenings makes a pause without a bound", () => {
  const happening = fc.oneof(
    fc.constant<Happening>({ type: "opened", at: 0 }),
    fc.constant<Happening>({ type: "retry" }),
    fc.constant<Happening>({ type: "slept" }),
    fc.constant<Happening>({ type: "woke" }),
    fc.tuple(
      fc.constantFrom("retry", "later", "renew", "stop" as const),
      fc.float({ min: 0, max: 1, noNaN: true }),
    )
      .map(([advice, random]) => lost(advice as "retry", 0, random)),
  );
  fc.assert(fc.property(fc.array(happening, { maxLength: 60 }), (row) => {
    let state: ClientState = BEGIN;
    for (const each of row) {
      const after = next(state, each, PAUSES);
      if (state.name === "closed") assert.equal(after, state);
      if (after.name === "waiting") assert.ok(after.delayMs >= 0 && after.delayMs <= 30_000);
      state = after;
    }
  }));
});
