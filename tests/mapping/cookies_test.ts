import assert from "node:assert/strict";
import { readCookie, withoutCookie } from "../../lib/mapping/cookies.ts";

Deno.test("what is read under a name is not there any more without it", async (t) => {
  const table: [cookies: string, value: string | undefined, rest: string][] = [
    ["a=1", "1", ""],
    ["a=1; b=2", "1", "b=2"],
    ["b=2;a=1", "1", "b=2"],
    ["a=1; a=2; b=3", "1", "b=3"],
    [" a = 1 ;b=2", "1", "b=2"],
    ['a="1"', "1", ""],
    ["a=x%20y", "x%20y", ""],
    ["a=b=c", "b=c", ""],
    ["aa=1; A=2", undefined, "aa=1; A=2"],
    ["a; b=2", undefined, "b=2"],
    ["", undefined, ""],
  ];
  for (const [cookies, value, rest] of table) {
    await t.step(JSON.stringify(cookies), () => {
      assert.equal(readCookie(cookies, "a"), value);
      assert.equal(withoutCookie(cookies, "a"), rest);
      assert.equal(readCookie(rest, "a"), undefined);
    });
  }
});
