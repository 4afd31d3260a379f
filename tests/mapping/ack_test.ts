import assert from "node:assert/strict";
import { isAckClientId, parseNumbered, renderAck, renderData } from "../../lib/mapping/ack.ts";

const encode = (text: string) => new TextEncoder().encode(text);

function binary(id: bigint, payload: number[]): ArrayBuffer {
  const bytes = new Uint8Array(8 + payload.length);
  new DataView(bytes.buffer).setBigUint64(0, id);
  bytes.set(payload, 8);
  return bytes.buffer;
}

Deno.test("parseNumbered() reads what a client numbered", async (t) => {
  const table: [data: string | ArrayBuffer, id: number, kind: string, bytes: Uint8Array][] = [
    ['{"id":0,"data":"hi"}', 0, "text", encode("hi")],
    ['{"data":"","id":9007199254740991}', Number.MAX_SAFE_INTEGER, "text", encode("")],
    ['{"id":1,"data":{"a":[1]}}', 1, "text", encode('{"a":[1]}')],
    ['{"id":1,"data":null}', 1, "text", encode("null")],
    ['{"id":1,"data":"é","more":2}', 1, "text", encode("é")],
    [binary(7n, [1, 2]), 7, "binary", Uint8Array.of(1, 2)],
    [binary(0n, []), 0, "binary", Uint8Array.of()],
  ];
  for (const [data, id, kind, bytes] of table) {
    await t.step(String(data), () => assert.deepEqual(parseNumbered(data), { id, kind, bytes }));
  }
});

Deno.test("parseNumbered() takes nothing else", async (t) => {
  const table: (string | ArrayBuffer)[] = [
    "",
    "hello",
    "null",
    "[]",
    '{"id":1}',
    '{"data":1}',
    '{"id":"1","data":1}',
    '{"id":-1,"data":1}',
    '{"id":1.5,"data":1}',
    '{"id":9007199254740992,"data":1}',
    new Uint8Array(7).buffer,
    binary(2n ** 53n, [1]),
  ];
  for (const data of table) {
    await t.step(String(data), () => assert.equal(parseNumbered(data), undefined));
  }
});

Deno.test("what a workload says cannot be taken for an acknowledgement", () => {
  assert.deepEqual(JSON.parse(renderAck(7, 12)), { ack: 7, seq: 12 });
  assert.deepEqual(JSON.parse(renderData('{"ack":7,"seq":12}')), { data: '{"ack":7,"seq":12}' });
});

Deno.test("isAckClientId() asks for what nobody guesses", () => {
  assert.ok(isAckClientId("0123456789abcdef"));
  assert.ok(isAckClientId(crypto.randomUUID()));
  for (const id of ["", "short", "x".repeat(65), "0123456789abcde.", "0123456789abcdé"]) {
    assert.ok(!isAckClientId(id), id);
  }
});
