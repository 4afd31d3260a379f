import assert from "node:assert/strict";
import fc from "fast-check";
import { isNoResponders, parseHeaderBlock } from "../../lib/mapping/headers.ts";
import { toFrame, toFrameHeader } from "../../lib/mapping/frame.ts";

const NOT_UTF8: [title: string, bytes: number[]][] = [
  ["a byte that never occurs", [0xff]],
  ["a character cut short", [0x61, 0xc3]],
  ["a continuation alone", [0x80, 0x61]],
  ["an overlong form", [0xc0, 0x80]],
  ["a surrogate", [0xed, 0xa0, 0x80]],
  ["beyond U+10FFFF", [0xf4, 0x90, 0x80, 0x80]],
];

Deno.test("toFrame() makes text of UTF-8, byte for byte", async (t) => {
  const table: [title: string, text: string][] = [
    ["ASCII", "hello"],
    ["nothing", ""],
    ["all planes", "caf\u00e9 \u4e2d \u{1f600}"],
    ["NUL", "a\0b"],
    ["a replacement character", "a \ufffd"],
    ["line ends", "a\r\nb\n"],
    ["a byte order mark at the start", "\ufeffhello"],
    ["two byte order marks", "\ufeff\ufeff"],
  ];
  for (const [title, text] of table) {
    await t.step(title, () => {
      assert.deepEqual(toFrame("", encode(text)), { kind: "text", text });
      assert.deepEqual(toFrame(block("X-Other: 1"), encode(text)), { kind: "text", text });
    });
  }
});

Deno.test("toFrame() makes binary of what is not UTF-8", async (t) => {
  for (const [title, numbers] of NOT_UTF8) {
    await t.step(title, () => {
      const bytes = Uint8Array.from(numbers);
      assert.deepEqual(toFrame("", bytes), { kind: "binary", bytes });
    });
  }
});

Deno.test("toFrame() obeys X-H8s-Frame", async (t) => {
  await t.step("binary, though it is UTF-8", () => {
    const bytes = encode("hello");
    assert.deepEqual(toFrame(block("X-H8s-Frame: binary"), bytes), { kind: "binary", bytes });
  });
  await t.step("text", () => {
    const frame = toFrame(block("X-H8s-Frame: text"), encode("hello"));
    assert.deepEqual(frame, { kind: "text", text: "hello" });
  });
  for (const [title, numbers] of NOT_UTF8) {
    // RFC 6455 §8.1: a client fails the connection for a text frame that is not UTF-8.
    await t.step(`text, but not for ${title}`, () => {
      const bytes = Uint8Array.from(numbers);
      assert.deepEqual(toFrame(block("X-H8s-Frame: text"), bytes), { kind: "binary", bytes });
    });
  }
});

Deno.test("toFrame() loses no byte, whatever the payload", () => {
  const utf8 = fc.string({ unit: "binary" }).map(encode);
  fc.assert(fc.property(fc.oneof(fc.uint8Array(), utf8), (bytes) => {
    const frame = toFrame("", bytes);
    assert.ok(frame.kind === "text" || frame.kind === "binary");
    assert.deepEqual([...(frame.kind === "text" ? encode(frame.text) : frame.bytes)], [...bytes]);
    assert.equal(frame.kind === "text", isUtf8(bytes));
  }));
});

Deno.test("toFrame() takes NATS's word that nobody listens for no message", () => {
  const frame = toFrame("NATS/1.0 503\r\n\r\n", new Uint8Array());
  assert.deepEqual(frame, { kind: "no_responders", subject: undefined });
  const named = toFrame("NATS/1.0 503\r\nNats-Subject: h8s.a\r\n\r\n", new Uint8Array());
  assert.deepEqual(named, { kind: "no_responders", subject: "h8s.a" });
});

Deno.test("toFrameHeader() is the line that toFrame() reads", () => {
  assert.equal(toFrameHeader("text"), "X-H8s-Frame: text\r\n");
  assert.equal(toFrameHeader("binary"), "X-H8s-Frame: binary\r\n");
});

