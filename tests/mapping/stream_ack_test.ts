import assert from "node:assert/strict";
import { toAckedStream } from "../../lib/mapping/stream_ack.ts";

/** As nats-server 2.15 writes them. */
const ACKS: [title: string, json: string, stream: string][] = [
  ["stored", '{"stream":"AUDIT","seq":1}', "AUDIT"],
  ["stored before", '{"stream":"AUDIT","seq":1,"duplicate":true}', "AUDIT"],
  ["in a domain", '{"stream":"AUDIT","domain":"hub","seq":1}', "AUDIT"],
  ["with a space", '{"stream":"AUDIT", "seq":12}', "AUDIT"],
  ["counted", '{"stream":"D","seq":1,"val":"1"}', "D"],
  ["the end of a batch", '{"stream":"D","seq":9,"batch":"b","count":3}', "D"],
  [
    "refused",
    '{"error":{"code":503,"err_code":10077,"description":"maximum messages exceeded"},' +
    '"stream":"AUDIT","seq":0}',
    "AUDIT",
  ],
];

Deno.test("toAckedStream() knows what JetStream answers to a message that it captured", async (t) => {
  for (const [title, json, stream] of ACKS) {
    await t.step(title, () => assert.equal(toAckedStream("", encode(json)), stream));
  }
  await t.step("read from another stream", () => {
    const block = "NATS/1.0\r\nNats-Stream: R\r\nNats-Sequence: 7\r\n\r\n";
    assert.equal(toAckedStream(block, encode('{"stream":"AUDIT","seq":1}')), "AUDIT");
  });
});

Deno.test("toAckedStream() leaves a workload's own words alone", async (t) => {
  const ack = '{"stream":"AUDIT","seq":1}';
  const table: [title: string, block: string, payload: string][] = [
    ["with a header", "NATS/1.0\r\nContent-Type: application/json\r\n\r\n", ack],
    ["with a status", "NATS/1.0\r\nStatus-Code: 200\r\n\r\n", ack],
    ["that nobody listens", "NATS/1.0 503\r\n\r\n", ""],
    ["with more in it", "", '{"stream":"cam-1","seq":1,"url":"/live"}'],
    ["without a number", "", '{"stream":"cam-1"}'],
    ["with a number that is none", "", '{"stream":"cam-1","seq":"1"}'],
    ["with a stream that is none", "", '{"stream":{"id":1},"seq":1}'],
    ["an error of its own", "", '{"error":"no such stream"}'],
    ["in a list", "", `[${ack}]`],
    ["in a line of many", "", `${ack}\n${ack}\n`],
    ["after a blank", "", ` ${ack}`],
    ["cut off", "", ack.slice(0, -1)],
    ["very long", "", `{"stream":"${"a".repeat(5000)}","seq":1}`],
    ["null", "", "null"],
    ["nothing", "", ""],
  ];
  for (const [title, block, payload] of table) {
    await t.step(title, () => assert.equal(toAckedStream(block, encode(payload)), undefined));
  }
});

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
