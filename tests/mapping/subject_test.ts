import assert from "node:assert/strict";
import fc from "fast-check";
import { GatewayError } from "../../lib/errors.ts";
import {
  fromPathTokens,
  isSubjectPrefix,
  toHostTokens,
  toMethodToken,
  toPathSegment,
  toPathTokens,
  toSubject,
} from "../../lib/mapping/subject.ts";

const SUBJECT = /^[A-Za-z0-9\-_~$&+:=@%.]+$/;

Deno.test("toHostTokens() reverses names and keeps addresses", async (t) => {
  const table: [host: string, tokens: string][] = [
    ["foo.bar.example.com", "com.example.bar.foo"],
    ["foo.bar.example.com:8080", "com.example.bar.foo"],
    ["EXAMPLE.com.", "com.example"],
    ["localhost", "localhost"],
    ["localhost:", "localhost"],
    ["_dmarc.a-b.example", "example.a-b._dmarc"],
    ["127.0.0.1", "127.0.0.1"],
    ["127.0.0.1:80", "127.0.0.1"],
    ["[2001:db8::1]:443", "2001_db8__1"],
    ["[2001:DB8::1]", "2001_db8__1"],
    ["2001:db8::1", "2001_db8__1"],
    ["[::1]:8080", "__1"],
    ["[::ffff:1.2.3.4]", "__ffff_1.2.3.4"],
  ];
  for (const [host, tokens] of table) {
    await t.step(host, () => assert.equal(toHostTokens(host), tokens));
  }
});

Deno.test("toHostTokens() refuses what is neither an address nor a name", async (t) => {
  const label64 = "a".repeat(64);
  const name254 = `${"a".repeat(63)}.`.repeat(3) + "a".repeat(62);
  const hosts = [
    "",
    ".",
    "a..b",
    "a b",
    "a.*",
    "a.>",
    "a.b>c.*",
    "user@e.com",
    "a/b",
    "ex\u00e4mple",
  ];
  hosts.push(
    "[::1",
    "::1]",
    "[1.2.3.4]",
    "[fe80::1%eth0]",
    "a:b",
    "a:99999",
    "a:1:2",
    "%41",
    "a.b..",
  );
  hosts.push(label64, name254);
  for (const host of hosts) {
    await t.step(JSON.stringify(host), () => {
      assert.throws(() => toHostTokens(host), isMalformed);
    });
  }
});

Deno.test("toPathTokens() follows the contract", async (t) => {
  const table: [path: string, tokens: string][] = [
    ["/", ""],
    ["//", ""],
    ["", ""],
    ["/users/42", "users.42"],
    ["//users///42/", "users.42"],
    ["/.oidc/_callback", "%2Eoidc._callback"],
    ["/stuff%2Eduff/resize", "stuff%2Eduff.resize"],
    ["/stuff.duff", "stuff%2Eduff"],
    ["/a%2Fb", "a%2Fb"],
    ["/a%2fb", "a%2Fb"],
    ["/a*b/>", "a%2Ab.%3E"],
    ["/%2A/%3E", "%2A.%3E"],
    ["/a b", "a%20b"],
    ["/a%20b", "a%20b"],
    ["/-_~$&+:=@", "-_~$&+:=@"],
    ["/!'()", "%21%27%28%29"],
    ["/%41", "A"],
    ["/%2541", "%2541"],
    ["/a%00b", "a%00b"],
    ["/caf\u00e9/\u4e2d", "caf%C3%A9.%E4%B8%AD"],
    ["/caf%c3%a9", "caf%C3%A9"],
    ["/%E9", "%E9"],
    ["/a%ff/%c3", "a%FF.%C3"],
    ["/%ed%a0%80", "%ED%A0%80"],
    ["/\\a", "a"],
    ["/.//a/", "a"],
    ["/a/.%2e/%61", "a"],
    ["/%5Ca", "%5Ca"],
    ["/%F0%9F%98%80", "%F0%9F%98%80"],
    ["/a/../b/./c", "b.c"],
    ["/../../a", "a"],
    ["/%2e%2e/a/%2E/b", "a.b"],
    ["/a/b/..", "a"],
    ["/a\\b", "a.b"],
    ["//evil.example/x", "evil%2Eexample.x"],
    ["/a;b=c,d", "a%3Bb=c%2Cd"],
    ['/{room}|^`"<', "%7Broom%7D%7C%5E%60%22%3C"],
  ];
  for (const [path, tokens] of table) {
    await t.step(path, () => assert.equal(toPathTokens(path), tokens));
  }
});

Deno.test("toPathTokens() refuses a broken percent-encoding", async (t) => {
  for (const path of ["/%", "/%zz", "/%f", "/a/%4", "/%u0041", "/ok/%%41", "/%2", "/a%/b"]) {
    await t.step(path, () => assert.throws(() => toPathTokens(path), isMalformed));
  }
});

