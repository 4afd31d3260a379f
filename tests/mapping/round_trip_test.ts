/**
 * What one side writes, the other reads as it was meant: through all modules of the mapping at once.
 *
 * @module
 */
import { fromByteText } from "../../lib/mapping/latin1.ts";
import assert from "node:assert/strict";
import fc from "fast-check";
import { parseNumbered, renderAck, renderData } from "../../lib/mapping/ack.ts";
import {
  parseConnectionRecord,
  renderConnectionRecord,
} from "../../lib/mapping/connection_record.ts";
import { toEventHeaders } from "../../lib/mapping/control.ts";
import { type FlowSignal, parseFlowSignal, renderFlowSignal } from "../../lib/mapping/flow.ts";
import { toCloseReason } from "../../lib/mapping/close.ts";
import { toFrame, toFrameHeader } from "../../lib/mapping/frame.ts";
import { toHeaderBlock, toHeaderLines } from "../../lib/mapping/headers.ts";
import {
  parseIncoming,
  toDestination,
  toRemoteAddress,
  toRequestUrl,
} from "../../lib/mapping/incoming.ts";
import { parseInterest, renderInterest } from "../../lib/mapping/interest.ts";
import {
  parseListing,
  parseListRequest,
  renderListing,
  renderListRequest,
} from "../../lib/mapping/listing.ts";
import { toReplyLines } from "../../lib/mapping/outgoing.ts";
import { parseReply } from "../../lib/mapping/reply.ts";
import { toRequestHeaders, toTarget } from "../../lib/mapping/request.ts";
import { readHostTokens, readSubject, toHostName } from "../../lib/mapping/subject.ts";
import {
  toCloseBlock,
  toCloseInfo,
  toSendBlock,
  toSocketData,
} from "../../lib/mapping/socket_message.ts";
import { encode, headerPairs } from "./wire.ts";

const PROVENANCE = {
  sessionId: undefined,
  requestId: "req-1",
  traceparent: "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
  tracestate: undefined,
  scheme: "http",
  isProxied: false,
  forwardedFor: "192.0.2.7",
} as const;

/** What does not cross from the client: section 2 of the contract. */
const NOT_FROM_CLIENT = new RegExp(
  "^(x-h8s-.*|nats-.*|.*_.*|x-forwarded-.*|forwarded|proxy|host|client-id|reply-to|status|" +
    "content-length|x-request-id|traceparent|tracestate|connection|keep-alive|te|trailer|" +
    "transfer-encoding|upgrade|proxy-(authenticate|authorization|connection))$",
  "i",
);
/** What does not cross from the workload: section 3. */
const NOT_FROM_WORKLOAD = new RegExp(
  "^(x-h8s-.*|nats-.*|status.*|content-length|connection|keep-alive|te|trailer|" +
    "transfer-encoding|upgrade|proxy-(authenticate|authorization|connection))$",
  "i",
);

