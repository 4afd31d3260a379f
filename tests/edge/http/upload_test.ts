import assert from "node:assert/strict";
import type { BodyChunks } from "../../../lib/edge/http/body_reader.ts";
import { Upload } from "../../../lib/edge/http/upload.ts";
import type { PublishOptions } from "../../../lib/nats/bus.ts";
import { Inbox } from "../../../lib/nats/inbox.ts";
import { FakeBus } from "../../nats/fake_bus.ts";

/** It copies what is small, and what is large still waits when a test ends. */
class CopyingBus extends FakeBus {
  override publish(subject: string, data: Uint8Array, options: PublishOptions = {}): boolean {
    if (data.length < 16 * 1024) options.onWritten?.();
    return super.publish(subject, data, options);
  }
}

Deno.test("a chunk is given back when all of it has gone, and not when its last piece has", async () => {
  const bus = new CopyingBus();
  using inbox = new Inbox(bus, "g");
  const returned: number[] = [];
  async function* read() {
    yield new Uint8Array(10_000);
    yield new Uint8Array(23_000);
    yield new Uint8Array(5_000);
  }
  const giveBack = ({ length }: Uint8Array) => void returned.push(length);
  const chunks: BodyChunks = Object.assign(read(), { giveBack });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  const upload = new Upload(chunks, { bus, inbox }, {
    visit: { onBody() {}, onUpload: (step) => step === "uploaded" && resolve() },
    onPhase() {},
    onFailure: reject,
  });
  upload.begin("_INBOX.w", 64 * 1024);
  await promise;
  assert.deepEqual(bus.published.map(({ data }) => data.length), [10_000, 16_384, 6_616, 5_000, 0]);
  assert.deepEqual(returned, [10_000, 5_000]);
});
