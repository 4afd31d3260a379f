import assert from "node:assert/strict";
import { lend } from "../../../lib/edge/http/lend.ts";

const HEADERS = { "x-a": "1" };

Deno.test("lend() makes a response of the bytes themselves", async () => {
  const bytes = new Uint8Array(10).fill(1);
  const response = lend(bytes, { status: 201, headers: HEADERS });
  assert.deepEqual([response.status, [...response.headers]], [201, [["x-a", "1"]]]);
  // What nobody does: it shows that there is no copy.
  bytes[9] = 2;
  assert.deepEqual([...await response.bytes()], [1, 1, 1, 1, 1, 1, 1, 1, 1, 2]);
});

Deno.test("lend() lends to one response only", async () => {
  const all = ["a", "", "bc"].map((text) => lend(new TextEncoder().encode(text), {}));
  assert.deepEqual(await Promise.all(all.map((response) => response.text())), ["a", "", "bc"]);
});

Deno.test("lend() takes part of a buffer", async () => {
  const part = new TextEncoder().encode("head and body").subarray(9);
  assert.equal(await lend(part, {}).text(), "body");
});

Deno.test("lend() leaves it to a platform to copy as it likes", async () => {
  const { Response: real } = globalThis;
  globalThis.Response = class extends real {
    constructor(body: Uint8Array<ArrayBuffer>, init: ResponseInit) {
      super(String.fromCharCode(...body), init);
    }
  } as typeof Response;
  try {
    const response = lend(new TextEncoder().encode("hello"), { headers: HEADERS });
    assert.equal(await response.text(), "hello");
    assert.equal(response.headers.get("x-a"), "1");
  } finally {
    globalThis.Response = real;
  }
});
