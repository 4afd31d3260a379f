import assert from "node:assert/strict";
import type { HeaderEntry } from "../../lib/mapping/headers.ts";
import { maskHeader, maskQuery } from "../../lib/mapping/masking.ts";
import { toTapHead } from "../../lib/mapping/tap.ts";

/** As no JSON Web Token could be shorter; the last part is what proves who it is. */
const TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.EZP0XimtvX_N";

Deno.test("what people see of a message holds no credential, by whatever name it comes", async (t) => {
  const secret: HeaderEntry[] = [
    ["Authorization", "Bearer s3cret"],
    ["Proxy-Authorization", "Basic s3cret"],
    ["X-Authorization", "s3cret"],
    ["Authentication", "s3cret"],
    ["X-Auth", "s3cret"],
    ["X-Auth-Key", "s3cret"],
    ["Api-Key", "s3cret"],
    ["Apikey", "s3cret"],
    ["X-Access-Key", "s3cret"],
    ["X-Pass", "s3cret"],
    ["X-Pwd", "s3cret"],
    ["X-Otp", "s3cret"],
    ["X-Pin", "s3cret"],
    ["DPoP", "s3cret"],
    ["Cookie", "a=s3cret"],
    ["Cookie2", "s3cret"],
    ["X-H8s-Claims", "s3cret"],
    ["X-Fnord", "Bearer s3cret"],
    ["X-Fnord", "one, basic  s3cret"],
    ["X-Fnord", TOKEN],
    ["X-Fnord", `a ${TOKEN.replaceAll(".", "%2E")}`],
    ["Referer", "https://me:s3cret@a/b"],
    ["Referer", "https://a/b?t=s3cret#u=s3cret"],
    ["X-H8s-Original-Query", "t=s3cret&s3cretWithoutAnyName&flag"],
  ];
  for (const [name, value] of secret) {
    await t.step(`${name}: ${value}`, () => {
      const shown = maskHeader([name, value])[1];
      assert.ok(shown.includes("•••"), shown);
      assert.doesNotMatch(shown, /s3cret|EZP0XimtvX_N/);
    });
  }
  await t.step("and the rest is shown", () => {
    const plain: HeaderEntry[] = [
      ["Accept", "text/html, */*;q=0.8"],
      ["User-Agent", "curl/8 (basic)"],
      ["X-Spinner", "1"],
      ["X-H8s-PublishSubject", "h8s.http.GET.example.a"],
      ["X-H8s-Original-Query", "flag&debug"],
      ["Origin", "https://shop.example"],
    ];
    for (const entry of plain) assert.deepEqual(maskHeader(entry), entry);
    assert.equal(maskQuery("a=1&b&c="), "a=•••&b&c=•••");
  });
});

Deno.test("the head of a message shows no session, wherever the route puts it", () => {
  const many = Array.from({ length: 50 }, (_, index): HeaderEntry => [`X-${index}`, "v"]);
  const head = toTapHead({
    subject: `h8s.0123abcd.in.${TOKEN.replaceAll(".", "%2E")}`,
    headers: [["X-H8s-PublishSubject", "h8s.0123abcd.in"], ...many, ["Client-Id", "0123abcd"]],
    size: 0,
  }, 0);
  assert.equal(head.subject, "h8s.•••.in.•••");
  assert.deepEqual(head.headers[0], ["X-H8s-PublishSubject", "h8s.•••.in"]);
});
