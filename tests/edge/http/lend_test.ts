import assert from "node:assert/strict";
import { lend } from "../../../lib/edge/http/lend.ts";
import { free } from "../../../lib/nats/free.ts";

const HEADERS = { "x-a": "1" };
const LARGE = 100_000;

Deno.test("lend() makes a response of the bytes themselves", async () => {
  const bytes = new Uint8Array(LARGE).fill(1);
  const response = lend(bytes, { status: 201, headers: HEADERS });
  assert.deepEqual([response.status, [...response.headers]], [201, [["x-a", "1"]]]);
  // What nobody does: it shows that there is no copy.
  bytes[LARGE - 1] = 2;
  const body = await response.bytes();
  assert.deepEqual([body.length, body[0], body.at(-1)], [LARGE, 1, 2]);
});

Deno.test("lend() lends to one response only", async () => {
  const texts = ["a".repeat(LARGE), "", "bc", "d".repeat(LARGE + 1)];
  const all = texts.map((text) => lend(new TextEncoder().encode(text), {}));
  assert.deepEqual(await Promise.all(all.map((response) => response.text())), texts);
});

Deno.test("lend() takes part of a buffer", async () => {
  const body = "b".repeat(LARGE);
  const part = new TextEncoder().encode(`head and ${body}`).subarray(9);
  assert.equal(await lend(part, {}).text(), body);
});

Deno.test("lend() leaves it to a platform to copy as it likes", async () => {
  const { Response: real } = globalThis;
  globalThis.Response = class extends real {
    constructor(body: Uint8Array<ArrayBuffer>, init: ResponseInit) {
      super(new TextDecoder().decode(body), init);
    }
  } as typeof Response;
  try {
    const body = "b".repeat(LARGE);
    const response = lend(new TextEncoder().encode(body), { headers: HEADERS });
    assert.equal(await response.text(), body);
    assert.equal(response.headers.get("x-a"), "1");
  } finally {
    globalThis.Response = real;
  }
});

Deno.test("what was lent goes out whole, however late its client reads, though its memory was given back", async () => {
  const size = 20_000_000;
  const given = Promise.withResolvers<void>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (_, info) => {
    const bytes = new Uint8Array(size).fill(1);
    info.completed.then(() => {
      free(bytes);
      // Whoever gets that memory next writes into it.
      new Uint8Array(size).fill(2);
      given.resolve();
    });
    return lend(bytes, {});
  });
  using client = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  await client.write(encoder.encode("GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"));
  await given.promise;
  const { length, isOnes } = await readBody(client);
  assert.deepEqual({ length, isOnes }, { length: size, isOnes: true });
});

const encoder = new TextEncoder();

/** What comes after the head, until the end. */
async function readBody(client: Deno.Conn): Promise<{ length: number; isOnes: boolean }> {
  let [length, isOnes, isHead] = [0, true, true];
  for await (const chunk of client.readable) {
    const at = isHead ? new TextDecoder("latin1").decode(chunk).indexOf("\r\n\r\n") + 4 : 0;
    isHead = false;
    length += chunk.length - at;
    isOnes &&= chunk.subarray(at).every((byte) => byte === 1);
  }
  return { length, isOnes };
}
