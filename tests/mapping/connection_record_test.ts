import assert from "node:assert/strict";
import { toHeaderLine } from "../../lib/mapping/headers.ts";
import {
  encodeResumeRecord,
  parseResumeRecord,
  readOwner,
  type ResumeRecord,
} from "../../lib/mapping/connection_record.ts";
import { readSubject, toHostTokens } from "../../lib/mapping/subject.ts";

const RECORD: ResumeRecord = {
  owner: "G1",
  proof: "p",
  windowMs: 1000,
  connection: {
    inbox: "h8s.resume.a",
    subject: readSubject("h8s.ws.ws.a"),
    hostTokens: toHostTokens("a"),
    lines: toHeaderLine("X", "\xff"),
  },
  info: {
    ...{ id: "G1-a", inbox: "h8s.resume.a", subject: "h8s.ws.ws.a", host: "a", path: "/" },
    ...{ query: "", remote: "127.0.0.1", since: "2026-01-01T00:00:00.000Z", protocol: "" },
  },
  route: { subscribe: ["a.>"], mode: "request", isPersistent: false },
};

Deno.test("parseResumeRecord() reads what a gateway wrote, and leaves out what it does not know", () => {
  const detached = { end: { code: 1006, reason: "" }, at: 7 };
  for (const record of [RECORD, { ...RECORD, detached }]) {
    assert.deepEqual(parseResumeRecord(encodeResumeRecord(record)), record);
    assert.deepEqual(
      parseResumeRecord(encodeResumeRecord({ ...record, more: 1 } as never)),
      record,
    );
  }
});

Deno.test("parseResumeRecord() refuses a record that lacks anything, however deep", async (t) => {
  const { connection, info, route } = RECORD;
  const table: [name: string, record: object][] = [
    ["no owner", { ...RECORD, owner: undefined }],
    ["a window in words", { ...RECORD, windowMs: "1s" }],
    ["no connection", { ...RECORD, connection: null }],
    ["no lines", { ...RECORD, connection: { ...connection, lines: undefined } }],
    ["no info", { ...RECORD, info: null }],
    ["an address that is none", { ...RECORD, info: { ...info, remote: 1 } }],
    ["no route", { ...RECORD, route: null }],
    ["a subject that is none", { ...RECORD, route: { ...route, subscribe: [1] } }],
    ["an unknown mode", { ...RECORD, route: { ...route, mode: "shout" } }],
  ];
  for (const [name, record] of table) {
    await t.step(name, () => {
      assert.throws(() => parseResumeRecord(encodeResumeRecord(record as ResumeRecord)), {
        name: "ContractError",
      });
    });
  }
});

Deno.test("readOwner() says who holds a connection, however its record is written", () => {
  const { owner, ...rest } = RECORD;
  const table: [payload: Uint8Array | string, expected: string | undefined][] = [
    [encodeResumeRecord(RECORD), "G1"],
    [encodeResumeRecord({ ...rest, owner }), "G1"],
    [JSON.stringify({ ...rest, owner }), "G1"],
    [JSON.stringify(RECORD, null, 2), "G1"],
    [JSON.stringify({ ...RECORD, owner: "a b" }), "a b"],
    ["{}", undefined],
    ["", undefined],
  ];
  for (const [payload, expected] of table) {
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    assert.equal(readOwner(bytes), expected);
  }
});
