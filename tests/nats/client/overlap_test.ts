import assert from "node:assert/strict";
import type { BusMessage } from "../../../lib/nats/bus.ts";
import { Overlap } from "../../../lib/nats/client/overlap.ts";

/** Plays letters: lower case over the old connection, upper case over the new one. */
function play(script: string): string {
  const delivered: string[] = [];
  let now = 0;
  const overlap = new Overlap(
    ({ data }) => delivered.push(new TextDecoder().decode(data)),
    () => now,
  );
  for (const step of script) {
    if (step === "|") overlap.end();
    else if (step === "~") now += 1000;
    else if (step === step.toLowerCase()) overlap.onOld(toMessage(step));
    else overlap.onNew(toMessage(step.toLowerCase()));
  }
  return delivered.join("");
}

function toMessage(text: string): BusMessage {
  return { subject: "a", reply: "", headers: "", data: new TextEncoder().encode(text) };
}

Deno.test("Overlap delivers each message once, in its order", async (t) => {
  const table: [script: string, expected: string, why: string][] = [
    ["abAB|", "ab", "both had both"],
    ["aAbBc|C", "abcc", "C after the end is another message than c"],
    ["abBC|D", "abcd", "the old one had the beginning, the new one the end"],
    ["BCa|", "abc", "what only the new one had waits for the old one"],
    ["BCabc|", "abc", "the new one was faster"],
    ["aaA|", "aa", "the old one had two that look the same"],
    ["aAA|", "aa", "the new one had two that look the same"],
    ["a~A|", "aa", "what looks the same much later is another message"],
    ["|AB", "ab", "nothing came before the end"],
  ];
  for (const [script, expected, why] of table) {
    await t.step(why, () => assert.equal(play(script), expected));
  }
});

Deno.test("Overlap holds what it was lent", () => {
  const texts: string[] = [];
  const overlap = new Overlap(({ data }) => texts.push(new TextDecoder().decode(data)));
  const message = { ...toMessage("a"), isBorrowed: true };
  overlap.onNew(message);
  message.data.fill(0);
  overlap.end();
  assert.deepEqual(texts, ["a"]);
});

Deno.test("Overlap tells messages by subject, reply and headers, too", () => {
  let delivered = 0;
  const overlap = new Overlap(() => delivered++);
  overlap.onOld(toMessage("a"));
  overlap.onNew({ ...toMessage("a"), subject: "b" });
  overlap.onNew({ ...toMessage("a"), reply: "b" });
  overlap.onNew({ ...toMessage("a"), headers: "b" });
  overlap.end();
  assert.equal(delivered, 4);
});
