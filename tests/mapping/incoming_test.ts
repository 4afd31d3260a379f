import { fromByteText } from "../../lib/mapping/latin1.ts";
import assert from "node:assert/strict";
import {
  parseIncoming,
  toBodyHeaders,
  toDestination,
  toRemoteAddress,
  toRequestUrl,
} from "../../lib/mapping/incoming.ts";
import { readHostTokens, readPathTokens } from "../../lib/mapping/subject.ts";

Deno.test("parseIncoming() tells the application's headers from those of h8s", () => {
  const { headers, control, host, contentLength } = parseIncoming(
    toBlock([
      "Host: e.com:8080",
      "Accept: a",
      "Accept: b",
      "X-H8S-PublishSubject: first",
      "X-H8s-PublishSubject: second",
      "x-h8s-window: 10",
      "X-H8s-Subject: ann",
      "X-H8s-Claims: e30",
      "Nats-Msg-Id: 1",
      "nats-expected-stream: S",
      "X_H8s_Subject: root",
      "X.H8s.Subject: root",
      "Content-Length: 7",
      "Transfer-Encoding: chunked",
      "X-Bytes: \xe9",
      "Empty:",
    ]),
  );
  assert.deepEqual(headers, [
    ["Accept", "a"],
    ["Accept", "b"],
    ["X-H8s-Subject", "ann"],
    ["X-H8s-Claims", "e30"],
    ["X-Bytes", "\xe9"],
    ["Empty", ""],
    ["Host", "e.com:8080"],
  ]);
  assert.deepEqual([...control], [
    ["publishsubject", "first"],
    ["window", "10"],
    ["subject", "ann"],
    ["claims", "e30"],
  ]);
  assert.equal(host, "e.com:8080");
  assert.equal(contentLength, "7");
});

Deno.test("toBodyHeaders() counts the bytes that are there, where a length was announced", async (t) => {
  const table: [lines: string[], length: number | undefined, expected: string | undefined][] = [
    [[], 3, undefined],
    [["Content-Length: 3"], 3, "3"],
    [["Content-Length: 100"], 3, "3"],
    [["Content-Length: 0, 100"], 0, "0"],
    [["Content-Length: 100"], undefined, undefined],
    [["X-H8s-Content-Length: 100"], undefined, "100"],
    [["X-H8s-Content-Length: 100"], 3, undefined],
  ];
  for (const [lines, length, expected] of table) {
    await t.step(`${lines}, ${length} bytes`, () => {
      const headers = toBodyHeaders(parseIncoming(toBlock(["A: 1", ...lines])), length);
      const added = expected === undefined ? [] : [["Content-Length", expected]];
      assert.deepEqual(headers, [["A", "1"], ...added]);
    });
  }
});

Deno.test("parseIncoming() finds the host in X-H8s-Original-Host, else in Host", () => {
  const table: [lines: string[], host: string | undefined][] = [
    [["Accept: a", "X-H8s-Original-Host: e.com:81"], "e.com:81"],
    [["X-H8s-Original-Host: e.com", "Host: internal"], "e.com"],
    [["Host: internal", "x-h8s-original-host: e.com"], "e.com"],
    [["Accept: a", "host: e.com"], "e.com"],
    [["Accept: a"], undefined],
  ];
  for (const [lines, expected] of table) {
    const { headers, host } = parseIncoming(toBlock(lines));
    assert.equal(host, expected);
    // The application sees one `Host`, however it came.
    const told = headers.filter(([name]) => name.toLowerCase() === "host");
    assert.deepEqual(told, expected === undefined ? [] : [["Host", expected]]);
  }
});

Deno.test("parseIncoming() of a message without headers", () => {
  const { headers, control, host } = parseIncoming("");
  assert.deepEqual([headers, [...control], host], [[], [], undefined]);
});

