import assert from "node:assert/strict";
import { ReceiveBudget } from "../../../lib/edge/limits/receive_budget.ts";
import type { Handshake } from "../../../lib/edge/socket/handshake.ts";
import { Uplink, type UplinkParts } from "../../../lib/edge/socket/uplink.ts";
import { toHeaderLine } from "../../../lib/mapping/headers.ts";
import type { Bus } from "../../../lib/nats/bus.ts";
import type { PersistentMessage } from "../../../lib/nats/jetstream/persist.ts";

const LINES = toHeaderLine("Cookie", "c".repeat(30_000));

/** A client's messages into a stream that acknowledges none of them. */
function toStream(unsentBytes: () => number) {
  const bus = {
    state: "connected",
    maxPayload: 1_000_000,
    get unsentBytes() {
      return unsentBytes();
    },
  } as Partial<Bus> as Bus;
  const limits = { wsReceiveBuffer: 1_000_000, wsReceiveTotal: 100_000_000 };
  const waiting: PersistentMessage[] = [];
  const parts = {
    ...{ bus, budget: new ReceiveBudget(bus, () => limits) },
    config: () => ({ maxBodySize: 1_000_000 }),
    persist: { stream: "said", publish: (message: PersistentMessage) => waiting.push(message) },
  } as unknown as UplinkParts;
  const admitted = { isPersistent: true, subject: "a.b", socketId: "1", visit: { onMessage() {} } };
  const closes: number[] = [];
  const uplink = new Uplink(admitted as unknown as Handshake, {
    ...{ parts, inbox: "inbox", lines: LINES },
    owner: { close: ({ code }) => closes.push(code), tell() {} },
  });
  return { uplink, waiting, closes };
}

Deno.test("what waits for the stream does not hold the handshake's lines again and again", () => {
  const { uplink, waiting, closes } = toStream(() => 0);
  for (let count = 0; count < 1000; count++) uplink.receive("x");
  assert.deepEqual(closes, []);
  const text = new TextDecoder().decode(waiting[7]!.headers);
  assert.ok(text.startsWith(`NATS/1.0\r\n${LINES}`) && text.includes("Nats-Msg-Id: 1-8\r\n"));
});

Deno.test("but what is on its way to the stream does, and whoever says too much then has to go", () => {
  let unsent = 0;
  const { uplink, closes } = toStream(() => unsent += LINES.length);
  for (let count = 0; count < 30; count++) uplink.receive("x");
  assert.deepEqual(closes, []);
  for (let count = 0; count < 30; count++) uplink.receive("x");
  assert.equal(closes[0], 1008);
});