Deno.test("toFrame() closes with the workload's code and reason", async (t) => {
  const table: [value: string, code: number, reason: string][] = [
    ["1000", 1000, ""],
    ["1000 bye", 1000, "bye"],
    ["1001 going away now", 1001, "going away now"],
    ["1002 x", 1002, "x"],
    ["1003 x", 1003, "x"],
    ["1007 x", 1007, "x"],
    ["1008 x", 1008, "x"],
    ["1009 x", 1009, "x"],
    ["1011 x", 1011, "x"],
    ["1012 x", 1012, "x"],
    ["1013 x", 1013, "x"],
    ["3000 registered", 3000, "registered"],
    ["3999 registered", 3999, "registered"],
    ["4000 private", 4000, "private"],
    ["4999 private", 4999, "private"],
    ["4000 caf\xc3\xa9", 4000, "caf\u00e9"],
    ["4000 \xf0\x9f\x98\x80", 4000, "\u{1f600}"],
    // The last byte of "à" is 0xA0, which JavaScript takes for white space.
    ["4000 voil\xc3\xa0", 4000, "voil\u00e0"],
    // RFC 6455 §7.4.1: stands for a close frame without a code, which has no room for a reason either.
    ["1005", 1005, ""],
    ["1005 why", 1005, ""],
    [`4000 ${"a".repeat(200)}`, 4000, "a".repeat(123)],
    [`4000 ${"\xc3\xa9".repeat(62)}`, 4000, "\u00e9".repeat(61)],
  ];
  for (const [value, code, reason] of table) {
    await t.step(value, () => {
      const frame = toFrame(block(`X-H8s-Close: ${value}`), new Uint8Array());
      assert.deepEqual(frame, { kind: "close", code, reason });
    });
  }
});

Deno.test("toFrame() closes 1011 where the code may not be sent", async (t) => {
  // RFC 6455 §7.4.1 and §7.4.2: reserved, of the peer's own stack, unassigned, out of range.
  const values = ["1004", "1006", "1015", "1016", "1100", "1999", "2000", "2999"];
  values.push("0", "1", "999", "5000", "9999", "65535", "10000", "01000", "100");
  values.push("", "bye", "-1000", "1000.5", "1e3", "0x3e8", "1000bye", "bye 1000");
  for (const value of values) {
    await t.step(JSON.stringify(value), () => {
      const frame = toFrame(block(`X-H8s-Close: ${value}`), new Uint8Array());
      assert.ok(frame.kind === "close");
      assert.equal(frame.code, 1011);
    });
  }
});

function block(line: string): string {
  const text = `NATS/1.0\r\n${line}\r\n\r\n`;
  assert.equal(parseHeaderBlock(text).length, 1);
  return text;
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

/** Decoding with replacement and encoding again brings only valid UTF-8 back. */
function isUtf8(bytes: Uint8Array): boolean {
  const again = encode(new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes));
  return again.length === bytes.length && again.every((byte, index) => byte === bytes[index]);
}

Deno.test("isNoResponders() knows what toFrame() makes of NATS's word that nobody listens", async (t) => {
  const table: [headers: string, payload: string, is: boolean][] = [
    ["NATS/1.0 503\r\n\r\n", "", true],
    ["NATS/1.0 503 No Responders\r\n\r\n", "", true],
    ["NATS/1.0 503\r\nNats-Subject: a.b\r\n\r\n", "", true],
    ["NATS/1.0 503\r\n\r\n", "x", false],
    ["NATS/1.0 5030\r\n\r\n", "", false],
    ["NATS/1.0\r\nStatus: 503\r\n\r\n", "", false],
    ["", "", false],
  ];
  for (const [headers, payload, is] of table) {
    await t.step(JSON.stringify([headers, payload]), () => {
      assert.equal(isNoResponders(headers, payload.length), is);
      assert.equal(toFrame(headers, encode(payload)).kind === "no_responders", is);
    });
  }
});
