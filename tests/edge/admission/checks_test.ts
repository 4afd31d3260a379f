import assert from "node:assert/strict";
import type { Check } from "../../../lib/edge/admission/check.ts";
import { hostFilter } from "../../../lib/edge/admission/host.ts";
import { registeredInterest } from "../../../lib/edge/admission/interest.ts";
import { checkOrigin } from "../../../lib/edge/admission/origin.ts";
import { headerBytes, headerCount, urlLength } from "../../../lib/edge/admission/size.ts";
import type { GatewayError } from "../../../lib/errors.ts";
import { type CandidateOptions, toCandidate } from "./candidate.ts";

const PASSES = undefined;
type Row = readonly [options: CandidateOptions, code: string | undefined];

async function checkTable(t: Deno.TestContext, check: Check, table: readonly Row[]): Promise<void> {
  for (const [options, code] of table) {
    await t.step(JSON.stringify(options), () => {
      assert.equal(tryCheck(check, options), code);
    });
  }
}

function tryCheck(check: Check, options: CandidateOptions): string | undefined {
  try {
    check(toCandidate(options));
    return PASSES;
  } catch (error) {
    return (error as GatewayError).code;
  }
}

Deno.test("urlLength() counts path and query", (t) =>
  checkTable(t, urlLength(10), [
    [{ url: "http://a.very.long.host.example/12345?789" }, PASSES],
    [{ url: "http://a.example/12345?7890" }, PASSES],
    [{ url: "http://a.example/12345?78901" }, "uri_too_long"],
    [{ url: "http://a.example/1234567890" }, "uri_too_long"],
  ]));

Deno.test("headerCount() counts the lines", (t) =>
  checkTable(t, headerCount(3), [
    [{ headers: { a: "1", b: "2" } }, PASSES],
    [{ headers: { a: "1", b: "2", c: "3" } }, "headers_too_large"],
  ]));

Deno.test("headerBytes() counts names, values and what is between them", (t) =>
  // "host: shop.example\r\n" is 20 bytes
  checkTable(t, headerBytes(30), [
    [{ headers: { a: "12345" } }, PASSES],
    [{ headers: { a: "123456" } }, "headers_too_large"],
  ]));

Deno.test("hostFilter() serves what it names", (t) =>
  checkTable(t, hostFilter(["shop.example", "*.b.example"]), [
    [{ url: "http://shop.example:8080/" }, PASSES],
    [{ url: "http://SHOP.example/" }, PASSES],
    [{ url: "http://a.b.example/" }, PASSES],
    [{ url: "http://b.example/" }, "host_not_served"],
    [{ url: "http://shop.example.evil/" }, "host_not_served"],
    [{ url: "http://127.0.0.1/" }, "host_not_served"],
  ]));

Deno.test("checkOrigin() takes exact origins, and null only where it is listed", (t) =>
  checkTable(t, ofList(["https://shop.example", "http://a.example:8080"]), [
    [{}, PASSES],
    [{ headers: { origin: "https://shop.example" } }, PASSES],
    [{ headers: { origin: "https://SHOP.example" } }, PASSES],
    [{ headers: { origin: "http://a.example:8080" } }, PASSES],
    [{ headers: { origin: "http://shop.example" } }, "origin_not_allowed"],
    [{ headers: { origin: "https://shop.example:8443" } }, "origin_not_allowed"],
    [{ headers: { origin: "https://shop.example.evil" } }, "origin_not_allowed"],
    [{ headers: { origin: "https://shop.example, https://evil" } }, "origin_not_allowed"],
    [{ headers: { origin: "null" } }, "origin_not_allowed"],
    [{ headers: { origin: "*" } }, "origin_not_allowed"],
    [{ headers: { origin: "" } }, "origin_not_allowed"],
    [{ kind: "websocket", headers: { origin: "https://evil" } }, "origin_not_allowed"],
  ]));

Deno.test("checkOrigin() with null listed", (t) =>
  checkTable(t, ofList(["null"]), [
    [{ headers: { origin: "null" } }, PASSES],
    [{ headers: { origin: "https://a.example" } }, "origin_not_allowed"],
  ]));

Deno.test("checkOrigin() without a list keeps the pages of other hosts from opening a WebSocket", (t) => {
  const from = (origin: string, url = "http://shop.example/"): CandidateOptions => ({
    kind: "websocket",
    url,
    headers: { origin },
  });
  return checkTable(t, ofList(undefined), [
    [{ kind: "websocket" }, PASSES],
    [{ kind: "http", headers: { origin: "https://evil" } }, PASSES],
    [from("http://shop.example"), PASSES],
    [from("https://shop.example"), PASSES],
    [from("https://SHOP.example"), PASSES],
    [from("http://shop.example:8080", "http://shop.example:8080/"), PASSES],
    [from("http://[2001:db8::1]", "http://[2001:db8::1]/"), PASSES],
    [from("http://shop.example:8080"), "origin_not_allowed"],
    [from("http://shop.example", "http://shop.example:8080/"), "origin_not_allowed"],
    [from("https://evil.example"), "origin_not_allowed"],
    [from("https://shop.example.evil"), "origin_not_allowed"],
    [from("https://evil.example@shop.example.evil"), "origin_not_allowed"],
    [from("null"), "origin_not_allowed"],
    [from(""), "origin_not_allowed"],
    [from("file://shop.example"), "origin_not_allowed"],
    [from("http://shop.example, http://evil"), "origin_not_allowed"],
  ]);
});

Deno.test("registeredInterest() asks for host, path and method", (t) => {
  const has = (query: unknown) =>
    JSON.stringify(query) ===
      '{"hostTokens":"example.shop","pathTokens":"cart","method":"ws"}';
  return checkTable(t, registeredInterest({ has }), [
    [{ kind: "websocket", url: "http://shop.example/cart" }, PASSES],
    [{ kind: "http", url: "http://shop.example/cart" }, "no_interest"],
    [{ kind: "websocket", url: "http://shop.example/" }, "no_interest"],
  ]);
});

function ofList(allowed: readonly string[] | undefined): Check {
  return (candidate) => checkOrigin(candidate, allowed);
}
