import assert from "node:assert/strict";
import { GatewayError } from "../../lib/errors.ts";
import { parseOffer, pickSubprotocol } from "../../lib/mapping/subprotocol.ts";

Deno.test("parseOffer() tells what may be picked from what is said in passing", async (t) => {
  const table: [header: string | null, names: string[], asides: Record<string, string>][] = [
    [null, [], {}],
    ["chat", ["chat"], {}],
    ["a,b", ["a", "b"], {}],
    ["a, b ,c", ["a", "b", "c"], {}],
    ["a, ", ["a"], {}],
    [",a,,b", ["a", "b"], {}],
    ["bearer.abc.def", [], { bearer: "abc.def" }],
    ["chat, bearer.one, bearer.two", ["chat"], { bearer: "one" }],
    ["h8s.ack.v1, h8s.ack.client.c1", ["h8s.ack.v1"], { ackClient: "c1" }],
    ["h8s.plain.v1, h8s.ping.w1", ["h8s.plain.v1"], { ping: "w1" }],
    ["h8s.resume.token.t.12, x", ["x"], { resumeToken: "t.12" }],
  ];
  for (const [header, names, asides] of table) {
    await t.step(String(header), () => assert.deepEqual(parseOffer(header), { names, asides }));
  }
});

Deno.test("parseOffer() refuses what is no list of tokens", () => {
  for (const header of ["", ",", " , ", "a b", 'a"b', "a,b c"]) {
    assert.throws(() => parseOffer(header), isMalformed, header);
  }
});

Deno.test("pickSubprotocol() takes the first one that can be spoken", async (t) => {
  const table: [names: string[], spoken: string[], picked: string | undefined][] = [
    [[], [], undefined],
    [["a", "b"], [], "a"],
    [["h8s.ack.v1", "b"], [], "b"],
    [["h8s.ack.v1", "b"], ["h8s.ack.v1"], "h8s.ack.v1"],
    [["b", "h8s.ack.v1"], ["h8s.ack.v1"], "b"],
    // A credential is for the workload to read.
    [["base64url.bearer.authorization.k8s.io.c2VjcmV0", "b"], [], "b"],
    [["base64url.bearer.authorization.k8s.io.c2VjcmV0"], [], undefined],
  ];
  for (const [names, spoken, picked] of table) {
    await t.step(`${names} of ${spoken}`, () => {
      assert.equal(pickSubprotocol(names, spoken), picked);
    });
  }
});

Deno.test("pickSubprotocol() refuses an offer of which nothing can be spoken", () => {
  assert.throws(() => pickSubprotocol(["h8s.ack.v1"], []), isMalformed);
});

function isMalformed(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "malformed_request";
}
