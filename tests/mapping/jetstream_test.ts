import assert from "node:assert/strict";
import { GatewayError } from "../../lib/errors.ts";
import { parsePubAck, toIdempotentId, toPersistLines } from "../../lib/mapping/jetstream.ts";

Deno.test("parsePubAck() reads what a stream answers", async (t) => {
  const refused = (code: number, description: string) =>
    JSON.stringify({
      type: "x",
      error: { code: 503, err_code: code, description },
      stream: "",
      seq: 0,
    });
  const table: [title: string, block: string, payload: string, expected: unknown][] = [
    ["stored", "", '{"stream":"S","seq":7}', {
      kind: "stored",
      stream: "S",
      seq: 7,
      duplicate: false,
    }],
    ["stored before", "", '{"stream":"S","seq":7,"duplicate":true,"domain":"hub"}', {
      kind: "stored",
      stream: "S",
      seq: 7,
      duplicate: true,
    }],
    ["full", "", refused(10077, "maximum bytes exceeded"), {
      kind: "refused",
      reason: "maximum bytes exceeded",
    }],
    ["without a leader", "", refused(10008, "temporarily unavailable"), { kind: "nobody" }],
    ["nobody", "NATS/1.0 503\r\n\r\n", "", { kind: "nobody" }],
    ["a status of another kind", "NATS/1.0 408\r\n\r\n", "", undefined],
    ["a workload's word", "", "thanks", undefined],
    ["a workload's JSON", "", '{"ok":true}', undefined],
    ["half an answer", "", '{"stream":"S"}', undefined],
    ["nothing", "", "", undefined],
  ];
  for (const [title, block, payload, expected] of table) {
    await t.step(title, () => {
      assert.deepEqual(parsePubAck(block, new TextEncoder().encode(payload)), expected);
    });
  }
});

Deno.test("toPersistLines() names message and stream", () => {
  assert.equal(
    toPersistLines({ stream: "S", messageId: "a-1" }),
    "Nats-Msg-Id: a-1\r\nNats-Expected-Stream: S\r\n",
  );
});

Deno.test("toIdempotentId() keeps clients and subjects apart", () => {
  const id = toIdempotentId("k1", { subject: "a.b", session: "s" });
  assert.equal(id, "key:a.b:s:k1");
  assert.equal(toIdempotentId('"k1"', { subject: "a.b", session: "s" }), id);
  assert.notEqual(toIdempotentId("k1", { subject: "a.c", session: "s" }), id);
  assert.notEqual(toIdempotentId("k1", { subject: "a.b", session: "t" }), id);
});

Deno.test("toIdempotentId() refuses what is no key", () => {
  for (const key of ["", '"', '""', "a b", "a\tb", "é", "x".repeat(256), '"a"b"']) {
    assert.throws(() => toIdempotentId(key, { subject: "a" }), GatewayError, key);
  }
});
