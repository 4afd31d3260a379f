import assert from "node:assert/strict";
import fc from "fast-check";
import { fromClientHeaders } from "../../lib/mapping/client_headers.ts";
import {
  findHeader,
  type HeaderEntry,
  joinLines,
  NO_LINES,
  parseHeaderBlock,
  type RequestKind,
  toCanonicalName,
  toClientHeaders,
  toHeaderBlock,
  toHeaderLine,
} from "../../lib/mapping/headers.ts";

/** RFC 9110 §5.6.2 `tchar`. */
const TOKEN_CHARACTERS =
  "!#$%&'*+-.^_`|~0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
/** RFC 9110 §5.5 `field-content`: tab, space, VCHAR, obs-text. */
const VALUE_CHARACTERS = Array.from({ length: 256 }, (_, code) => String.fromCharCode(code))
  .filter((char) => char === "\t" || (char >= " " && char !== "\x7f"));

/** RFC 9110 §7.6.1, with the names that RFC 2616 §13.5.1 and proxies add. */
const HOP_BY_HOP = ("connection keep-alive te trailer transfer-encoding upgrade " +
  "proxy-authenticate proxy-authorization proxy-connection").split(" ");
const SET_BY_GATEWAY =
  "content-length client-id reply-to host traceparent x-forwarded-for x-forwarded-host x-forwarded-proto x-request-id"
    .split(" ");

const headerName = fc.string({ unit: fc.constantFrom(...TOKEN_CHARACTERS), minLength: 1 });
const headerValue = fc.string({ unit: fc.constantFrom(...VALUE_CHARACTERS) })
  .map((text) => text.replace(/^[ \t]+|[ \t]+$/g, ""));

Deno.test("toCanonicalName() writes names as Go's net/textproto does", async (t) => {
  const table: [name: string, canonical: string][] = [
    ["content-type", "Content-Type"],
    ["CONTENT-TYPE", "Content-Type"],
    ["ETag", "Etag"],
    ["WWW-Authenticate", "Www-Authenticate"],
    ["sec-websocket-key", "Sec-Websocket-Key"],
    ["X-H8S-WINDOW", "X-H8s-Window"],
    ["x--y", "X--Y"],
    ["-a-", "-A-"],
    ["foo_bar-baz", "Foo_bar-Baz"],
    ["1st-2nd-x3", "1st-2nd-X3"],
    ["!a.b-c", "!a.b-C"],
    ["constructor", "Constructor"],
    ["__proto__", "__proto__"],
  ];
  for (const [name, canonical] of table) {
    await t.step(name, () => assert.equal(toCanonicalName(name), canonical));
  }
});

Deno.test("toCanonicalName() agrees with Go on every name", () => {
  fc.assert(fc.property(headerName, (name) => {
    assert.equal(toCanonicalName(name), toGoCanonicalName(name));
  }));
});

Deno.test("fromClientHeaders() lets headers for all recipients pass", async (t) => {
  const table: [title: string, headers: [string, string][], lines: string][] = [
    ["none", [], ""],
    ["a canonical name", [["content-type", "text/plain"]], "Content-Type: text/plain\r\n"],
    ["an empty value", [["x-empty", ""]], "X-Empty: \r\n"],
    ["a value with colons", [["origin", "http://a:1"]], "Origin: http://a:1\r\n"],
    ["latin-1 bytes", [["x-name", "caf\xe9\xff"]], "X-Name: caf\xe9\xff\r\n"],
    ["UTF-8 as its bytes", [["x-name", "caf\xc3\xa9"]], "X-Name: caf\xc3\xa9\r\n"],
    ["an inner tab", [["x-tab", "a\tb"]], "X-Tab: a\tb\r\n"],
    [
      "several of one name, in order",
      [["set-cookie", "b=2"], ["set-cookie", "a=1"], ["x-z", "1"]],
      "Set-Cookie: b=2\r\nSet-Cookie: a=1\r\nX-Z: 1\r\n",
    ],
    [
      "names that only look like control headers",
      [["nats", "1"], ["natsx-a", "2"], ["x-h8", "3"], ["x-nats-a", "4"]],
      "Nats: 1\r\nNatsx-A: 2\r\nX-H8: 3\r\nX-Nats-A: 4\r\n",
    ],
  ];
  for (const [title, headers, lines] of table) {
    await t.step(
      title,
      () => assert.equal(fromClientHeaders([...headers], { kind: "http" }), lines),
    );
  }
});

