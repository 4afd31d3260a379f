import assert from "node:assert/strict";
import { parseConfig } from "../../lib/config/schema.ts";
import { Peers } from "../../lib/edge/peer.ts";
import { RequestIds } from "../../lib/edge/request_ids.ts";

const config = parseConfig({ trustedProxies: ["10.0.0.0/8"], maxHeaderBytes: "1KiB" });
const peers = new Peers({ config: () => config, ids: new RequestIds() });

Deno.test("a trusted proxy's word is read, and nobody else's", () => {
  const request = new Request("http://a.example/", { headers: { forwarded: "for=192.0.2.7" } });
  const byProxy = peers.identify(request, "10.0.0.1");
  assert.deepEqual([byProxy.clientAddress, byProxy.isProxied], ["192.0.2.7", true]);
  const byClient = peers.identify(request, "192.0.2.9");
  assert.deepEqual([byClient.clientAddress, byClient.isProxied], ["192.0.2.9", false]);
});

Deno.test("what is over the limit of all headers is refused later, and not read before", async (t) => {
  for (const name of ["forwarded", "x-forwarded-for", "x-forwarded-host", "x-request-id"]) {
    await t.step(name, () => {
      const value = name === "forwarded" ? "for=192.0.2.7," : "192.0.2.7,";
      const headers = { [name]: `${value.repeat(200)}${value.slice(0, -1)}` };
      const peer = peers.identify(new Request("http://a.example/", { headers }), "10.0.0.1");
      assert.deepEqual([peer.clientAddress, peer.host], ["10.0.0.1", undefined]);
    });
  }
});

Deno.test("of a proxy that sets some headers, all others are what a client says", async (t) => {
  const headers = {
    "x-forwarded-for": "192.0.2.7",
    "x-forwarded-proto": "https",
    "x-forwarded-host": "b.example",
    "x-request-id": "mine",
    "forwarded": "for=192.0.2.8;proto=https",
  };
  const table: [set: string, client: string, scheme: string, host: string | undefined][] = [
    ["X-Forwarded-For", "192.0.2.7", "http", undefined],
    ["X-Forwarded-For,X-Forwarded-Proto", "192.0.2.7", "https", undefined],
    ["x-forwarded-*", "192.0.2.7", "https", "b.example"],
    ["Forwarded", "192.0.2.8", "https", undefined],
    ["X-Real-Ip", "10.0.0.1", "http", undefined],
  ];
  for (const [set, client, scheme, host] of table) {
    await t.step(set, () => {
      const config = parseConfig({ trustedProxies: ["10.0.0.0/8"], proxyHeaders: [set] });
      const peers = new Peers({ config: () => config, ids: new RequestIds() });
      const peer = peers.identify(new Request("http://a.example/", { headers }), "10.0.0.1");
      assert.deepEqual([peer.clientAddress, peer.scheme, peer.host], [client, scheme, host]);
      assert.notEqual(peer.requestId, "mine");
    });
  }
});
