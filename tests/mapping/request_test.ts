import assert from "node:assert/strict";
import fc from "fast-check";
import { type HeaderEntry, parseHeaderBlock, toHeaderBlock } from "../../lib/mapping/headers.ts";
import {
  isServerWide,
  type ListenAddress,
  type RequestSnapshot,
  toReplyHeaders,
  toRequestHeaders,
  toTarget,
  toUploadSubject,
} from "../../lib/mapping/request.ts";

const OPTIONS = { prefix: "h8s", kind: "http" } as const;
const PROVENANCE = {
  sessionId: undefined,
  requestId: "req-1",
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  tracestate: undefined,
  scheme: "https",
  isProxied: false,
  forwardedFor: "192.0.2.7",
} as const;
/** What the gateway says of every request, each exactly once. */
const OWN_NAMES = [
  "X-Forwarded-For",
  "X-Forwarded-Proto",
  "X-Forwarded-Host",
  "X-Request-Id",
  "Traceparent",
  "X-H8s-PublishSubject",
  "X-H8s-Original-Host",
  "X-H8s-Original-Query",
  "X-H8s-Original-Path",
];

Deno.test("toTarget() takes the host from its header where what is listened on has no address", () => {
  const to = (url: string, host: string) =>
    toTarget({ method: "GET", url, headers: [["host", host]] }, OPTIONS);
  for (const url of ["http+vsock://3:8000/x?q", "http+unix://%2Frun%2Fh8s/x?q"]) {
    const { authority, subject, query } = to(url, "a.example");
    assert.deepEqual([authority, subject, query], ["a.example", "h8s.http.GET.example.a.x", "q"]);
    for (const host of ["", "a.example, b.example", "a b"]) {
      assert.throws(() => to(url, host), { code: "malformed_request" });
    }
  }
  assert.throws(() => to("ftp://a.example/", "a.example"), { code: "malformed_request" });
});

Deno.test("toTarget() splits the URL and makes the subject", async (t) => {
  const table: [url: string, tokens: string, path: string, query: string][] = [
    ["http://a.example/", "example.a", "/", ""],
    ["http://a.example", "example.a", "/", ""],
    ["http://a.example/x/y", "example.a.x.y", "/x/y", ""],
    ["http://a.example//x//", "example.a.x", "//x//", ""],
    ["http://a.example/x?q=1&r=%20", "example.a.x", "/x", "q=1&r=%20"],
    ["http://a.example/x?", "example.a.x", "/x", ""],
    ["http://a.example?q", "example.a", "/", "q"],
    ["http://a.example?next=/x", "example.a", "/", "next=/x"],
    ["http://a.example/x?a?b/c", "example.a.x", "/x", "a?b/c"],
    ["http://a.example/x#h", "example.a.x", "/x", ""],
    ["http://a.example/x?q#h", "example.a.x", "/x", "q"],
    ["http://a.example/x#h?q", "example.a.x", "/x", ""],
    ["http://a.example/x#h/y", "example.a.x", "/x", ""],
    ["http://a.example#h/y?q", "example.a", "/", ""],
    ["http://a.example/a/../b/./c", "example.a.b.c", "/a/../b/./c", ""],
    ["http://a.example/a%2Fb%2f*", "example.a.a%2Fb%2F%2A", "/a%2Fb%2f*", ""],
    ["http://a.example/x:1@b", "example.a.x:1@b", "/x:1@b", ""],
    ["http://a.example/caf\u00e9?\u4e2d", "example.a.caf%C3%A9", "/caf\u00e9", "\u4e2d"],
    ["http://a.example/http://b.example/", "example.a.http:.b%2Eexample", "/http://b.example/", ""],
  ];
  for (const [url, tokens, path, query] of table) {
    await t.step(url, () => {
      assert.deepEqual(toTarget(get(url, "a.example"), OPTIONS), {
        authority: "a.example",
        hostTokens: "example.a",
        pathTokens: tokens.slice("example.a".length + 1),
        path,
        query,
        subject: `h8s.http.GET.${tokens}`,
        ...(url.endsWith("?") ? { isQueryEmpty: true as const } : {}),
      });
    });
  }
});

