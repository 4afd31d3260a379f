import assert from "node:assert/strict";
import { remembering } from "../../lib/edge/remembering.ts";

const MANY = 100_000;

function remember(): { toText: (text: string) => string; made: string[] } {
  const made: string[] = [];
  return {
    made,
    toText: remembering((text) => {
      made.push(text);
      return text.toUpperCase();
    }),
  };
}

Deno.test("what is remembered is made once", () => {
  const { toText, made } = remember();
  for (let times = 0; times < 3; times++) assert.equal(toText("a"), "A");
  assert.deepEqual(made, ["a"]);
});

Deno.test("ever new texts are not kept for ever, and others are after them", () => {
  const { toText, made } = remember();
  toText("often");
  for (let index = 0; index < MANY; index++) toText(`new ${index}`);
  for (let times = 0; times < 3; times++) toText("often");
  assert.equal(made.filter((text) => text === "often").length, 2);
  const before = made.length;
  for (let index = MANY - 2000; index < MANY; index++) toText(`new ${index}`);
  assert.ok(made.length - before >= 1000);
});

Deno.test("a long text is not kept", () => {
  const { toText, made } = remember();
  const long = "x".repeat(10_000);
  assert.equal(toText(long), toText(long));
  assert.equal(made.length, 2);
});

Deno.test("what is thrown is not remembered", () => {
  let times = 0;
  const make = remembering(() => {
    if (++times === 1) throw new Error("not yet");
    return times;
  });
  assert.throws(() => make("a"), /not yet/);
  assert.equal(make("a"), 2);
});
