import assert from "node:assert/strict";
import { type FlowSignal, parseFlowSignal, renderFlowSignal } from "../../lib/mapping/flow.ts";

Deno.test("a flow signal comes back as it was written", async (t) => {
  const table: [signal: FlowSignal, block: string][] = [
    [{ kind: "ask" }, "NATS/1.0\r\nX-H8s-Credit: ask\r\n\r\n"],
    [{ kind: "credit", bytes: 65536 }, "NATS/1.0\r\nX-H8s-Credit: 65536\r\n\r\n"],
    [{ kind: "cancel", reason: "ctx_done" }, "NATS/1.0\r\nX-H8s-Cancel: ctx_done\r\n\r\n"],
    [{ kind: "continue", windowBytes: 1048576 }, "NATS/1.0\r\nX-H8s-Continue: 1048576\r\n\r\n"],
  ];
  for (const [signal, block] of table) {
    await t.step(signal.kind, () => {
      assert.equal(renderFlowSignal(signal), block);
      assert.deepEqual(parseFlowSignal(block), signal);
      assert.deepEqual(parseFlowSignal(block.toLowerCase().replace("nats", "NATS")), signal);
    });
  }
});

Deno.test("what is no flow signal is none, and what is no number grants nothing", () => {
  assert.equal(parseFlowSignal(""), undefined);
  assert.equal(parseFlowSignal("NATS/1.0\r\nX-H8s-Frame: text\r\n\r\n"), undefined);
  assert.equal(parseFlowSignal("NATS/1.0\r\nX-Other: X-H8s-Credit: 1\r\n\r\n"), undefined);
  for (const text of ["", "-1", "1e9", "many", "9".repeat(20)]) {
    const signal = parseFlowSignal(`NATS/1.0\r\nX-H8s-Credit: ${text}\r\n\r\n`);
    assert.deepEqual(signal, { kind: "credit", bytes: 0 });
  }
});