Deno.test("fromClientHeaders() keeps headers of one hop back", async (t) => {
  for (const name of HOP_BY_HOP) {
    await t.step(name, () => {
      const headers = new Headers([["a", "1"], [name.toUpperCase(), "x-hop"], ["z", "2"]]);
      assert.equal(fromClientHeaders([...headers], { kind: "http" }), "A: 1\r\nZ: 2\r\n");
    });
  }
});

Deno.test("fromClientHeaders() keeps back what Connection names, wherever it stands", async (t) => {
  // RFC 9110 §7.6.1: for each connection option, any field of that name is removed.
  const table: [title: string, headers: [string, string][]][] = [
    ["a name that sorts after Connection", [["Connection", "x-hop"], ["X-Hop", "1"]]],
    ["a name that sorts before Connection", [["Connection", "a-hop"], ["A-Hop", "1"]]],
    ["another case", [["Connection", "X-HOP"], ["x-hop", "1"]]],
    ["a list with white space", [["Connection", "close ,\tx-hop ,"], ["X-Hop", "1"]]],
    ["the first of two lines", [["Connection", "x-hop"], ["Connection", "close"], ["X-Hop", "1"]]],
    ["the second of two lines", [["Connection", "close"], ["Connection", "x-hop"], ["X-Hop", "1"]]],
  ];
  for (const [title, headers] of table) {
    await t.step(title, () => {
      const lines = fromClientHeaders([...new Headers([...headers, ["Y", "2"]])], { kind: "http" });
      assert.equal(lines, "Y: 2\r\n");
    });
  }
});

Deno.test("fromClientHeaders() gives a workload the whole WebSocket handshake", () => {
  const headers = new Headers([
    ["Connection", "keep-alive, Upgrade, X-Hop"],
    ["Upgrade", "websocket"],
    ["Keep-Alive", "timeout=5"],
    ["X-Hop", "1"],
    ["Nats-Rollup", "all"],
    ["Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="],
    ["Sec-WebSocket-Protocol", "a, b"],
    ["Sec-WebSocket-Version", "13"],
  ]);
  assert.deepEqual(fromClientHeaders([...headers], { kind: "websocket" }).split("\r\n"), [
    "Connection: keep-alive, Upgrade, X-Hop",
    "Sec-Websocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-Websocket-Protocol: a, b",
    "Sec-Websocket-Version: 13",
    "Upgrade: websocket",
    "",
  ]);
});

Deno.test("fromClientHeaders() keeps a client's control headers back in any spelling", async (t) => {
  const names = ["X-H8s-ReplySubject", "x-h8s-publishsubject", "X-H8S-WINDOW", "x-H8s-", "X-h8S-a"];
  names.push("Nats-Rollup", "nats-msg-id", "NATS-EXPECTED-STREAM", "nAtS-", "Nats-TTL");
  // Consumers in Go, Python and Ruby take such a message for a word of nats-server.
  names.push("Status");
  for (const kind of ["http", "websocket"] as const) {
    for (const name of names) {
      await t.step(`${kind}: ${name}`, () => {
        assert.equal(fromClientHeaders([...new Headers([[name, "1"]])], { kind }), "");
      });
    }
  }
});

Deno.test("fromClientHeaders() leaves to the gateway what the gateway sets", async (t) => {
  for (const kind of ["http", "websocket"] as const) {
    for (const name of SET_BY_GATEWAY) {
      await t.step(`${kind}: ${name}`, () => {
        const headers = new Headers([["a", "1"], [name.toUpperCase(), "spoofed"], ["z", "2"]]);
        assert.equal(fromClientHeaders([...headers], { kind }), "A: 1\r\nZ: 2\r\n");
      });
    }
  }
});

