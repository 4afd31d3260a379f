import assert from "node:assert/strict";
import { app } from "../../examples/hono/app.ts";
import { serve } from "../../lib/workload/mod.ts";
import { setUp } from "../harness/setup.ts";

/** What the server adds or takes, whatever the app says: framing, and what is for one hop only. */
const OF_THE_SERVER: ReadonlySet<string> = new Set([
  "connection",
  "content-length",
  "date",
  "transfer-encoding",
  "vary",
]);

const REQUESTS: [method: string, path: string, init?: RequestInit][] = [
  ["GET", "/"],
  ["HEAD", "/"],
  ["GET", "/json?a=1&b=%20x&a=2"],
  ["GET", "/users/J%C3%BCrgen"],
  ["GET", "/pixel.gif"],
  ["GET", "/old"],
  ["GET", "/headers", { headers: { "x-question": "6 x 7" } }],
  ["POST", "/echo", { body: crypto.getRandomValues(new Uint8Array(50_000)) }],
  ["PUT", "/form", { body: new URLSearchParams({ name: "Ann", text: "a&b=c" }) }],
  ["GET", "/cookies", { headers: { cookie: "visits=3; old=1" } }],
  ["GET", "/stream"],
  ["GET", "/events"],
  ["DELETE", "/gone"],
  ["GET", "/not-there"],
  ["POST", "/json"],
];

Deno.test("a Hono app answers over NATS as it answers directly", async (t) => {
  await using setup = await setUp();
  await using service = serve(setup.nc, { host: "*" }, app.fetch);
  await service.ready;
  for (const [method, path, init] of REQUESTS) {
    await t.step(`${method} ${path}`, async () => {
      const url = `${setup.gateway.url}${path}`;
      const options = { ...init, method, redirect: "manual" } as const;
      const direct = await read(await app.request(url, options));
      const overNats = await read(await fetch(url, options));
      assert.deepEqual(overNats, direct);
    });
  }
});

async function read(response: Response) {
  return {
    status: response.status,
    headers: [...response.headers].filter(([name]) => !OF_THE_SERVER.has(name)),
    body: [...new Uint8Array(await response.arrayBuffer())],
  };
}
