import assert from "node:assert/strict";
import { deliver } from "../../../lib/edge/resume/deliver.ts";
import { HeldBack, toSeq } from "../../../lib/edge/resume/held_back.ts";
import type { ResumableClient } from "../../../lib/edge/resume/resume_client.ts";
import { FakeEdge } from "../../harness/fake_edge.ts";

const encoder = new TextEncoder();

function toMessage(headers: string, text: string) {
  return { subject: "a", reply: "", headers, data: encoder.encode(text) };
}

Deno.test("deliver() sends messages on with their number, closes, and keeps what is none to itself", () => {
  using edge = new FakeEdge();
  const frame = (lines: string) => `NATS/1.0\r\n${lines}\r\n\r\n`;
  const table: [headers: string, text: string, expected: string[]][] = [
    ["", "hello", ['{"seq":7,"data":"hello"}, 5']],
    [frame("X-H8s-Frame: binary"), "\x01", ["0,0,0,0,0,0,0,7,1, 1"]],
    [frame("X-H8s-Close: 4000 bye"), "", ["close 4000 bye"]],
    ["NATS/1.0 503\r\n\r\n", "", []],
    ["", '{"stream":"ORDERS","seq":1}', []],
  ];
  for (const [headers, text, expected] of table) {
    const did: string[] = [];
    const client = {
      push: (data: string | Uint8Array, length: number) => did.push(`${data}, ${length}`),
      close: ({ code, reason }: { code: number; reason: string }) =>
        did.push(`close ${code} ${reason}`),
    } as unknown as ResumableClient;
    deliver(client, toMessage(headers, text), { seq: 7, strays: edge.parts.strays });
    assert.deepEqual(did, expected, headers + text);
  }
  assert.equal(edge.lines.length, 1, "the stream that captures what clients send is told");
});

Deno.test("HeldBack counts bytes of payload, and gives all in order once", () => {
  const held = new HeldBack();
  assert.equal(held.add(toMessage("NATS/1.0\r\n\r\n", "one")), 3);
  assert.equal(held.add(toMessage("", "three")), 8);
  const texts = held.takeAll().map(({ data }) => new TextDecoder().decode(data));
  assert.deepEqual(texts, ["one", "three"]);
  assert.deepEqual(held.takeAll(), []);
  assert.equal(held.add(toMessage("", "x")), 1);
});

Deno.test("toSeq() reads the number that the stream gave", () => {
  assert.equal(toSeq(toMessage("NATS/1.0\r\nA: 1\r\nNats-Sequence: 42\r\n\r\n", "")), 42);
  assert.equal(toSeq(toMessage("", "")), Number.NaN);
});