Deno.test("fromClientHeaders() never smuggles a header or a line, whatever the client sends", () => {
  const rules = [...HOP_BY_HOP, ...SET_BY_GATEWAY, "x-h8s-a", "nats-a", "set-cookie"];
  const hostile = fc.constantFrom(...rules).chain((name) => fc.mixedCase(fc.constant(name)));
  const anyValue = fc.string({
    unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code))
      .filter((char) => char !== "\r" && char !== "\n"),
  });
  const anyHeaders = fc.array(fc.tuple(fc.oneof(headerName, hostile), anyValue));
  const kinds = fc.constantFrom<RequestKind>("http", "websocket");
  fc.assert(fc.property(anyHeaders, kinds, (pairs, kind) => {
    const headers = new Headers(pairs);
    const block = toHeaderBlock(fromClientHeaders([...headers], { kind }));
    const names = parseHeaderBlock(block).map(([name]) => name);
    if (block !== "") assert.equal(block.split(/\r\n|\r|\n/).length, names.length + 3);
    const sent = [...headers.keys()].map(toGoCanonicalName);
    for (const name of names) {
      const index = sent.indexOf(name);
      assert.notEqual(index, -1, `${name} came from nowhere`);
      sent.splice(index, 1);
      assert.ok(!/^(x-h8s-|nats-)/i.test(name.replaceAll(/[^a-z0-9]/gi, "-")), name);
      assert.ok(!name.includes("_"), name);
      assert.ok(!SET_BY_GATEWAY.includes(name.toLowerCase()), name);
      const isOfHandshake = kind === "websocket" && /^(connection|upgrade)$/i.test(name);
      assert.ok(isOfHandshake || !HOP_BY_HOP.includes(name.toLowerCase()), name);
    }
  }));
});

Deno.test("toHeaderBlock() is what NATS ADR-4 shows, and nothing where there is nothing", () => {
  const table = [["Header1", "X"], ["Header1", "Y"], ["Header2", "Z"]] as const;
  const lines = joinLines(...table.map(([name, value]) => toHeaderLine(name, value)));
  const block = "NATS/1.0\r\nHeader1: X\r\nHeader1: Y\r\nHeader2: Z\r\n\r\n";
  assert.equal(toHeaderBlock(lines), block);
  assert.equal(block.length, 48);
  assert.equal(toHeaderBlock(NO_LINES), "");
});

Deno.test("parseHeaderBlock() reads the lines of a block", async (t) => {
  const table: [title: string, line: string, name: string, value: string][] = [
    ["one space after the colon", "A: 1", "A", "1"],
    ["no space", "A:1", "A", "1"],
    ["optional white space on both sides", "A: \t 1 \t ", "A", "1"],
    ["no value", "A:", "A", ""],
    ["the case of the name kept", "x-FOO: 1", "x-FOO", "1"],
    ["the first colon ends the name", "A: b:c: d", "A", "b:c: d"],
    ["white space inside", "A: b  c\td", "A", "b  c\td"],
    // 0xA0 ends the UTF-8 of "à" and is no white space to RFC 9110 §5.6.3.
    ["a byte 0xA0 at the end", "A: voil\xc3\xa0", "A", "voil\xc3\xa0"],
    ["a byte 0xA0 at the start", "A: \xa0x", "A", "\xa0x"],
  ];
  for (const [title, line, name, value] of table) {
    await t.step(title, () => {
      const entries = parseHeaderBlock(`NATS/1.0\r\n${line}\r\n\r\n`);
      assert.deepEqual(entries, [[name, value]]);
    });
  }
  await t.step("an empty block", () => {
    assert.deepEqual(parseHeaderBlock(""), []);
  });
});

Deno.test("parseHeaderBlock() passes over the status of the first line", () => {
  for (const status of ["", " 503", " 503 No Responders", " 408 Request Timeout"]) {
    const entries = parseHeaderBlock(`NATS/1.0${status}\r\nA: 1\r\n\r\n`);
    assert.deepEqual(entries, [["A", "1"]]);
  }
});

