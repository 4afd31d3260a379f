import assert from "node:assert/strict";
import { Journal } from "../../examples/rooms/assets/journal.js";
import type { Message } from "../../examples/rooms/protocol.ts";

function message(seq: number): Message {
  const from = { id: "ada", name: "Ada" };
  return { seq, id: `id-${seq}`, from, text: "", at: "2026-01-01T00:00:00.000Z" };
}

function seqs(messages: readonly Message[]): number[] {
  return messages.map(({ seq }) => seq);
}

Deno.test("Journal: each message is new once, live or from the past", () => {
  const journal = new Journal();
  journal.begin("t");
  assert.equal(journal.said(message(3)), true);
  assert.deepEqual(seqs(journal.past([message(1), message(2), message(3)], true)), [1, 2]);
  assert.equal(journal.said(message(3)), false);
});

Deno.test("Journal: a live message proves nothing until the past has been told", () => {
  const journal = new Journal();
  journal.begin("t");
  journal.said(message(9));
  assert.equal(journal.after, 0);
  journal.past([message(1), message(2)], false);
  assert.equal(journal.after, 2);
  journal.past([message(3)], true);
  assert.equal(journal.after, 9);
  journal.said(message(12));
  assert.equal(journal.after, 12);
});

Deno.test("Journal: a second welcome starts over without going back", () => {
  const journal = new Journal();
  journal.begin("t");
  journal.past([message(1), message(5)], true);
  assert.equal(journal.begin("t"), false);
  assert.equal(journal.isCaughtUp, false);
  assert.deepEqual(journal.past([message(5)], true), []);
  assert.equal(journal.after, 5);
});

Deno.test("Journal: another transcript is another story", () => {
  const journal = new Journal();
  journal.begin("first");
  journal.past([message(5)], true);
  assert.equal(journal.begin("second"), true);
  assert.equal(journal.after, 0);
  assert.deepEqual(seqs(journal.past([message(1)], true)), [1]);
  assert.equal(journal.after, 1);
});
