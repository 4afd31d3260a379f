import assert from "node:assert/strict";
import { Access } from "../../lib/admin/access.ts";

const KEY = "correct-horse-battery";
const HOUR_MS = 3_600_000;

function ask(url: string, headers: Record<string, string> = {}): Request {
  return new Request(url, { headers });
}

/** As a browser sends it back. */
function toCookie(setCookie: string): string {
  return setCookie.split(";")[0]!;
}

Deno.test("without a key the page is for this machine, under its own names, alone", async (t) => {
  const access = new Access(() => undefined);
  const table: [url: string, remote: string, headers: Record<string, string>, isIn: boolean][] = [
    ["http://localhost:8081/", "127.0.0.1", {}, true],
    ["http://127.0.0.1:8081/", "127.0.0.1", {}, true],
    ["http://127.3.4.5/", "127.3.4.5", {}, true],
    ["http://[::1]:8081/", "::1", {}, true],
    ["http://[::1]:8081/", "::ffff:127.0.0.1", {}, true],
    ["http://h8s.localhost/", "127.0.0.1", {}, true],
    // Somebody's page whose name means 127.0.0.1 now.
    ["http://evil.example:8081/", "127.0.0.1", {}, false],
    ["http://localhost.evil.example/", "127.0.0.1", {}, false],
    ["http://127.0.0.1.nip.example/", "127.0.0.1", {}, false],
    ["http://10.0.0.7:8081/", "10.0.0.9", {}, false],
    ["http://localhost:8081/", "10.0.0.9", {}, false],
    ["http://localhost:8081/", "", {}, false],
    ["http://localhost:8081/", "127.0.0.1", { "x-forwarded-for": "203.0.113.1" }, false],
    ["http://localhost:8081/", "127.0.0.1", { forwarded: "for=203.0.113.1" }, false],
    ["http://localhost:8081/", "127.0.0.1", { "sec-fetch-site": "cross-site" }, false],
    ["http://localhost:8081/", "127.0.0.1", { "sec-fetch-site": "same-site" }, false],
    ["http://localhost:8081/", "127.0.0.1", { "sec-fetch-site": "same-origin" }, true],
  ];
  for (const [url, remote, headers, isIn] of table) {
    await t.step(`${url} of ${remote} ${JSON.stringify(headers)}`, () => {
      assert.equal(access.refuse(ask(url, headers), remote)?.status, isIn ? undefined : 403);
    });
  }
});

Deno.test("with a key whoever shows it comes in, from anywhere", () => {
  const access = new Access(() => KEY);
  const refuse = (headers: Record<string, string>) =>
    access.refuse(ask("http://gateway.example/", headers), "10.0.0.9")?.status;
  assert.equal(refuse({}), 401);
  assert.equal(refuse({ authorization: `Bearer ${KEY}` }), undefined);
  assert.equal(refuse({ authorization: `bearer ${KEY}` }), undefined);
  for (const wrong of [`Bearer ${KEY}x`, `Bearer ${KEY.slice(1)}`, "Bearer", `Basic ${KEY}`]) {
    assert.equal(refuse({ authorization: wrong }), 401, wrong);
  }
  // This machine needs it as well.
  assert.equal(access.refuse(ask("http://localhost/"), "127.0.0.1")?.status, 401);
});

Deno.test("the cookie of a login lets in for twelve hours, while the key is the same", () => {
  let now = 1_000_000;
  let key = KEY;
  const access = new Access(() => key, () => now);
  const form = ask("http://gateway.example/login", { origin: "http://gateway.example" });
  assert.equal(access.logIn("something else here", form), undefined);
  const setCookie = access.logIn(KEY, form)!;
  assert.match(setCookie, /; Max-Age=43200; Path=\/; HttpOnly; SameSite=Strict$/);
  assert.ok(!setCookie.includes(KEY));
  const cookie = toCookie(setCookie);
  const refuse = (cookie: string) =>
    access.refuse(ask("http://gateway.example/", { cookie }), "10.0.0.9")?.status;
  assert.equal(refuse(cookie), undefined);
  now += 12 * HOUR_MS - 1;
  assert.equal(refuse(cookie), undefined);
  now += 1;
  assert.equal(refuse(cookie), 401);
  now = 1_000_000;
  assert.equal(refuse(cookie.replace(/=\d/, "=9")), 401);
  assert.equal(refuse(toCookie(access.logOut())), 401);
  key = "another-key-by-now";
  assert.equal(refuse(cookie), 401);
});

Deno.test("the cookie is for TLS alone where the form came by TLS", () => {
  const access = new Access(() => KEY);
  const form = ask("http://gateway.example/login", { origin: "https://gateway.example" });
  assert.match(access.logIn(KEY, form)!, /; Secure/);
});

Deno.test("only the page itself changes anything", async (t) => {
  const access = new Access(() => KEY);
  const cookie = toCookie(
    access.logIn(
      KEY,
      ask("http://gateway.example:8081/", { origin: "http://gateway.example:8081" }),
    )!,
  );
  const table: [headers: Record<string, string>, isIn: boolean][] = [
    [{ cookie, origin: "http://gateway.example:8081" }, true],
    // A proxy in front speaks TLS.
    [{ cookie, origin: "https://gateway.example:8081" }, true],
    [{ cookie }, false],
    [{ cookie, origin: "null" }, false],
    [{ cookie, origin: "http://gateway.example" }, false],
    [{ cookie, origin: "http://gateway.example:8082" }, false],
    [{ cookie, origin: "http://evil.example" }, false],
    [{ authorization: `Bearer ${KEY}` }, true],
    [{ authorization: `Bearer ${KEY}`, origin: "http://evil.example" }, false],
  ];
  for (const [headers, isIn] of table) {
    await t.step(JSON.stringify({ ...headers, cookie: headers["cookie"] && "…" }), () => {
      const request = ask("http://gateway.example:8081/connections/close", headers);
      assert.equal(access.refuseChange(request)?.status, isIn ? undefined : 403);
    });
  }
});
