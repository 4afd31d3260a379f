import assert from "node:assert/strict";
import { splitNatsUrl } from "../../lib/mapping/nats_url.ts";

Deno.test("splitNatsUrl() leaves nothing of the login in the address", async (t) => {
  const table: [url: string, address: string, login: string | undefined][] = [
    ["nats://127.0.0.1:4222", "nats://127.0.0.1:4222", undefined],
    ["127.0.0.1:4222", "127.0.0.1:4222", undefined],
    ["nats://ann:secret@a:4222", "nats://a:4222", "ann:secret"],
    ["tls://t0ken@a", "tls://a", "t0ken"],
    ["ann:secret@a:4222", "a:4222", "ann:secret"],
    ["TLS://t0ken@a", "TLS://a", "t0ken"],
    ["nats://ann:sec@ret@a", "nats://a", "ann:sec@ret"],
    ["nats://a%40b:s%2F@[::1]:4222", "nats://[::1]:4222", "a%40b:s%2F"],
  ];
  for (const [url, address, login] of table) {
    await t.step(url, () => assert.deepEqual(splitNatsUrl(url), { address, login }));
  }
});
