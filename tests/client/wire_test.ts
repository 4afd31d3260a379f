import assert from "node:assert/strict";
import { parseNumbered, renderAck, renderData } from "../../lib/mapping/ack.ts";
import { renderGap, renderMark, renderNumbered, renderWelcome } from "../../lib/mapping/resume.ts";
import {
  type GatewayFrame,
  listOffers,
  parseGatewayFrame,
  toNumbered,
  toPayload,
  toPromises,
} from "../../lib/client/wire.ts";

Deno.test("listOffers() offers the best first, and nothing less than what must be", async (t) => {
  const table: [wanted: { ack?: boolean; resume?: boolean }, offers: string[]][] = [
    [{}, ["h8s.ack-resume.v1", "h8s.resume.v1", "h8s.ack.v1", "h8s.plain.v1"]],
    [{ ack: true }, ["h8s.ack-resume.v1", "h8s.ack.v1"]],
    [{ ack: true, resume: true }, ["h8s.ack-resume.v1"]],
    [{ ack: true, resume: false }, ["h8s.ack.v1"]],
    [{ ack: false, resume: true }, ["h8s.resume.v1"]],
    [{ ack: false, resume: false }, ["h8s.plain.v1"]],
  ];
  for (const [wanted, offers] of table) {
    await t.step(JSON.stringify(wanted), () => assert.deepEqual(listOffers(wanted), offers));
  }
});

Deno.test("the gateway reads what toNumbered() writes", () => {
  for (const data of ["", 'a "text"', { a: [1, null] }, 7, true, null]) {
    const payload = toPayload(data);
    const read = parseNumbered(toNumbered(41, payload) as string);
    assert.equal(read?.id, 41);
    assert.equal(new TextDecoder().decode(read?.bytes), payload);
  }
  const bytes = toNumbered(2 ** 40, toPayload(Uint8Array.of(1, 2))) as Uint8Array<ArrayBuffer>;
  const read = parseNumbered(bytes.buffer);
  assert.deepEqual([read?.id, [...read!.bytes]], [2 ** 40, [1, 2]]);
});

Deno.test("toPayload() copies bytes, and refuses what JSON cannot hold", () => {
  const bytes = Uint8Array.of(1, 2, 3);
  const payload = toPayload(bytes.subarray(1));
  bytes.fill(9);
  assert.deepEqual(payload, Uint8Array.of(2, 3));
  assert.deepEqual(toPayload(Uint8Array.of(4).buffer), Uint8Array.of(4));
  for (const data of [undefined, () => {}, Symbol("x")]) {
    assert.throws(() => toPayload(data), TypeError);
  }
});

Deno.test("parseGatewayFrame() reads what the gateway writes", async (t) => {
  const both = toPromises("h8s.ack-resume.v1");
  const bytes = Uint8Array.of(5, 6);
  const numbered = renderNumbered({ kind: "binary", bytes }, 9) as Uint8Array<ArrayBuffer>;
  const table: [said: string | ArrayBuffer, protocol: string, read: GatewayFrame][] = [
    ["{}", "h8s.plain.v1", { type: "message", data: "{}", seq: undefined }],
    ["{}", "chat", { type: "message", data: "{}", seq: undefined }],
    [bytes.buffer, "chat", { type: "message", data: bytes, seq: undefined }],
    [bytes.buffer, "h8s.ack.v1", { type: "message", data: bytes, seq: undefined }],
    [renderData('{"ack":1}'), "h8s.ack.v1", { type: "message", data: '{"ack":1}', seq: undefined }],
    [renderAck(7, 12), "h8s.ack.v1", { type: "ack", id: 7, seq: 12 }],
    [renderAck(7, 12), "h8s.ack-resume.v1", { type: "ack", id: 7, seq: 12 }],
    [renderNumbered({ kind: "text", text: "" }, 3) as string, "h8s.resume.v1", {
      type: "message",
      data: "",
      seq: 3,
    }],
    [numbered.buffer, "h8s.resume.v1", { type: "message", data: bytes, seq: 9 }],
    [renderMark(4), "h8s.resume.v1", { type: "mark", seq: 4 }],
    [renderGap(2, 5), "h8s.resume.v1", { type: "gap", from: 2, to: 5 }],
    [renderGap(2, undefined), "h8s.resume.v1", { type: "gap", from: 2, to: undefined }],
  ];
  for (const [said, protocol, read] of table) {
    await t.step(`${said} in ${protocol}`, () => {
      assert.deepEqual(parseGatewayFrame(said, toPromises(protocol)), read);
    });
  }
  const welcome = { token: "t", windowMs: 1, seq: 2, isNew: true };
  assert.deepEqual(parseGatewayFrame(renderWelcome(welcome), both), {
    type: "welcome",
    ...welcome,
  });
});

Deno.test("parseGatewayFrame() refuses what no gateway writes", async (t) => {
  const resume = (welcome: object) => JSON.stringify({ resume: welcome });
  const table: [protocol: string, said: (string | ArrayBuffer)[]][] = [
    ["h8s.ack-resume.v1", ["{}", "hello", "[]", "null", "7", '"x"', ""]],
    ["h8s.ack-resume.v1", ['{"seq":1,"data":7}', '{"data":"x"}', '{"seq":"1","data":"x"}']],
    ["h8s.ack-resume.v1", ['{"seq":-1,"data":"x"}', '{"seq":1e400,"data":"x"}']],
    ["h8s.ack.v1", ['{"ack":1}', '{"ack":"1","seq":1}', '{"ack":1.5,"seq":1}', '{"mark":1}']],
    ["h8s.ack.v1", ['{"ack":1,"seq":null}', '{"ack":[1],"seq":1}', '{"data":{}}']],
    ["h8s.resume.v1", ['{"ack":1,"seq":1}', '{"mark":"9"}', '{"mark":1e99}', '{"gap":{}}']],
    ["h8s.resume.v1", ['{"gap":null}', '{"gap":{"from":1,"to":"2"}}', '{"resume":null}']],
    ["h8s.resume.v1", [{}, { token: "T" }, { token: "a b", seq: 1 }].map(resume)],
    ["h8s.resume.v1", [{ token: "x".repeat(300), seq: 1 }, { token: null, seq: 1 }].map(resume)],
    ["h8s.resume.v1", [new ArrayBuffer(0), new ArrayBuffer(7), new Uint8Array(9).fill(255).buffer]],
  ];
  for (const [protocol, said] of table) {
    for (const each of said) {
      await t.step(`${typeof each === "string" ? each : each.byteLength} in ${protocol}`, () => {
        assert.throws(() => parseGatewayFrame(each, toPromises(protocol)));
      });
    }
  }
});