Deno.test("toTarget() makes the host a part of the subject without its port", async (t) => {
  const table: [authority: string, hostTokens: string][] = [
    ["shop.Example.COM:8080", "com.example.shop"],
    ["127.0.0.1:8080", "127.0.0.1"],
    ["[2001:db8::1]:443", "2001_db8__1"],
    ["[::1]", "__1"],
    ["localhost:8080", "localhost"],
  ];
  for (const [authority, hostTokens] of table) {
    await t.step(authority, () => {
      const target = toTarget(get(`http://${authority}/x?q`, authority), OPTIONS);
      assert.equal(target.authority, authority);
      assert.equal(target.hostTokens, hostTokens);
      assert.equal(target.subject, `h8s.http.GET.${hostTokens}.x`);
    });
  }
});

Deno.test("toTarget() tells methods and WebSockets apart", () => {
  const request = get("http://a.example/room/1", "a.example");
  const subjects = [
    toTarget({ ...request, method: "PROPFIND" }, OPTIONS),
    toTarget(request, { prefix: "h8s", kind: "websocket" }),
    toTarget(request, { prefix: "acme.edge", kind: "http" }),
  ].map(({ subject }) => subject);
  assert.deepEqual(subjects, [
    "h8s.http.PROPFIND.example.a.room.1",
    "h8s.ws.ws.example.a.room.1",
    "acme.edge.http.GET.example.a.room.1",
  ]);
});

Deno.test("toTarget() wants an absolute-form target to agree with Host", async (t) => {
  const agreeing: [url: string, host: string][] = [
    ["http://a.example/x", "a.example"],
    ["http://a.example:8080/x", "a.example:8080"],
    ["http://A.Example/x", "a.EXAMPLE"],
    ["http://a.example./x", "a.example"],
    ["http://a.example:80/x", "a.example"],
    ["http://a.example/x", "a.example:80"],
    ["http://[2001:DB8::1]:80/x", "[2001:db8::1]"],
  ];
  for (const [url, host] of agreeing) {
    await t.step(`${url} and ${host}`, () => {
      // RFC 9112 §3.2.2: the target, not the Host header, is what was asked for.
      const authority = url.slice("http://".length, -"/x".length);
      assert.equal(toTarget(get(url, host), OPTIONS).authority, authority);
    });
  }
  for (const scheme of ["HTTP", "hTTps"]) {
    await t.step(`${scheme}:`, () => {
      const { authority, subject } = toTarget(get(`${scheme}://a.example/x`, "a.example"), OPTIONS);
      assert.deepEqual([authority, subject], ["a.example", "h8s.http.GET.example.a.x"]);
    });
  }
  const differing: [url: string, host: string][] = [
    ["http://b.example/x", "a.example"],
    ["http://b.example:8080/x", "a.example:8080"],
    ["http://b.a.example/x", "a.example"],
    ["http://a.example/x", "b.a.example"],
    ["http://127.0.0.1/x", "localhost"],
  ];
  for (const [url, host] of differing) {
    await t.step(`${url} but ${host}`, () => {
      assert.throws(() => toTarget(get(url, host), OPTIONS), MALFORMED);
    });
  }
});

Deno.test("toTarget() refuses a malformed host", async (t) => {
  // The URLs are what Deno.serve makes of such a Host header.
  const table: [title: string, url: string, host: string | undefined][] = [
    ["no Host header", "http://localhost:8000/x", undefined],
    ["an empty Host header", "http://localhost:8000/x", ""],
    ["two Host headers", "http://a.example/x", "a.example, a.example"],
    ["a path in it", "http://a.example/b/x", "a.example/b"],
    ["a query in it", "http://a.example?b/x", "a.example?b"],
    ["a fragment in it", "http://a.example#b/x", "a.example#b"],
    ["user information", "http://me@a.example/x", "me@a.example"],
    ["a wildcard", "http://*/x", "*"],
    ["a wildcard label", "http://a.>/x", "a.>"],
    ["white space", "http://a b/x", "a b"],
    ["an empty label", "http://a..b/x", "a..b"],
    ["a port that is none", "http://a.example:99999/x", "a.example:99999"],
  ];
  for (const [title, url, host] of table) {
    await t.step(title, () => assert.throws(() => toTarget(get(url, host), OPTIONS), MALFORMED));
  }
});