Deno.test("parseHeaderBlock() undoes toHeaderBlock() for every legal header", () => {
  const headers = fc.array(fc.tuple(headerName, headerValue));
  fc.assert(fc.property(headers, (entries) => {
    const lines = joinLines(...entries.map(([name, value]) => toHeaderLine(name, value)));
    assert.deepEqual(parseHeaderBlock(toHeaderBlock(lines)), entries);
  }));
});

Deno.test("findHeader() finds the first of a name in any case", () => {
  const entries: HeaderEntry[] = [["B", "0"], ["STATUS-code", "1"], ["Status-Code", "2"]];
  assert.equal(findHeader(entries, "status-code"), "1");
  assert.equal(findHeader(entries, "status"), undefined);
});

Deno.test("toClientHeaders() lets a workload's headers pass as they are", async (t) => {
  const table: [title: string, entries: HeaderEntry[]][] = [
    ["none", []],
    ["any case of the name", [["content-type", "text/html"], ["ETAG", '"1"']]],
    ["an empty value", [["X-Empty", ""]]],
    ["several Set-Cookie", [["Set-Cookie", "a=1, b"], ["X-A", "1"], ["set-cookie", "c=3"]]],
    ["latin-1 bytes", [["X-Name", "caf\xe9 \x80\xff"]]],
    ["names close to control headers", [["X-Status", "1"], ["X-Nats-A", "2"], ["X-H8", "3"]]],
  ];
  for (const [title, entries] of table) {
    await t.step(title, () => assert.deepEqual(toClientHeaders(entries), entries));
  }
});

Deno.test("toClientHeaders() keeps back what is between workload and gateway", async (t) => {
  const names = ["Status", "Status-Code", "status-text", "X-H8s-Continue", "x-h8s-credit"];
  names.push("Nats-Msg-Id", "NATS-SERVICE-ERROR", ...HOP_BY_HOP);
  for (const name of names) {
    await t.step(name, () => {
      const entries: HeaderEntry[] = [["A", "1"], [name, "x-hop"], ["Z", "2"]];
      assert.deepEqual(toClientHeaders(entries), [["A", "1"], ["Z", "2"]]);
    });
  }
});

Deno.test("toClientHeaders() keeps back what any Connection line names", async (t) => {
  const table: [title: string, entries: HeaderEntry[]][] = [
    ["a line before", [["Connection", "X-Hop, close"], ["x-hop", "1"]]],
    ["a line after", [["x-hop", "1"], ["connection", "close,x-HOP"]]],
    ["the second of two lines", [["Connection", "close"], ["Connection", "x-hop"], ["X-Hop", "1"]]],
  ];
  for (const [title, entries] of table) {
    await t.step(title, () => {
      assert.deepEqual(toClientHeaders([...entries, ["Y", "2"]]), [["Y", "2"]]);
    });
  }
});

Deno.test("toClientHeaders() refuses what HTTP cannot carry", async (t) => {
  const values = ["a\rb", "a\nb", "a\r\nSet-Cookie: b", "\0", "a\0b", "a\x01b", "a\x7fb"];
  const names = ["", "A B", "A ", " A", "A\tB", "A\0", "A\nB", "caf\xe9", "A(1)", "A/B", "A@B"];
  // A name with white space is malformed even where the name without it would only be kept back.
  names.push("Status ", "X-H8s-A\0", "Connection ");
  const malformed = { code: "malformed_reply", status: 502 };
  const table = [...values.map((value) => ["X-A", value]), ...names.map((name) => [name, "1"])];
  for (const [name = "", value = ""] of table) {
    await t.step(JSON.stringify([name, value]), () => {
      assert.throws(() => toClientHeaders([["A", "1"], [name, value]]), malformed);
    });
  }
});

/** `textproto.CanonicalMIMEHeaderKey` of Go, byte by byte. */
function toGoCanonicalName(name: string): string {
  let canonical = "";
  let isFirst = true;
  for (const char of name) {
    canonical += isFirst ? char.toUpperCase() : char.toLowerCase();
    isFirst = char === "-";
  }
  return canonical;
}
