import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type ControlSubjects,
  toEventHeaders,
  toEventLines,
  toEventSubjects,
  toRequestClosedSubject,
} from "../../lib/mapping/control.ts";
import { parseHeaderBlock, toHeaderBlock } from "../../lib/mapping/headers.ts";
import { readSubject, toHostTokens } from "../../lib/mapping/subject.ts";

Deno.test("toEventSubjects() tells either generation of workloads, or both", async (t) => {
  const table: [type: "established" | "closed", forms: ControlSubjects, subjects: string[]][] = [
    ["established", "flat", ["h8s.control.ws.conn.established"]],
    ["established", "host", ["h8s.control.ws.conn.established.com.example"]],
    ["established", "both", [
      "h8s.control.ws.conn.established",
      "h8s.control.ws.conn.established.com.example",
    ]],
    ["closed", "flat", ["h8s.control.ws.conn.closed"]],
    ["closed", "host", ["h8s.control.ws.conn.closed.com.example"]],
    ["closed", "both", ["h8s.control.ws.conn.closed", "h8s.control.ws.conn.closed.com.example"]],
  ];
  for (const [type, forms, subjects] of table) {
    await t.step(`${type}, ${forms}`, () => {
      const options = { prefix: "h8s", hostTokens: toHostTokens("example.com"), forms };
      assert.deepEqual(toEventSubjects(type, options), subjects);
    });
  }
});

Deno.test("toEventSubjects() and toRequestClosedSubject() start with the prefix", () => {
  const hostTokens = toHostTokens("[::1]");
  const options = { prefix: "acme.edge", hostTokens, forms: "host" } as const;
  const [subject] = toEventSubjects("closed", options);
  assert.equal(subject, "acme.edge.control.ws.conn.closed.__1");
  assert.equal(toRequestClosedSubject("h8s", "t0k"), "h8s.control.connection.closed.t0k");
  assert.equal(toRequestClosedSubject("acme.edge", "t"), "acme.edge.control.connection.closed.t");
});

Deno.test("toEventLines() spells the subject's header as the Go workloads read it", () => {
  const line = toEventLines(readSubject("h8s.ws.ws.a"));
  assert.equal(line, "X-H8S-PublishSubject: h8s.ws.ws.a\r\n");
});

Deno.test("toEventHeaders() adds nothing to an established", () => {
  assert.equal(toEventHeaders({ type: "established" }), "");
});

Deno.test("toEventHeaders() tells the code and the reason of a closed", async (t) => {
  const table: [code: number, reason: string, reasonBytes: string][] = [
    [1000, "bye", "bye"],
    [1006, "", ""],
    [4999, "a: b", "a: b"],
    [4000, "caf\u00e9", "caf\xc3\xa9"],
    [4000, "\u{1f600}", "\xf0\x9f\x98\x80"],
  ];
  for (const [code, reason, reasonBytes] of table) {
    await t.step(`${code} ${reason}`, () => {
      assert.equal(
        toEventHeaders({ type: "closed", code, reason }),
        `X-H8s-Close-Code: ${code}\r\nX-H8s-Close-Reason: ${reasonBytes}\r\n`,
      );
    });
  }
});

Deno.test("toEventHeaders() lets no reason begin another header line", async (t) => {
  const reasons = ["bye\r\nNats-Rollup: all", "bye\nNats-Rollup: all", "bye\rNats-Rollup: all"];
  reasons.push("\r\n\r\npayload", "\n", "\r\n", "a\0b", "\x7f");
  for (const reason of reasons) {
    await t.step(JSON.stringify(reason), () => assertTwoLines(reason));
  }
});

Deno.test("toEventHeaders() keeps to two lines whatever the reason", () => {
  const pieces = fc.constantFrom("\r", "\n", "\0", ":", " ", "a", "\u00e9", "\u010d", "\u010a");
  const reasons = fc.oneof(fc.string({ unit: pieces }), fc.string({ unit: "binary" }));
  fc.assert(fc.property(reasons, assertTwoLines));
});

Deno.test("toEventHeaders() tells a reason without control characters in full", () => {
  const reasons = fc.string({ unit: "grapheme" });
  fc.assert(fc.property(reasons, (reason) => {
    const line = toEventHeaders({ type: "closed", code: 4000, reason }).split("\r\n")[1] ?? "";
    const bytes = Uint8Array.from(
      line.slice("X-H8s-Close-Reason: ".length),
      (char) => char.charCodeAt(0),
    );
    assert.equal(new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes), reason);
  }));
});

function assertTwoLines(reason: string): void {
  const lines = toEventHeaders({ type: "closed", code: 4000, reason });
  const entries = parseHeaderBlock(toHeaderBlock(lines));
  const names = entries.map(([name]) => name);
  assert.deepEqual(names, ["X-H8s-Close-Code", "X-H8s-Close-Reason"]);
  assert.ok(!/[\r\n\0]/.test(lines.replaceAll(/\r\n(?=X-H8s-Close-Reason: |$)/g, "")), lines);
}
