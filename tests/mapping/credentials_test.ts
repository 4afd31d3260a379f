import assert from "node:assert/strict";
import fc from "fast-check";
import type { HeaderEntry } from "../../lib/mapping/headers.ts";
import {
  findBearer,
  findCookie,
  findParameter,
  withoutCredentials,
  withoutParameter,
} from "../../lib/mapping/credentials.ts";

Deno.test("findBearer() takes exactly one token", async (t) => {
  const table: [value: string, token: string | undefined][] = [
    ["Bearer abc.def-_~+/=", "abc.def-_~+/="],
    ["bearer  abc", "abc"],
    ["Bearer", undefined],
    ["Bearer ", undefined],
    ["Bearer a b", undefined],
    ["Bearer a, Bearer b", undefined],
    ["Bearer a,b", undefined],
    ["Basic abc", undefined],
    ["abc", undefined],
    ["", undefined],
  ];
  for (const [value, token] of table) {
    await t.step(value, () => assert.equal(findBearer([["authorization", value]]), token));
  }
  assert.equal(findBearer([]), undefined);
});

Deno.test("findCookie() finds one by its exact name", async (t) => {
  const table: [cookies: string, value: string | undefined][] = [
    ["token=x", "x"],
    ["a=1; token=x; b=2", "x"],
    ["a=1;token=x", "x"],
    ['token="x"', "x"],
    ["token=x=y", "x=y"],
    ["xtoken=1; Token=2", undefined],
    ["token", undefined],
    ["", undefined],
  ];
  for (const [cookies, value] of table) {
    await t.step(cookies, () => assert.equal(findCookie([["cookie", cookies]], "token"), value));
  }
});

Deno.test("withoutCredentials() takes out what it is told to, and nothing else", async (t) => {
  const all: HeaderEntry[] = [["authorization", "Bearer s"], ["cookie", "a=1; token=s; b=2"]];
  const table: [authorization: boolean, cookie: string | undefined, rest: HeaderEntry[]][] = [
    [false, undefined, all],
    [true, undefined, [["cookie", "a=1; token=s; b=2"]]],
    [false, "token", [["authorization", "Bearer s"], ["cookie", "a=1; b=2"]]],
    [true, "token", [["cookie", "a=1; b=2"]]],
    [true, "other", [["cookie", "a=1; token=s; b=2"]]],
  ];
  for (const [authorization, cookie, rest] of table) {
    await t.step(`${authorization} ${cookie}`, () => {
      assert.deepEqual(withoutCredentials(all, { authorization, cookie }), rest);
    });
  }
});

Deno.test("withoutCredentials() takes the parameter out of the page that led here", async (t) => {
  const table: [referer: string, rest: string][] = [
    ["https://shop.example/a?token=s", "https://shop.example/a"],
    ["https://shop.example/a?b=%2F&%74oken=s&c", "https://shop.example/a?b=%2F&c"],
    ["https://shop.example/token=s", "https://shop.example/token=s"],
    ["?token=s", ""],
  ];
  for (const [referer, rest] of table) {
    await t.step(referer, () => {
      const headers: HeaderEntry[] = [["referer", referer], ["x-page", referer]];
      const secrets = { authorization: false, query: "token" };
      const expected: HeaderEntry[] = [["referer", rest], ["x-page", referer]];
      assert.deepEqual(withoutCredentials(headers, secrets), expected);
      assert.deepEqual(withoutCredentials(headers, { authorization: true }), headers);
    });
  }
});

Deno.test("withoutCredentials() leaves no cookie that findCookie() would find", () => {
  const pair = fc.constantFrom("token=s", " token = s", "token", "a=token", "token=s=s", "", "b=2");
  fc.assert(fc.property(fc.array(pair), fc.constantFrom(";", "; ", " ; ", ";;"), (pairs, glue) => {
    const headers: HeaderEntry[] = [["cookie", pairs.join(glue)]];
    const rest = withoutCredentials(headers, { authorization: true, cookie: "token" });
    assert.equal(findCookie(rest, "token"), undefined);
    assert.ok(!rest.some(([, value]) => value.includes("=s")));
  }));
});

Deno.test("withoutParameter() leaves the rest of the query as it was written", async (t) => {
  const table: [query: string, rest: string][] = [
    ["token=s", ""],
    ["a=%2F&token=s&b", "a=%2F&b"],
    ["token=s&token=t", ""],
    ["%74oken=s&a=1", "a=1"],
    ["atoken=1&token2=2", "atoken=1&token2=2"],
    ["", ""],
  ];
  for (const [query, rest] of table) {
    await t.step(query, () => {
      assert.equal(withoutParameter(query, "token"), rest);
      assert.equal(findParameter(rest, "token"), undefined);
    });
  }
  assert.equal(findParameter("a=1&token=x%2By", "token"), "x+y");
});