const label = fc.stringMatching(/^[A-Za-z]([A-Za-z0-9-]{0,8}[A-Za-z0-9])?$/);
const host = fc.oneof(
  fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join(".")),
  fc.ipV4(),
  fc.ipV6().map((address) => `[${address}]`),
);
const authority = fc.oneof(
  host,
  fc.tuple(host, fc.integer({ min: 1, max: 65535 })).map(([host, port]) => `${host}:${port}`),
);
/** As it comes over the line: some of it encoded, some not, some that means nothing. */
const segment = fc.oneof(
  fc.string({ unit: "grapheme" }).map(encodeURIComponent),
  fc.string({ unit: "grapheme" }).map((text) => text.replace(/[\0-\x20\x7f%?#]/g, "")),
  fc.constantFrom("", ".", "..", "%2e", "%2E.", "a%2Fb", "*", ">", "a.b", "%00", "%0d%0aA:1"),
);
const path = fc.array(segment).map((segments) => `/${segments.join("/")}`);
const query = fc.string({ unit: "grapheme" }).map((text) => text.replace(/[\0-\x20\x7f#]/g, "+"));
const method = fc.stringMatching(/^[A-Z][A-Z0-9-]{0,8}$/)
  .filter((method) => method !== "CONNECT" && method !== "TRACE");

Deno.test("a workload reads a request as the client sent it, but for what may not cross", () => {
  const parts = fc.record({ method, authority, path, query, pairs: headerPairs });
  fc.assert(fc.property(parts, ({ method, authority, path, query, pairs }) => {
    const url = `http://${authority}${path}${query === "" ? "" : `?${query}`}`;
    const sent = [
      ...new Headers(pairs.filter(([name]) => !/^(host|transfer-encoding)$/i.test(name))),
    ];
    const request = { method, url, headers: [...sent, ["host", authority] as const] };
    const target = toTarget(request, { prefix: "h8s", kind: "http" });
    const { subject, hostTokens, pathTokens } = target;
    const options = { target, subject, kind: "http", provenance: PROVENANCE } as const;
    const incoming = parseIncoming(toHeaderBlock(toRequestHeaders(request.headers, options)));

    assert.equal(incoming.host, authority);
    assert.equal(incoming.control.get("publishsubject"), subject);
    assert.equal(fromByteText(incoming.control.get("original-path")!), path);
    assert.equal(fromByteText(incoming.control.get("original-query")!), query);
    assert.equal(toRemoteAddress(incoming.headers), "192.0.2.7");
    const rest = subject.slice(`h8s.http.${method}.`.length);
    assert.deepEqual(toDestination(rest, { host: authority }), { hostTokens, pathTokens });
    assert.equal(toRequestUrl(incoming, { host: "", pathTokens }), new URL(url).href);

    const named = new Headers(sent).get("connection")?.toLowerCase().split(",") ?? [];
    const isForHop = (name: string) => named.some((option) => option.trim() === name);
    const crossing = sent.filter(([name]) => !NOT_FROM_CLIENT.test(name) && !isForHop(name));
    const read = incoming.headers.map(([name, value]) => [name.toLowerCase(), value]);
    // `Headers` joins "a" and "" to "a, ", whose blank is no part of the value (RFC 9110 §5.5).
    const values = crossing.map(([name, value]) => [name, value.replace(/ $/, "")]);
    assert.deepEqual(read.slice(0, crossing.length), values);
    assert.deepEqual(read.slice(crossing.length).map(([name]) => name), [
      ...["x-forwarded-for", "x-forwarded-proto", "x-forwarded-host"],
      ...["x-request-id", "traceparent", "host"],
    ]);
  }));
});

Deno.test("two requests share a subject exactly where the contract says so", () => {
  const labels = fc.array(fc.constantFrom("a", "B", "b"), { minLength: 1, maxLength: 2 });
  const suffix = fc.constantFrom("", ".", ":80", ".:80");
  const segments = fc.array(
    fc.constantFrom(
      ...["", ".", "..", "%2e", "%2E%2e", "a", "b", "%61", "A", "a.b", "a%2Eb", "%2561"],
      ...["a%2Fb", "a\\b", "*", "%2A", ">", "$", "%24", "caf\u00e9", "caf%c3%A9"],
    ),
    { maxLength: 3 },
  );
  const request = fc.record({ labels, suffix, segments });
  fc.assert(
    fc.property(request, request, (one, other) => {
      const isSame = JSON.stringify(toMeaning(one)) === JSON.stringify(toMeaning(other));
      assert.equal(toSubjectOf(one) === toSubjectOf(other), isSame);
    }),
    { numRuns: 5000 },
  );
});

Deno.test("the subject of a path tells its segments", () => {
  fc.assert(fc.property(path, (path) => {
    const request = { method: "GET", url: `http://h${path}`, headers: [["host", "h"] as const] };
    const { pathTokens } = toTarget(request, { prefix: "h8s", kind: "websocket" });
    const decoded = pathTokens === "" ? [] : pathTokens.split(".").map(decodeURIComponent);
    assert.deepEqual(decoded, toSegments(path.split(/[/\\]/)));
  }));
});

Deno.test("a client reads a reply as the workload sent it, but for what may not cross", () => {
  const status = fc.integer({ min: 200, max: 599 });
  const length = fc.option(fc.nat(), { nil: undefined });
  fc.assert(fc.property(status, headerPairs, length, (status, headers, contentLength) => {
    const head = { status, headers, ...(contentLength === undefined ? {} : { contentLength }) };
    const reply = parseReply(toHeaderBlock(toReplyLines(head)), contentLength ?? 1);
    assert.ok(reply.kind !== "no_responders");
    assert.equal(reply.kind, contentLength === undefined ? "stream" : "single");
    assert.equal(reply.status, status);
    assert.equal(reply.contentLength, contentLength?.toString());
    assert.deepEqual(
      reply.headers.map(([name, value]) => [name.toLowerCase(), value]),
      headers.filter(([name]) => !NOT_FROM_WORKLOAD.test(name))
        .map(([name, value]) => [name.toLowerCase(), value]),
    );
  }));
});

Deno.test("a WebSocket message is the same on the other side, in kind and content", () => {
  fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
    const { control } = parseIncoming(toHeaderBlock(toFrameHeader("text")));
    assert.equal(toSocketData(control, encode(text)), text);
    assert.deepEqual(toFrame(toSendBlock("text"), encode(text)), { kind: "text", text });
  }));
  fc.assert(fc.property(fc.uint8Array(), (bytes) => {
    const { control } = parseIncoming(toHeaderBlock(toFrameHeader("binary")));
    assert.deepEqual(toSocketData(control, bytes), bytes);
    assert.deepEqual(toFrame(toSendBlock("binary"), bytes), { kind: "binary", bytes });
  }));
});

Deno.test("a close says the same on the other side, but for blanks around and control characters", () => {
  const code = fc.oneof(
    fc.constantFrom(1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013),
    fc.integer({ min: 3000, max: 4999 }),
  );
  fc.assert(fc.property(code, fc.string({ unit: "binary" }), (code, text) => {
    const reason = toCloseReason(text);
    // deno-lint-ignore no-control-regex -- these are the characters that cannot cross
    const plain = reason.replace(/[\0-\x1f\x7f]/g, " ").replace(/ +$/, "");
    assert.deepEqual(
      toFrame(toCloseBlock({ code, reason: text }), new Uint8Array()),
      { kind: "close", code, reason: plain },
    );
    const event = toHeaderBlock(toEventHeaders({ type: "closed", code, reason }));
    const told = { code, reason: plain.replace(/^ +/, "") };
    assert.deepEqual(toCloseInfo(parseIncoming(event).control), told);
  }));
});

Deno.test("what a client numbers, and what it is told, keep number and content", () => {
  const id = fc.maxSafeNat();
  fc.assert(fc.property(id, fc.string({ unit: "binary" }), (id, data) => {
    const message = parseNumbered(JSON.stringify({ id, data }));
    assert.deepEqual(message, { id, kind: "text", bytes: encode(data) });
    assert.deepEqual(JSON.parse(renderAck(id, 7)), { ack: id, seq: 7 });
    assert.deepEqual(JSON.parse(renderData(data)), { data });
  }));
  fc.assert(fc.property(id, fc.uint8Array(), (id, bytes) => {
    const message = new Uint8Array(8 + bytes.length);
    new DataView(message.buffer).setBigUint64(0, BigInt(id));
    message.set(bytes, 8);
    assert.deepEqual(parseNumbered(message.buffer), { id, kind: "binary", bytes });
  }));
});

Deno.test("records, lists, interests and flow signals are read as they were written", () => {
  const text = fc.string({ unit: "binary" });
  const record = fc.record({
    inbox: text,
    subject: text.map(readSubject),
    hostTokens: text.map(readHostTokens),
    lines: text.map(toHeaderLines),
  });
  fc.assert(fc.property(record, (record) => {
    assert.deepEqual(parseConnectionRecord(encode(renderConnectionRecord(record))), { ...record });
  }));
  const subject = fc.stringMatching(/^[A-Za-z0-9_-]{1,8}(\.[A-Za-z0-9_-]{1,8}){0,3}$/);
  const gateway = fc.stringMatching(/^[A-Za-z0-9]{1,22}$/);
  const rest = { subject: text, host: text, path: text, query: text, remote: text, since: text };
  const connection = fc.record(
    { id: text, inbox: subject, ...rest, protocol: text, session: text },
    { requiredKeys: ["id", "inbox", ...Object.keys(rest) as (keyof typeof rest)[], "protocol"] },
  );
  const listing = fc.record({ gateway, connections: fc.array(connection), cursor: text }, {
    requiredKeys: ["gateway", "connections"],
  });
  fc.assert(fc.property(listing, (listing) => {
    assert.deepEqual(toPlain(parseListing(encode(renderListing(listing)))), toPlain(listing));
  }));
  const request = fc.record({ subject: text, host: text, limit: fc.integer({ min: 1 }) }, {
    requiredKeys: [],
  });
  fc.assert(fc.property(request, (request) => {
    const read = parseListRequest(encode(renderListRequest(request)));
    assert.deepEqual(toPlain(read), toPlain(request));
  }));
  const interest = fc.record({ host, path, method: fc.constantFrom("GET", "ws", "*") });
  fc.assert(fc.property(interest, (interest) => {
    const read = parseInterest(encode(renderInterest(interest)));
    assert.deepEqual(toPlain(read), { ...interest, host: toHostName(interest.host) });
  }));
  const signal: fc.Arbitrary<FlowSignal> = fc.oneof(
    fc.record({ kind: fc.constant("credit" as const), bytes: fc.nat() }),
    fc.record({ kind: fc.constant("continue" as const), windowBytes: fc.nat() }),
  );
  fc.assert(fc.property(signal, (signal) => {
    assert.deepEqual(parseFlowSignal(renderFlowSignal(signal)), { ...signal });
  }));
});

/** One request, in small pieces so that chance makes it equal to another one. */
interface Request {
  readonly labels: readonly string[];
  readonly suffix: string;
  readonly segments: readonly string[];
}

function toSubjectOf({ labels, suffix, segments }: Request): string {
  const authority = labels.join(".") + suffix;
  const url = `http://${authority}/${segments.join("/")}`;
  const headers = [["host", authority]] as const;
  return toTarget({ method: "GET", url, headers }, { prefix: "h8s", kind: "http" }).subject;
}

/** What the contract makes a subject of, written down as text that needs no encoding. */
function toMeaning({ labels, segments }: Request): string[] {
  const host = labels.map((label) => label.toLowerCase()).reverse();
  return [...host, ...toSegments(segments.flatMap((segment) => segment.split("\\")))];
}

/** Dot segments resolved (RFC 3986 §5.2.4), empty ones gone, the rest decoded once. */
function toSegments(segments: readonly string[]): string[] {
  const resolved: string[] = [];
  for (const segment of segments) {
    const dots = segment.replaceAll(/%2e/gi, ".");
    if (dots === "..") resolved.pop();
    else if (dots !== ".") resolved.push(segment);
  }
  return resolved.filter((segment) => segment !== "").map(decodeURIComponent);
}

/** Without the null prototypes of generated objects. */
function toPlain(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value));
}
