import assert from "node:assert/strict";
import { DEFAULT_WINDOW_BYTES } from "../../lib/mapping/flow.ts";
import type { BusMessage } from "../../lib/nats/bus.ts";
import type { FlowInbox } from "../../lib/workload/http/flow_inbox.ts";
import { UploadBody } from "../../lib/workload/http/upload_body.ts";
import type { Link } from "../../lib/workload/link.ts";

Deno.test("single bytes of an upload that wait for a handler cost about a byte each, and stay in order", async () => {
  const { body, send, end } = make();
  const count = 400_000;
  const reader = body.readable.getReader();
  const first = reader.read();
  const begun = Deno.memoryUsage();
  for (let index = 0; index < count; index++) send(Uint8Array.of(index % 251));
  const now = Deno.memoryUsage();
  // What is garbage by now counts as well: a collection is not to be waited for.
  const grown = now.heapUsed + now.external - begun.heapUsed - begun.external;
  assert.ok(grown < 80 * count, `${grown} bytes`);
  end();
  const all: number[] = [];
  for (let step = await first; !step.done; step = await reader.read()) all.push(...step.value);
  assert.equal(all.length, count);
  assert.equal(all.findIndex((byte, index) => byte !== index % 251), -1);
});

Deno.test("an upload's handler is waited for at a window's length, and asked for more as it reads", async () => {
  const { body, send, end, credits } = make();
  const reader = body.readable.getReader();
  const first = reader.read();
  const piece = new Uint8Array(DEFAULT_WINDOW_BYTES / 4);
  for (let count = 0; count < 4; count++) send(piece);
  let length = (await first).value!.length;
  assert.equal(credits.length, 0);
  while (length < DEFAULT_WINDOW_BYTES) length += (await reader.read()).value!.length;
  assert.equal(credits.length, 4);
  send(piece);
  end();
  let rest = 0;
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    rest += step.value.length;
  }
  assert.equal(rest, piece.length);
});

function make() {
  let listen: (message: BusMessage) => void = () => {};
  const credits: string[] = [];
  const link = {
    publish(subject: string) {
      if (subject === "credit") credits.push(subject);
      return true;
    },
  } as Partial<Link> as Link;
  const flow = {
    open(onMessage: typeof listen) {
      listen = onMessage;
      return { subject: "chunks", close() {} };
    },
  } as Partial<FlowInbox> as FlowInbox;
  const body = new UploadBody(link, { flow, inbox: "inbox" });
  const send = (data: Uint8Array) =>
    listen({ subject: "chunks", reply: "credit", headers: "", data });
  return { body, credits, send, end: () => send(new Uint8Array()) };
}