Deno.test("toDestination() splits a subject by what the host says", () => {
  const table: [
    rest: string,
    host: string | undefined,
    expected: [host: string | undefined, path: string | undefined] | undefined,
    assumed?: string,
  ][] = [
    ["com.example", "example.com", ["com.example", ""]],
    ["com.example.foo", "example.com", ["com.example", "foo"]],
    ["com.example.foo", "foo.example.com", ["com.example.foo", ""]],
    ["com.example.foo.a%2Fb", "FOO.example.com:81", ["com.example.foo", "a%2Fb"]],
    ["127.0.0.1.x", "127.0.0.1", ["127.0.0.1", "x"]],
    ["2001_db8__1.x", "[2001:db8::1]:443", ["2001_db8__1", "x"]],
    ["com.example", "other.com", undefined],
    ["com.examples", "example.com", undefined],
    ["com.example", "a b", undefined],
    ["com.example", "", undefined],
    ["com.example.foo", undefined, ["com.example", "foo"], "com.example"],
    ["com.example.foo", undefined, [undefined, undefined]],
  ];
  for (const [rest, host, expected, assumed] of table) {
    const [hostTokens, pathTokens] = expected ?? [];
    assert.deepEqual(
      toDestination(rest, {
        host,
        assumedTokens: assumed === undefined ? undefined : readHostTokens(assumed),
      }),
      expected === undefined ? undefined : { hostTokens, pathTokens },
      `${rest} ${host}`,
    );
  }
});

Deno.test("toRequestUrl() is what the client asked for", () => {
  const table: [lines: string[], pathTokens: string, url: string][] = [
    [["Host: e.com", "X-H8s-Original-Path: /a//b/"], "a.b", "http://e.com/a//b/"],
    [["Host: e.com", "X-H8s-Original-Path: //evil.com/x"], "", "http://e.com//evil.com/x"],
    [
      ["Host: e.com", "X-H8s-Original-Path: /", "X-H8s-Original-Query: a=1&b=%20?"],
      "",
      "http://e.com/?a=1&b=%20?",
    ],
    [["Host: e.com", "X-H8s-Original-Path: /\xc3\xa9"], "", "http://e.com/%C3%A9"],
    [["Host: e.com:81", "X-Forwarded-Proto: https"], "", "https://e.com:81/"],
    [["Host: e.com", "X-Forwarded-Proto: HTTPS, http"], "", "https://e.com/"],
    [["Host: e.com", "X-Forwarded-Proto: gopher"], "", "http://e.com/"],
    [["Host: [::1]:80"], "a%2Fb.%2Ex.c%20d", "http://[::1]/a%2Fb/.x/c%20d"],
    [[], "a.b", "http://fallback/a/b"],
  ];
  for (const [lines, pathTokens, url] of table) {
    const incoming = parseIncoming(toBlock(lines));
    assert.equal(
      toRequestUrl(incoming, { host: "fallback", pathTokens: readPathTokens(pathTokens) }),
      url,
    );
  }
  const bad = parseIncoming(toBlock(["Host: a b"]));
  assert.throws(() => toRequestUrl(bad, { host: "", pathTokens: readPathTokens("") }), TypeError);
});

Deno.test("toRemoteAddress() is what the gateway itself saw", () => {
  const table: [headers: [string, string][], address: string][] = [
    [[["X-Forwarded-For", "192.0.2.7"]], "192.0.2.7"],
    [[["X-Forwarded-For", "6.6.6.6, 192.0.2.7"]], "192.0.2.7"],
    [[["x-forwarded-for", "6.6.6.6"], ["X-Forwarded-For", "::1"]], "::1"],
    [[], ""],
  ];
  for (const [headers, address] of table) assert.equal(toRemoteAddress(headers), address);
});

Deno.test("fromByteText() reads bytes in latin-1 as UTF-8", () => {
  assert.equal(fromByteText("plain"), "plain");
  assert.equal(fromByteText("\xc3\xa9 \xe2\x82\xac"), "é €");
  assert.equal(fromByteText("\xff"), "\ufffd");
});

function toBlock(lines: readonly string[]): string {
  return `NATS/1.0\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
}