Deno.test("toTarget() takes the authority of HTTP/2, which has no Host header", async (t) => {
  const authorities = ["a.example", "127.0.0.1:8000", "[::1]:8000", "localhosting.example"];
  authorities.push("localhost.example:8000");
  for (const authority of authorities) {
    await t.step(authority, () => {
      assert.equal(toTarget(get(`http://${authority}/x`), OPTIONS).authority, authority);
    });
  }
});

Deno.test("toTarget() takes a request that names no host for the address that is listened on", async (t) => {
  const table: [url: string, listen: ListenAddress, authority: string][] = [
    ["http://localhost:8080/x", { hostname: "0.0.0.0", port: 8080 }, "0.0.0.0:8080"],
    ["http://localhost:45123/x", { hostname: "127.0.0.1", port: 0 }, "127.0.0.1:45123"],
    ["http://localhost/x", { hostname: "::1", port: 80 }, "[::1]"],
    ["http://10.0.0.1:8080/x", { hostname: "10.0.0.1", port: 8080 }, "10.0.0.1:8080"],
    // HTTP/2 alone says such a thing.
    ["http://localhost:9000/x", { hostname: "127.0.0.1", port: 8080 }, "localhost:9000"],
    ["http://localhost/x", { hostname: "127.0.0.1", port: 8080 }, "localhost"],
    ["https://localhost:8443/x", { hostname: "127.0.0.1", port: 8443 }, "localhost:8443"],
  ];
  for (const [url, listen, authority] of table) {
    await t.step(`${url} at ${listen.hostname}:${listen.port}`, () => {
      assert.equal(toTarget(get(url), { ...OPTIONS, listen }).authority, authority);
    });
  }
});

Deno.test("toTarget() takes no other scheme, and no transfer coding but chunked", async (t) => {
  for (const scheme of ["ftp", "ws", "file"]) {
    await t.step(scheme, () => {
      const request = get(`${scheme}://a.example/`, "a.example");
      assert.throws(() => toTarget(request, OPTIONS), MALFORMED);
    });
  }
  const codings: [coding: string, isTaken: boolean][] = [
    ["chunked", true],
    ["Chunked", true],
    ["gzip, chunked", false],
    ["chunked, chunked", false],
    ["identity", false],
    ["", false],
  ];
  for (const [coding, isTaken] of codings) {
    await t.step(JSON.stringify(coding), () => {
      const request = get("http://a.example/", "a.example", [["transfer-encoding", coding]]);
      if (isTaken) toTarget(request, OPTIONS);
      else assert.throws(() => toTarget(request, OPTIONS), { code: "unknown_coding", status: 501 });
    });
  }
});

Deno.test("isServerWide() knows OPTIONS * as Deno.serve gives it", async (t) => {
  const table: [method: string, url: string, expected: boolean][] = [
    ["OPTIONS", "http://a.example/*", true],
    ["OPTIONS", "http://a.example/%2A", false],
    ["OPTIONS", "http://a.example/a/*", false],
    ["OPTIONS", "http://a.example/?/*", false],
    ["GET", "http://a.example/*", false],
  ];
  for (const [method, url, expected] of table) {
    await t.step(`${method} ${url}`, () => assert.equal(isServerWide({ method, url }), expected));
  }
});

