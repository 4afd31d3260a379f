import assert from "node:assert/strict";
import { toFrame } from "../../lib/mapping/frame.ts";
import { parseIncoming } from "../../lib/mapping/incoming.ts";
import { parseFlowSignal } from "../../lib/mapping/flow.ts";
import {
  toCloseBlock,
  toCloseInfo,
  toInbox,
  toKnownConnection,
  toSendBlock,
  toSocketData,
} from "../../lib/mapping/socket_message.ts";

Deno.test("toSendBlock() is read by the gateway as it was meant", () => {
  const bytes = new TextEncoder().encode("hi");
  assert.deepEqual(toFrame(toSendBlock("text"), bytes), { kind: "text", text: "hi" });
  assert.deepEqual(toFrame(toSendBlock("binary"), bytes), { kind: "binary", bytes });
  assert.equal(parseFlowSignal(toSendBlock("binary")), undefined);
  const asking = toSendBlock("binary", true);
  assert.deepEqual(toFrame(asking, bytes), { kind: "binary", bytes });
  assert.deepEqual(parseFlowSignal(asking), { kind: "ask" });
});

Deno.test("toCloseBlock() is read by the gateway as it was meant", () => {
  const table: [code: number, reason: string, read: string][] = [
    [1000, "", ""],
    [1013, "try later", "try later"],
    [1005, "", ""],
    [4999, "tschüß", "tschüß"],
    [4000, "a\r\nNats-Rollup: all", "a  Nats-Rollup: all"],
    [4000, "€".repeat(50), "€".repeat(41)],
  ];
  for (const [code, reason, read] of table) {
    const frame = toFrame(toCloseBlock({ code, reason }), new Uint8Array());
    assert.deepEqual(frame, { kind: "close", code, reason: read });
  }
  for (const code of [0, 999, 1004, 1006, 1015, 2999, 5000, 1000.5, Number.NaN]) {
    assert.throws(() => toCloseBlock({ code, reason: "" }), RangeError, String(code));
  }
});

Deno.test("toSocketData() is what the client sent", () => {
  const utf8 = new TextEncoder().encode("é");
  const table: [frame: string | undefined, payload: Uint8Array, data: string | Uint8Array][] = [
    ["text", utf8, "é"],
    ["binary", utf8, utf8],
    [undefined, utf8, "é"],
    [undefined, Uint8Array.of(0xff), Uint8Array.of(0xff)],
    ["text", new Uint8Array(), ""],
    ["binary", new Uint8Array(), new Uint8Array()],
  ];
  for (const [frame, payload, data] of table) {
    const control = new Map(frame === undefined ? [] : [["frame", frame]]);
    assert.deepEqual(toSocketData(control, payload), data);
  }
});

Deno.test("toCloseInfo() reads how a connection ended", () => {
  const table: [lines: [string, string][], code: number, reason: string][] = [
    [[["close-code", "4000"], ["close-reason", "tsch\xc3\xbc\xc3\x9f"]], 4000, "tschüß"],
    [[], 1005, ""],
    [[["close-code", "soon"]], 1005, ""],
  ];
  for (const [lines, code, reason] of table) {
    assert.deepEqual(toCloseInfo(new Map(lines)), { code, reason });
  }
});

Deno.test("toInbox() is the reply subject, but for what came through a stream", () => {
  const [told, ack] = ["_INBOX.h8s.G.told", "$JS.ACK.said.c.1.7.7.1700000000000000000.0"];
  const table: [reply: string, lines: string[], inbox: string][] = [
    ["_INBOX.h8s.G.1", [`X-H8s-ReplySubject: ${told}`], "_INBOX.h8s.G.1"],
    // The gateway in Go: the inbox of a WebSocket is its key, that of a request is outdated.
    ["_INBOX.h8s.dGhlIHNhbXBsZQ==", [`X-H8s-ReplySubject: ${told}`], "_INBOX.h8s.dGhlIHNhbXBsZQ=="],
    // A server's stand-in for the inbox of a request from another account.
    ["_R_.Xy12.Zz", [`X-H8s-ReplySubject: ${told}`], "_R_.Xy12.Zz"],
    // A consumer's, then a live one whose reply subject waits for the stream's acknowledgement.
    [ack, [`X-H8s-ReplySubject: ${told}`], told],
    ["_INBOX.h8s.G.1", ["Nats-Msg-Id: 1", `X-H8s-ReplySubject: ${told}`], told],
    ["_INBOX.other.1", [`X-H8s-ReplySubject: ${told}`], told],
    ["", [`X-H8s-ReplySubject: ${told}`], told],
    ["_INBOX.other.1", [], "_INBOX.other.1"],
    ["", [], ""],
  ];
  for (const [reply, lines, inbox] of table) {
    const block = `NATS/1.0\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
    assert.equal(toInbox(parseIncoming(block), reply), inbox, `${reply} ${lines}`);
  }
});

Deno.test("toKnownConnection() reads an established event as its gateway would list it", () => {
  const block = [
    "NATS/1.0",
    "Host: e.com:81",
    "Sec-Websocket-Protocol: v2, v1",
    "X-Forwarded-For: 192.0.2.7",
    "Client-Id: session-1",
    "X-H8s-PublishSubject: h8s.ws.ws.com.e.%C3%A9",
    "X-H8s-Original-Path: /\xc3\xa9",
    "X-H8s-Original-Query: a=1",
    "X-H8s-Connection-Id: G1-1",
    "X-H8s-Gateway-Id: G1",
    "",
    "",
  ].join("\r\n");
  const since = "2026-01-02T03:04:05.678Z";
  assert.deepEqual(toKnownConnection(parseIncoming(block), { reply: "_INBOX.h8s.G1.1", since }), {
    gateway: "G1",
    id: "G1-1",
    inbox: "_INBOX.h8s.G1.1",
    subject: "h8s.ws.ws.com.e.%C3%A9",
    host: "e.com:81",
    path: "/é",
    query: "a=1",
    remote: "192.0.2.7",
    since,
    protocol: "v2",
    session: "session-1",
  });
  assert.equal(toKnownConnection(parseIncoming(""), { reply: "inbox", since }), undefined);
  assert.equal(toKnownConnection(parseIncoming(block), { reply: "", since }), undefined);
});
