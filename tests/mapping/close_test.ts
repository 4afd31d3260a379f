import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Advice,
  backendRefused,
  CLOSE,
  type CloseInfo,
  fromCloseEventCode,
  isSendable,
  mayResume,
  notSpoken,
  notStored,
  toAdvice,
  toCloseReason,
  tooBig,
} from "../../lib/mapping/close.ts";
import { toCodeLabel } from "../../lib/telemetry/close_code.ts";

/** Those that tell more, with what they may tell. */
const WITH_DETAIL: CloseInfo[] = [
  tooBig(1024),
  notStored("…"),
  notSpoken("h8s.ack.v1", "…"),
  backendRefused(403),
];
const ALL: CloseInfo[] = [...Object.values(CLOSE), ...WITH_DETAIL];

Deno.test("a client comes back after what passes, and stays away after what was meant", async (t) => {
  const table: [code: number, advice: Advice, mayResume: boolean][] = [
    [1000, "stop", false],
    [1001, "retry", true],
    [1002, "stop", false],
    [1003, "stop", false],
    [1005, "stop", false],
    [1006, "retry", true],
    [1007, "stop", false],
    [1008, "stop", false],
    [1009, "stop", false],
    [1010, "stop", false],
    [1011, "later", true],
    [1012, "retry", true],
    [1013, "later", true],
    [1014, "stop", false],
    [1015, "stop", false],
    [3000, "stop", false],
    [4000, "stop", false],
    [4401, "renew", true],
    [4499, "retry", true],
    [4999, "stop", false],
  ];
  for (const [code, advice, resumes] of table) {
    await t.step(`${code}`, () => {
      assert.equal(toAdvice(code), advice);
      assert.equal(mayResume({ code, reason: "" }), resumes);
    });
  }
});

Deno.test("isSendable() knows what a close frame may carry", () => {
  const yes = [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013];
  yes.push(3000, 3999, 4000, 4401, 4999);
  const no = [0, 1, 999, 1004, 1005, 1006, 1014, 1015, 1016, 1999, 2000, 2999, 5000, 65535, NaN];
  for (const code of yes) assert.ok(isSendable(code), String(code));
  for (const code of no) assert.ok(!isSendable(code), String(code));
});

Deno.test("each close of ours has a code that can be sent or told, and all of its reason fits", () => {
  for (const { code, reason } of ALL) {
    assert.ok(isSendable(code) || code === 1006, `${code} ${reason}`);
    assert.equal(toCloseReason(reason), reason);
  }
});

Deno.test("each close of ours is a series of its own in the metrics", () => {
  for (const { code } of ALL) assert.equal(toCodeLabel(code), String(code));
});

Deno.test("docs/protocol.md tells of each close: its code, its reason, what a client does", async () => {
  const text = await Deno.readTextFile(new URL("../../docs/protocol.md", import.meta.url));
  const rows = [
    ...text.matchAll(/^\| (\d{4}) +\| (.*?) *\| .*? \| (retry|later|renew|stop) *\|$/gm),
  ]
    .map(([, code, reasons, advice]) => ({ code: Number(code), reasons: reasons!, advice }));
  for (const { code, advice } of rows) assert.equal(advice, toAdvice(code), String(code));
  for (const { code, reason } of ALL) {
    const said = reason.replaceAll(/\b\d+|(?<=expected ).*/g, "…");
    const isTold = rows.some((row) =>
      row.code === code && (said === "" || row.reasons.includes(`\`${said}\``))
    );
    assert.ok(isTold, `${code} ${said}`);
  }
});

Deno.test("toCloseReason() cuts at 123 bytes and never inside a character", async (t) => {
  const table: [title: string, reason: string, cut: string][] = [
    ["nothing", "", ""],
    ["short", "bye", "bye"],
    ["123 bytes", "a".repeat(123), "a".repeat(123)],
    ["124 bytes", "a".repeat(124), "a".repeat(123)],
    ["123 bytes of two", "a" + "\u00e9".repeat(61), "a" + "\u00e9".repeat(61)],
    ["124 bytes of two", "\u00e9".repeat(62), "\u00e9".repeat(61)],
    ["123 bytes of three", "\u4e2d".repeat(41), "\u4e2d".repeat(41)],
    ["125 bytes of three", "aa" + "\u4e2d".repeat(41), "aa" + "\u4e2d".repeat(40)],
    ["123 bytes of four", "aaa" + "\u{1f600}".repeat(30), "aaa" + "\u{1f600}".repeat(30)],
    ["124 bytes of four", "\u{1f600}".repeat(31), "\u{1f600}".repeat(30)],
  ];
  for (const [title, reason, cut] of table) {
    await t.step(title, () => assert.equal(toCloseReason(reason), cut));
  }
});

Deno.test("toCloseReason() keeps as many characters as fit", () => {
  const text = fc.string({ unit: "binary", minLength: 30, maxLength: 140, size: "max" });
  fc.assert(fc.property(text, (reason) => {
    let expected = "";
    for (const char of reason) {
      if (encode(expected + char).length > 123) break;
      expected += char;
    }
    assert.equal(toCloseReason(reason), expected);
  }));
});

Deno.test("fromCloseEventCode() tells a vanished peer as 1006 and every other code as it is", () => {
  assert.equal(fromCloseEventCode(0), 1006);
  for (const code of [1000, 1001, 1005, 1006, 1011, 1015, 3000, 4999]) {
    assert.equal(fromCloseEventCode(code), code);
  }
});

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