Deno.test("toPathTokens() makes only legal tokens, whatever the path", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    let tokens;
    try {
      tokens = toPathTokens(`/${text}`);
    } catch (error) {
      return error instanceof GatewayError;
    }
    return tokens === "" ||
      (SUBJECT.test(tokens) && tokens.split(".").every((token) => token !== ""));
  }));
});

Deno.test("toPathTokens() keeps different segments apart and fromPathTokens() brings them back", () => {
  const segments = fc.array(fc.string({ unit: "grapheme", minLength: 1 }), { minLength: 1 });
  const isDots = (text: string) => /^(\.|%2e){1,2}$/i.test(text);
  fc.assert(fc.property(segments, (texts) => {
    fc.pre(!texts.some(isDots));
    const tokens = toPathTokens("/" + texts.map(encodeURIComponent).join("/"));
    assert.deepEqual(tokens.split(".").map(decodeURIComponent), texts);
    assert.equal(toPathTokens(fromPathTokens(tokens)), tokens);
  }));
});

Deno.test("toPathTokens() is one to one between octets and tokens", () => {
  const octets = fc.uint8Array({ minLength: 1, maxLength: 8 });
  const isDots = (bytes: Uint8Array) => /^\.{1,2}$/.test(String.fromCharCode(...bytes));
  const percent = (bytes: Uint8Array) =>
    [...bytes].map((byte) => `%${byte.toString(16).padStart(2, "0")}`).join("");
  fc.assert(fc.property(octets, (bytes) => {
    fc.pre(!isDots(bytes));
    const token = toPathTokens(`/${percent(bytes)}`);
    const back = token.replace(/%(..)/g, (_, digits) => String.fromCharCode(parseInt(digits, 16)));
    assert.deepEqual(Uint8Array.from(back, (character) => character.charCodeAt(0)), bytes);
    assert.equal(toPathTokens(`//./${toPathSegment(token)}/`), token);
  }));
});

Deno.test("toPathSegment() leaves alone what a URL leaves alone", async (t) => {
  const table: [token: string, segment: string][] = [
    ["style%2Ecss", "style.css"],
    ["%21%27%28%29%2A%2C%3B%5B%5D%7C", "!'()*,;[]|"],
    ["a%2Fb%5C%25%23%3F%20%22%5E%E9", "a%2Fb%5C%25%23%3F%20%22%5E%E9"],
    ["%2E", "%2E"],
    ["%2E%2E", "%2E%2E"],
    ["%2E%2E%2E", "..."],
  ];
  for (const [token, segment] of table) {
    await t.step(token, () => {
      assert.equal(toPathSegment(token), segment);
      const isDots = token === "%2E" || token === "%2E%2E";
      if (!isDots) assert.equal(new URL(`http://h/${segment}`).pathname, `/${segment}`);
    });
  }
});

Deno.test("toMethodToken() lets methods pass and refuses wildcards", async (t) => {
  for (const method of ["GET", "PROPFIND", "M-SEARCH", "X".repeat(32)]) {
    await t.step(method, () => assert.equal(toMethodToken(method), method));
  }
  for (const method of ["get", "GET.*", "", "*", ">", "1GET", "GE T", "X".repeat(33), "G_T"]) {
    await t.step(JSON.stringify(method), () => {
      assert.throws(() => toMethodToken(method), isMalformed);
    });
  }
  for (const method of ["CONNECT", "TRACE"]) {
    await t.step(method, () => {
      assert.throws(() => toMethodToken(method), { code: "method_not_allowed", status: 405 });
    });
  }
});

Deno.test("toSubject() ends with the host for the root", () => {
  const host = toHostTokens("example.com");
  const parts = { prefix: "h8s", scheme: "http", method: "GET", host } as const;
  assert.equal(toSubject({ ...parts, path: toPathTokens("/") }), "h8s.http.GET.com.example");
  assert.equal(toSubject({ ...parts, path: toPathTokens("/a/b") }), "h8s.http.GET.com.example.a.b");
});

Deno.test("toSubject() refuses what nats-server would cut the connection for", () => {
  const host = toHostTokens("example.com");
  const parts = { prefix: "h8s", scheme: "http", method: "GET", host } as const;
  assert.throws(() => toSubject({ ...parts, path: toPathTokens("a".repeat(4000)) }), {
    status: 414,
  });
});

Deno.test("isSubjectPrefix() wants literal tokens", () => {
  assert.ok(["h8s", "acme.edge", "a-b_c"].every(isSubjectPrefix));
  assert.ok(!["", ".", "a.", "a..b", "a.*", ">", "a b"].some(isSubjectPrefix));
});

function isMalformed(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "malformed_request";
}
