import assert from "node:assert/strict";
import { parseTap } from "../../lib/commands/tap.ts";
import { toRequest } from "../../lib/commands/subject.ts";

Deno.test("parseTap() listens to what a pattern can mean, and takes of it what it means", async (t) => {
  const table: [pattern: string, subjects: string[], isMeant: [url: string, boolean][]][] = [
    ["GET shop.example/cart", [
      "h8s.http.GET.example.shop.cart",
      "h8s.upload.GET.example.shop.cart",
    ], [["shop.example:8080/cart", true], ["shop.example/%63art/", true], [
      "cart.shop.example/",
      false,
    ]]],
    ["ws */chat/*", ["h8s.ws.ws.>"], [["a/chat", true], ["b/chat/x", true], ["a/chatter", false]]],
    ["* *.shop.example", [
      ...["http.*", "upload.*", "ws.ws"].map((kind) => `h8s.${kind}.example.shop.>`),
    ], [["a.shop.example/x", true], ["shop.example/a", false]]],
    ["shop.example/*", [
      ...["http.*", "upload.*", "ws.ws"].flatMap((kind) => [
        `h8s.${kind}.example.shop`,
        `h8s.${kind}.example.shop.>`,
      ]),
    ], [["shop.example/", true]]],
  ];
  for (const [pattern, subjects, meant] of table) {
    await t.step(pattern, () => {
      const tap = parseTap(pattern, "h8s");
      assert.deepEqual(tap.subjects, subjects);
      for (const [url, isMeant] of meant) {
        const [host = "", ...path] = url.split("/");
        const headers = [
          ["X-H8s-Original-Host", host],
          ["X-H8s-Original-Path", `/${path.join("/")}`],
        ] as const;
        assert.equal(tap.isMeant(headers), isMeant, url);
      }
    });
  }
  for (const bad of ["", "get shop.example", "GET a b", "GET shop..example", "GET a/%"]) {
    assert.throws(() => parseTap(bad, "h8s"), /expected \[METHOD\] HOST\/PATH/, bad);
  }
});

Deno.test("toRequest() takes a URL as people type it", () => {
  const table: [text: string, url: string, kind: string][] = [
    ["shop.example/cart", "http://shop.example/cart", "http"],
    ["wss://shop.example/x?y", "https://shop.example/x?y", "websocket"],
    ["https://ann:pw@bücher.example:8443//a", "https://xn--bcher-kva.example:8443//a", "http"],
    ["[::1]:8080", "http://[::1]:8080", "http"],
  ];
  for (const [text, url, kind] of table) {
    const request = toRequest(text);
    assert.deepEqual([request.url, request.kind], [url, kind]);
  }
  assert.throws(() => toRequest("ftp://a"), /expected a URL/);
  assert.throws(() => toRequest("/cart"), /expected a URL/);
});
