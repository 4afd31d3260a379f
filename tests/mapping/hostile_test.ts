/**
 * Whatever comes in, what goes out is legal: no input makes the mapping write a subject or a header that
 * nobody may write, or fail in a way that nobody expects.
 *
 * @module
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { GatewayError } from "../../lib/errors.ts";
import { parseNumbered } from "../../lib/mapping/ack.ts";
import { parseVerdict, toAuthorizeSubject } from "../../lib/mapping/authorize.ts";
import { parseConnectionRecord } from "../../lib/mapping/connection_record.ts";
import { ContractError } from "../../lib/mapping/contract_error.ts";
import { toEventSubjects } from "../../lib/mapping/control.ts";
import { parseFlowSignal } from "../../lib/mapping/flow.ts";
import { fromClient, fromProxy } from "../../lib/mapping/forwarding.ts";
import { toFrame } from "../../lib/mapping/frame.ts";
import type { HeaderEntry } from "../../lib/mapping/headers.ts";
import { parseIncoming, toDestination, toRequestUrl } from "../../lib/mapping/incoming.ts";
import { parseInterest } from "../../lib/mapping/interest.ts";
import { parsePubAck } from "../../lib/mapping/jetstream.ts";
import { parseListing, parseListRequest } from "../../lib/mapping/listing.ts";
import { parseReply } from "../../lib/mapping/reply.ts";
import { toRequestHeaders, toTarget, toUploadSubject } from "../../lib/mapping/request.ts";
import { parseTemplate, renderTemplate } from "../../lib/mapping/template.ts";
import { encodeToken, readPathTokens } from "../../lib/mapping/subject.ts";
import { encode, HEADER_LINE, headerPairs, hostileBlock, SUBJECT } from "./wire.ts";

/** Pieces that mean something to a parser of URLs, to NATS or to HTTP. */
const nasty = fc.constantFrom(
  ...["..", ".", "/", "//", "\\", "?", "#", "@", ":", "[", "]", "%", "%2e", "%2F", "%00", "%ff"],
  ...["*", ">", "*.>", " ", "\t", "\r\n", "\0", "\x7f", "\x80", "\xa0", "\u2028", "\u{1f600}"],
  ...["a", "example.com", "127.0.0.1", "[::1]", ":80", "http://", "_INBOX", "$SYS", "control"],
);
const text = fc.oneof(
  fc.array(nasty, { maxLength: 6 }).map((pieces) => pieces.join("")),
  fc.string({ unit: "binary" }),
);
const kind = fc.constantFrom("http" as const, "websocket" as const);
const method = fc.oneof(fc.constantFrom("GET", "PUT", "M-SEARCH", "GET.*", "CONNECT", ">"), text);
const host = fc.oneof(fc.constantFrom("example.com", "[::1]:80", "1.2.3.4", "a_b.c"), text);
const request = fc.record({ kind, method, host, other: fc.option(host), path: text });

