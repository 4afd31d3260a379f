import assert from "node:assert/strict";
import { splitNatsUrl, withPort } from "../../lib/mapping/nats_url.ts";

Deno.test("splitNatsUrl() leaves nothing of the login in the address", async (t) => {
  const table: [url: string, address: string, login: string | undefined][] = [
    ["nats://127.0.0.1:4222", "nats://127.0.0.1:4222", undefined],
    ["127.0.0.1:4222", "127.0.0.1:4222", undefined],
    ["nats://ann:secret@a:4222", "nats://a:4222", "ann:secret"],
    ["tls://t0ken@a", "tls://a", "t0ken"],
    ["ann:secret@a:4222", "a:4222", "ann:secret"],
    ["TLS://t0ken@a", "TLS://a", "t0ken"],
    ["nats://ann:sec@ret@a", "nats://a", "ann:sec@ret"],
    ["wss://ann:secret@a/b@c", "wss://a/b@c", "ann:secret"],
    ["nats://a%40b:s%2F@[::1]:4222", "nats://[::1]:4222", "a%40b:s%2F"],
  ];
  for (const [url, address, login] of table) {
    await t.step(url, () => assert.deepEqual(splitNatsUrl(url), { address, login }));
  }
});

Deno.test("withPort() says the port that a WebSocket has without one", async (t) => {
  const table: [address: string, expected: string][] = [
    ["ws://a", "ws://a:80"],
    ["WSS://a", "WSS://a:443"],
    ["wss://a/b:1", "wss://a:443/b:1"],
    ["wss://a?b", "wss://a:443?b"],
    ["ws://[::1]", "ws://[::1]:80"],
    ["ws://[::1]:8080/b", "ws://[::1]:8080/b"],
    ["ws://a:8080", "ws://a:8080"],
    ["nats://a", "nats://a"],
    ["a", "a"],
  ];
  for (const [address, expected] of table) {
    await t.step(address, () => assert.equal(withPort(address), expected));
  }
});
