import assert from "node:assert/strict";
import { parsePubAck, toPersistLines } from "../../lib/mapping/jetstream.ts";

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
    ["at once with the same id", "", refused(10158, "duplicate message id is in process"), {
      kind: "nobody",
    }],
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