Deno.test("whatever a client asks for, it is refused with a 4xx or the subjects are legal", () => {
  fc.assert(
    fc.property(request, ({ kind, method, host, other, path }) => {
      const url = `http://${host}/${path}`;
      const headers = [["host", other ?? host]] as const;
      const target = orRefusal(() => toTarget({ method, url, headers }, { prefix: "p.q", kind }));
      if (target === undefined) return;
      const { subject, hostTokens } = target;
      assert.ok(subject.startsWith(kind === "http" ? `p.q.http.${method}.` : "p.q.ws.ws."));
      const events = toEventSubjects("closed", { prefix: "p.q", hostTokens, forms: "both" });
      const all = [
        ...[subject, toUploadSubject(subject, "p.q")],
        toAuthorizeSubject(kind, { prefix: "p.q", hostTokens }),
        ...events,
      ];
      for (const subject of all) assert.match(subject, SUBJECT);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("whatever a client sends, each header of a message is one line, and the gateway's word", () => {
  const parts = fc.record({ kind, pairs: headerPairs, path: text, query: text });
  fc.assert(
    fc.property(parts, ({ kind, pairs, path, query }) => {
      const headers: HeaderEntry[] = [...new Headers(pairs)].filter(([name]) => name !== "host");
      const url = `http://a.example/${path}?${query}`;
      const request = { method: "GET", url, headers: [...headers, ["host", "a.example"] as const] };
      const header = (name: string) => new Headers(pairs).get(name);
      const hop = { address: "10.0.0.1", scheme: "http", header } as const;
      for (const forwarding of [fromProxy(hop, () => true), fromClient("192.0.2.7", "http")]) {
        const { host } = forwarding;
        const target = orRefusal(() => toTarget(request, { prefix: "h8s", kind, host }));
        if (target === undefined) continue;
        const { subject } = target;
        assert.match(subject, SUBJECT);
        const { requestId = "r", traceparent = "t" } = forwarding;
        const provenance = { ...forwarding, requestId, traceparent, sessionId: "s" };
        const lines = toRequestHeaders(headers, { target, subject, kind, provenance });
        for (const line of lines.split("\r\n").slice(0, -1)) assert.match(line, HEADER_LINE);
        assert.deepEqual(lines.match(/^(x-h8s-|nats-)[^:]*/gim), [
          ...["X-H8s-PublishSubject", "X-H8s-Original-Host"],
          ...["X-H8s-Original-Query", "X-H8s-Original-Path"],
          ...(target.isQueryEmpty ? ["X-H8s-Original-Target"] : []),
        ]);
      }
    }),
    { numRuns: 1000 },
  );
});

Deno.test("whatever a path's parameters are, a template gives one token for each, or a 400", () => {
  const template = parseTemplate("{prefix}.rooms.{a}.x-{b}", {
    params: ["a", "b"],
    wildcards: false,
  });
  fc.assert(fc.property(text, text, (a, b) => {
    const values = {
      builtIn: { prefix: "h8s" },
      params: { a: encodeToken(a), b: encodeToken(b) },
      hasSessions: true,
    };
    const subject = orRefusal(() => renderTemplate(template, values));
    if (subject === undefined) return assert.ok(a === "" || b === "");
    assert.match(subject, SUBJECT);
    assert.equal(subject.split(".").length, 4);
  }));
});

Deno.test("whatever a workload replies, it is a 502 or HTTP can carry it", () => {
  fc.assert(
    fc.property(hostileBlock, fc.nat(2), (block, length) => {
      const reply = orMalformed(() => parseReply(block, length));
      if (reply === undefined || reply.kind === "no_responders") return;
      const headers = reply.headers.map(([name, value]): [string, string] => [name, value]);
      new Response(null, { status: reply.status, headers });
      for (const [name, value] of headers) {
        assert.match(`${name}: ${value}`, HEADER_LINE);
        assert.ok(!/^(x-h8s-|nats-|status|content-length$|connection$|te$)/i.test(name), name);
      }
      assert.match(reply.contentLength ?? "0", /^\d+$/);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("whatever an authorizer replies, only a status that it says lets anybody in", () => {
  fc.assert(
    fc.property(hostileBlock, fc.nat(2), (block, length) => {
      const verdict = orMalformed(() => parseVerdict(block, length));
      if (verdict?.kind !== "accepted") return;
      assert.match(block, /status(-code)?: *[ \t]*(101|2\d\d)/i);
      assert.match(verdict.sessionId ?? "s", /^[\w-]+$/);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("whatever a workload sends to a socket, it is a frame that may be sent", () => {
  const close = fc.tuple(fc.nat(9999), text)
    .map(([code, reason]) => `NATS/1.0\r\nX-H8s-Close: ${code} ${reason}\r\n\r\n`);
  fc.assert(fc.property(fc.oneof(hostileBlock, close), fc.uint8Array(), (block, bytes) => {
    const frame = toFrame(block, bytes);
    if (frame.kind !== "close") return;
    assert.ok(
      (frame.code >= 1000 && frame.code <= 1013 && ![1004, 1005, 1006].includes(frame.code)) ||
        (frame.code >= 3000 && frame.code <= 4999),
      String(frame.code),
    );
    assert.ok(encode(frame.reason).length <= 123);
  }));
});

Deno.test("whatever comes over NATS, reading it ends in an answer or in the error that says so", () => {
  fc.assert(fc.property(hostileBlock, text, (block, rest) => {
    const signal = parseFlowSignal(block);
    if (signal?.kind === "credit") assert.ok(signal.bytes >= 0);
    parsePubAck(block, encode(rest));
    const incoming = parseIncoming(block);
    toDestination(rest, { host: incoming.host });
    try {
      toRequestUrl(incoming, { host: "h", pathTokens: readPathTokens(rest) });
    } catch (error) {
      assert.ok(error instanceof TypeError || error instanceof URIError, String(error));
    }
  }));
  const json = fc.oneof(fc.json(), fc.json().map((value) => `{"connections":[${value}]}`), text);
  const parsers = [parseConnectionRecord, parseListing, parseListRequest, parseInterest];
  fc.assert(fc.property(fc.oneof(json.map(encode), fc.uint8Array()), (payload) => {
    for (const parse of parsers) {
      try {
        parse(payload);
      } catch (error) {
        assert.ok(error instanceof ContractError, String(error));
      }
    }
  }));
});

Deno.test("whatever a client numbers, it is a number that it may have, or nothing", () => {
  const bytes = fc.uint8Array().map(({ buffer }) => buffer as ArrayBuffer);
  const numbered = fc.record({ id: fc.anything(), data: fc.jsonValue() })
    .map((value) => JSON.stringify(value, (_, value) => typeof value === "bigint" ? 1 : value));
  fc.assert(fc.property(fc.oneof(bytes, numbered, fc.json(), text), (data) => {
    const message = parseNumbered(data);
    if (message !== undefined) assert.ok(Number.isSafeInteger(message.id) && message.id >= 0);
  }));
});

/** What a client has done wrong is undefined; anything else that is thrown fails the test. */
function orRefusal<Result>(run: () => Result): Result | undefined {
  return orError(run, (status) => status <= 499 || status === 501);
}

/** The same for a workload. */
function orMalformed<Result>(run: () => Result): Result | undefined {
  return orError(run, (status) => status === 502);
}

function orError<Result>(
  run: () => Result,
  isExpected: (status: number) => boolean,
): Result | undefined {
  try {
    return run();
  } catch (error) {
    if (error instanceof GatewayError && isExpected(error.status)) return undefined;
    throw error;
  }
}