Deno.test("toTarget() refuses a malformed method or path", async (t) => {
  for (const method of ["get", "GET.*", ">", "", "G T"]) {
    await t.step(`the method ${JSON.stringify(method)}`, () => {
      const request = { ...get("http://a.example/", "a.example"), method };
      assert.throws(() => toTarget(request, OPTIONS), MALFORMED);
    });
  }
  for (const method of ["CONNECT", "TRACE"]) {
    await t.step(`the method ${method}`, () => {
      const request = { ...get("http://a.example/", "a.example"), method };
      assert.throws(() => toTarget(request, OPTIONS), { status: 405 });
    });
  }
  // hyper refuses control characters too, but no header line may hang on that alone.
  for (const path of ["/%", "/%zz", "/%f", "/a\r\nNats-Rollup: all", "/a\nb", "/?a\r\nb", "/\0"]) {
    await t.step(`the path ${JSON.stringify(path)}`, () => {
      const request = get(`http://a.example${path}`, "a.example");
      assert.throws(() => toTarget(request, OPTIONS), MALFORMED);
    });
  }
  await t.step("a path too long for a subject", () => {
    const request = get(`http://a.example/${"a".repeat(4000)}`, "a.example");
    assert.throws(() => toTarget(request, OPTIONS), { status: 414 });
  });
});

Deno.test("toRequestHeaders() says what the contract asks for", () => {
  const request = get("http://Shop.example:8080/cart//7?full=1", "Shop.example:8080", [
    ["accept", "*/*"],
    ["content-type", "text/plain"],
    ["keep-alive", "timeout=5"],
    ["x-name", "caf\xe9"],
  ]);
  assert.deepEqual(read(request), [
    ["Accept", "*/*"],
    ["Content-Type", "text/plain"],
    ["X-Name", "caf\xe9"],
    ["X-Forwarded-For", "192.0.2.7"],
    ["X-Forwarded-Proto", "https"],
    ["X-Forwarded-Host", "Shop.example:8080"],
    ["X-Request-Id", "req-1"],
    ["Traceparent", PROVENANCE.traceparent],
    ["X-H8s-PublishSubject", "h8s.http.GET.example.shop.cart.7"],
    ["X-H8s-Original-Host", "Shop.example:8080"],
    ["X-H8s-Original-Query", "full=1"],
    ["X-H8s-Original-Path", "/cart//7"],
  ]);
});

Deno.test("toRequestHeaders() has Host for a handshake, and never for an HTTP request", () => {
  const request = get("http://a.example:8080/x", "a.example:8080");
  const target = toTarget(request, OPTIONS);
  const hosts = (kind: "http" | "websocket") =>
    toRequestHeaders(request.headers, {
      ...{ target, kind },
      subject: target.subject,
      provenance: PROVENANCE,
    }).split("\r\n").filter((line) => /^(x-h8s-original-)?host:/i.test(line));
  assert.deepEqual(hosts("http"), ["X-H8s-Original-Host: a.example:8080"]);
  assert.deepEqual(hosts("websocket"), [
    "Host: a.example:8080",
    "X-H8s-Original-Host: a.example:8080",
  ]);
});

Deno.test("toRequestHeaders() tells path and query as the bytes that the client sent", async (t) => {
  const table: [target: string, path: string, query: string][] = [
    ["/", "/", ""],
    ["/a%2Fb/../c?x=%zz", "/a%2Fb/../c", "x=%zz"],
    ["/caf\u00e9?\u4e2d=\u{1f600}", "/caf\xc3\xa9", "\xe4\xb8\xad=\xf0\x9f\x98\x80"],
    // "à" ends with the byte 0xA0, which JavaScript takes for white space.
    ["/voil\u00e0?voil\u00e0", "/voil\xc3\xa0", "voil\xc3\xa0"],
    [`/?${"\u00e9".repeat(32_000)}`, "/", "\xc3\xa9".repeat(32_000)],
  ];
  for (const [target, path, query] of table) {
    await t.step(target.slice(0, 40), () => {
      const request = get(`http://a.example${target}`, "a.example");
      const parsed = toTarget(request, OPTIONS);
      const lines = toRequestHeaders(request.headers, {
        target: parsed,
        subject: parsed.subject,
        kind: "http",
        provenance: PROVENANCE,
      }).split("\r\n");
      assert.ok(lines.includes(`X-H8s-Original-Path: ${path}`));
      assert.ok(lines.includes(`X-H8s-Original-Query: ${query}`));
    });
  }
});

