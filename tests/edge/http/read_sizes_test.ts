import assert from "node:assert/strict";
import { ReadSizes } from "../../../lib/edge/http/read_sizes.ts";
import { readBody } from "../../../lib/edge/http/body.ts";
import { Patience } from "../../../lib/edge/http/patience.ts";
import { Deadlines } from "../../../lib/edge/limits/deadlines.ts";
import { FakeClock } from "../../harness/fake_clock.ts";

Deno.test("a connection with one body is read as it is; from the second on, as much as both need", () => {
  const sizes = new ReadSizes();
  assert.deepEqual([1, 2, 3].map(() => sizes.grow("a", 1000)), [undefined, 2048, undefined]);
  assert.equal(sizes.grow("b", 1000), undefined);
  assert.deepEqual([1, 2].map(() => sizes.grow("a", 2000)), [4096, undefined]);
});

Deno.test("what has room for a head anyway, or is large, is left to the platform", () => {
  const sizes = new ReadSizes();
  for (const bytes of [3000, 10_240, 20_000, 1_000_000]) {
    assert.deepEqual([1, 2, 3].map(() => sizes.grow("a", bytes)), [
      undefined,
      undefined,
      undefined,
    ]);
  }
});

Deno.test("not more connections are remembered than there is room for", () => {
  const sizes = new ReadSizes();
  for (let index = 0; index < 25_000; index++) sizes.grow(`${index}`, 1000);
  assert.equal(sizes.grow("0", 1000), undefined);
  assert.equal(sizes.grow("24999", 1000), 2048);
});

Deno.test("the platform then reads a body with its head", async () => {
  const sizes = new ReadSizes();
  const deadlines = new Deadlines(new FakeClock(), () => {});
  const seen: [length: number, isThere: boolean][] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const isThere = seen.length === 2 && isBodyThere(request.clone());
      const body = await readBody(request, {
        room: 10_000,
        limit: 10_000,
        contentLength: "1000",
        patience: new Patience(1000, deadlines),
        toReadBytes: (bytes) => sizes.grow("a", bytes),
      });
      assert.ok(body.kind === "whole");
      seen.push([body.bytes.length, isThere]);
      return new Response();
    },
  );
  using connection = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  const head = `POST / HTTP/1.1\r\nHost: a\r\nX: ${
    "x".repeat(500)
  }\r\nContent-Length: 1000\r\n\r\n`;
  for (let count = 0; count < 3; count++) {
    await connection.write(new TextEncoder().encode(head + "b".repeat(1000)));
    await connection.read(new Uint8Array(1000));
  }
  assert.deepEqual(seen, [[1000, false], [1000, false], [1000, true]]);
});

/** Into a buffer of one's own only that can be read which has not come. */
function isBodyThere(request: Request): boolean {
  try {
    request.body!.getReader({ mode: "byob" });
    return false;
  } catch {
    return true;
  }
}
