import assert from "node:assert/strict";
import { RequestHeads } from "../../lib/edge/request_head.ts";
import type { HeaderEntry } from "../../lib/mapping/headers.ts";

const LINES = ["Host: a.example", "X-Two: 1", "Accept: */*", "x-two: 2", "Empty:"];

Deno.test("RequestHeads reads what the platform's Headers have, whatever the server is given", async () => {
  const heads = new RequestHeads();
  const { promise, resolve } = Promise.withResolvers<[HeaderEntry[], HeaderEntry[]]>();
  await using server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, (request) => {
    resolve([heads.read(request), [...request.headers]]);
    return new Response();
  });
  using conn = await Deno.connect({ hostname: "127.0.0.1", port: server.addr.port });
  const head = ["GET / HTTP/1.1", ...LINES, "Connection: close", "", ""].join("\r\n");
  await conn.write(new TextEncoder().encode(head));
  const [read, expected] = await promise;
  assert.deepEqual(toSorted(read), expected);
  assert.deepEqual(read.find(([name]) => name === "x-two"), ["x-two", "1, 2"]);
});

Deno.test("RequestHeads reads a request of which it finds nothing but Headers", () => {
  const headers = new Headers({ "X-B": "2", a: "1" });
  const request = { headers } as Request;
  assert.deepEqual(new RequestHeads().read(request), [["a", "1"], ["x-b", "2"]]);
});

Deno.test("RequestHeads makes the names of a request that was made here lower case", () => {
  const request = new Request("http://a/", { headers: { "X-B": "2" } });
  assert.deepEqual(new RequestHeads().read(request), [["x-b", "2"]]);
});

function toSorted(entries: readonly HeaderEntry[]): HeaderEntry[] {
  return entries.toSorted(([a], [b]) => a < b ? -1 : 1);
}