Deno.test("toRequestHeaders() tells a question mark with nothing behind it", () => {
  const lines = (url: string) => {
    const request = get(url, "a.example");
    const target = toTarget(request, OPTIONS);
    return toRequestHeaders(request.headers, {
      ...{ target, subject: target.subject, kind: "http", provenance: PROVENANCE },
    });
  };
  assert.match(lines("http://a.example/caf\u00e9?"), /^X-H8s-Original-Target: \/caf\xc3\xa9\?\r$/m);
  assert.doesNotMatch(lines("http://a.example/x?q"), /X-H8s-Original-Target/);
  assert.doesNotMatch(lines("http://a.example/x"), /X-H8s-Original-Target/);
});

Deno.test("toRequestHeaders() replaces what a client says in the gateway's name", () => {
  const spoofed = OWN_NAMES.map((name): HeaderEntry => [name.toLowerCase(), "spoofed"]);
  spoofed.push(["connection", OWN_NAMES.join(", ")]);
  const entries = read(get("http://a.example/x", "a.example", spoofed));
  assert.deepEqual(entries.map(([name]) => name), OWN_NAMES);
  assert.ok(!entries.some(([, value]) => value.includes("spoofed")));
});

Deno.test("toRequestHeaders() says each thing once whatever the client sends", () => {
  const ownName = fc.constantFrom(...OWN_NAMES).chain((name) => fc.mixedCase(fc.constant(name)));
  const otherName = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/);
  const value = fc.string({ unit: fc.constantFrom("a", ":", " ", ",", "\t", "\xe9", "\x85") });
  const pairs = fc.array(fc.tuple(fc.oneof(ownName, otherName), value));
  const paths = fc.webUrl({ withQueryParameters: true }).map((url) =>
    url.replace(/^.*?:\/\/[^/?]*/, "")
  );
  fc.assert(fc.property(pairs, paths, (sent, path) => {
    const headers = new Headers(sent);
    headers.set("host", "a.example");
    const entries = read(get(`http://a.example${path}`, undefined, [...headers]));
    for (const name of OWN_NAMES) {
      const count = entries.filter(([other]) => other.toLowerCase() === name.toLowerCase()).length;
      assert.equal(count, 1, name);
    }
    const own = new Map(entries);
    assert.equal(own.has("Host"), false);
    assert.equal(own.get("X-H8s-Original-Host"), "a.example");
    assert.equal(own.get("X-Forwarded-For"), "192.0.2.7");
    assert.ok(own.get("X-H8s-PublishSubject")?.startsWith("h8s.http.GET.example.a"));
  }));
});

Deno.test("toReplyHeaders() tells where the answer and the end go", () => {
  assert.equal(
    toReplyHeaders({
      reply: "_INBOX.h8s.g.1",
      closeSubject: "h8s.control.connection.closed.t",
      windowBytes: 1048576,
    }),
    "X-H8s-ReplySubject: _INBOX.h8s.g.1\r\n" +
      "X-H8s-Connection-Close-Subject: h8s.control.connection.closed.t\r\n" +
      "X-H8s-Window: 1048576\r\n",
  );
});

Deno.test("toUploadSubject() puts the head of a large request beside the others", () => {
  assert.equal(
    toUploadSubject("h8s.http.PUT.com.example.a", "h8s"),
    "h8s.upload.PUT.com.example.a",
  );
  assert.equal(toUploadSubject("h8s.rooms.a", "h8s"), "h8s.upload.h8s.rooms.a");
});

const MALFORMED = { name: "GatewayError", code: "malformed_request", status: 400 };

function get(url: string, host?: string, headers: HeaderEntry[] = []): RequestSnapshot {
  const all: HeaderEntry[] = host === undefined ? headers : [...headers, ["host", host]];
  return { method: "GET", url, headers: all };
}

function read(request: RequestSnapshot): readonly HeaderEntry[] {
  const target = toTarget(request, OPTIONS);
  const { subject } = target;
  const lines = toRequestHeaders(request.headers, {
    target,
    subject,
    kind: "http",
    provenance: PROVENANCE,
  });
  return parseHeaderBlock(toHeaderBlock(lines));
}
