/**
 * Frames that RFC 6455 forbids, sent to the real program: what comes back, that the end is told exactly once,
 * and that nobody else notices.
 *
 * @module
 */
import assert from "node:assert/strict";
import { readUntil, write } from "../harness/raw_http.ts";
import { listen, setUp } from "../harness/setup.ts";
import { Client, HANDSHAKE, rawHandshake } from "../harness/websocket.ts";
import {
  type End,
  OPCODE,
  readFrames,
  toClosePayload,
  toEnd,
  toFrameText as frame,
} from "./frames.ts";

const { continuation, text, binary, close, ping, pong } = OPCODE;
const LIMIT = 1000;
/** What a client sends that has nothing against it. */
const GOODBYE = frame({ opcode: close, payload: toClosePayload(1000) });

/** What a client sends, and what comes of it. */
interface Case {
  readonly name: string;
  readonly bytes: string;
  /** What the client gets. */
  readonly end: End;
  /** What the workloads are told. */
  readonly told: number;
  /** What the workloads hear before. */
  readonly messages?: readonly string[];
}

const WRONG_FRAMES: [name: string, bytes: string][] = [
  ["RSV1 in a text, without an extension", frame({ opcode: text, payload: "hi", reserved: 4 })],
  ["RSV2 in a text", frame({ opcode: text, payload: "hi", reserved: 2 })],
  ["RSV3 in a text", frame({ opcode: text, payload: "hi", reserved: 1 })],
  ["RSV1 in a ping", frame({ opcode: ping, reserved: 4 })],
  ["RSV1 in a close", frame({ opcode: close, payload: toClosePayload(1000), reserved: 4 })],
  ["RSV1 in a continuation", begun() + frame({ opcode: continuation, payload: "b", reserved: 4 })],
  ...[3, 4, 5, 6, 7, 11, 12, 13, 14, 15].map((opcode): [string, string] => [
    `the reserved opcode ${opcode}`,
    frame({ opcode, payload: "x" }),
  ]),
  ["a fragmented close", frame({ opcode: close, payload: toClosePayload(1000), isFinal: false })],
  ["a fragmented ping", frame({ opcode: ping, payload: "a", isFinal: false })],
  ["a fragmented pong", frame({ opcode: pong, payload: "a", isFinal: false })],
  ["a ping of 126 bytes", frame({ opcode: ping, payload: "a".repeat(126) })],
  ["a continuation of nothing", frame({ opcode: continuation, payload: "x" })],
  ["its first part", frame({ opcode: continuation, payload: "x", isFinal: false })],
  ["a whole message inside a fragmented one", begun() + frame({ opcode: text, payload: "y" })],
  ["text that is not UTF-8", frame({ opcode: text, payload: "\xff\xfe" })],
  ["text with a surrogate", frame({ opcode: text, payload: "\xed\xa0\x80" })],
  ["text with an overlong form", frame({ opcode: text, payload: "\xc0\x80" })],
  ["text with a character cut short", frame({ opcode: text, payload: "\xe2\x82" })],
  ["a fragment that is not UTF-8", begun() + frame({ opcode: continuation, payload: "\xff" })],
  ["a close reason that is not UTF-8", closing(1000, "\xff\xfe")],
  ["a close payload of one byte", frame({ opcode: close, payload: "\x03" })],
  ["a length with the top bit set", claiming(1n << 63n)],
  ["a length of 2^62", claiming(1n << 62n)],
  ["a length of 64 MiB", claiming(64 * 1024 * 1024)],
  ["no frames at all", "GET / HTTP/1.1\r\nHost: e.com\r\n\r\n"],
];

/** RFC 6455 §7.4: unused, reserved, never to be sent, or not yet given a meaning. */
const UNSENDABLE_CODES = [0, 1, 999, 1004, 1005, 1006, 1014, 1015, 1016, 2000, 2999, 5000, 65535];

/** What is right; and, with its section, what Deno's server lets pass although RFC 6455 does not. */
const LET_PASS: [name: string, bytes: string, messages: string[]][] = [
  ["a message", frame({ opcode: text, payload: "hi" }), ["hi"]],
  ["an empty message", frame({ opcode: binary }), [""]],
  ["a character cut by fragments", begun("\xe2\x82") + finished("\xac"), ["\u20ac"]],
  ["empty fragments", begun("") + begun("", continuation) + finished(""), [""]],
  ["a ping between fragments", begun() + frame({ opcode: ping }) + finished("y"), ["xy"]],
  ["a pong that nobody asked for", frame({ opcode: pong, payload: "p" }), []],
  ["a ping of 125 bytes", frame({ opcode: ping, payload: "a".repeat(125) }), []],
  ["a close inside a fragmented message", begun(), []],
  ["§5.1 an unmasked text", frame({ opcode: text, payload: "hi", isMasked: false }), ["hi"]],
  ["§5.1 an unmasked ping", frame({ opcode: ping, isMasked: false }), []],
  ["§5.2 a length of 16 bits", frame({ opcode: text, payload: "hi", lengthBits: 16 }), ["hi"]],
  ["§5.2 a length of 64 bits", frame({ opcode: text, payload: "hi", lengthBits: 64 }), ["hi"]],
  ["§5.4 a new message inside a fragmented one", begun() + begun("y") + finished("z"), ["yz"]],
  ["§5.5 a pong of 126 bytes", frame({ opcode: pong, payload: "a".repeat(126) }), []],
];

const TOO_BIG: [name: string, bytes: string][] = [
  ["a message over the limit", frame({ opcode: binary, payload: "x".repeat(LIMIT + 1) })],
  ["a text of 64 bits of length over it", frame({ opcode: text, payload: "x".repeat(70_000) })],
  ["fragments that are over it together", begun("x".repeat(600)) + finished("x".repeat(600))],
];

const CASES: readonly Case[] = [
  ...WRONG_FRAMES.map(([name, bytes]): Case => ({ name, bytes, end: "drop", told: 1006 })),
  ...UNSENDABLE_CODES.map((code): Case => ({
    ...{ name: `the close code ${code}`, bytes: closing(code), end: 1002, told: 1006 },
  })),
  ...[1000, 1001, 1003, 1007, 1011, 1012, 1013, 3000, 4999].map((code): Case => ({
    ...{ name: `the close code ${code}`, bytes: closing(code), end: code, told: code },
  })),
  {
    ...{ name: "a close without a code", bytes: frame({ opcode: close }), end: 1005, told: 1005 },
  },
  { name: "§5.5 a close of 126 bytes", bytes: closing(1000, 124), end: 1000, told: 1000 },
  { name: "what comes after a close", bytes: closing(4000) + GOODBYE, end: 4000, told: 4000 },
  ...TOO_BIG.map(([name, bytes]): Case => ({ name, bytes, end: 1009, told: 1009 })),
  ...LET_PASS.map(([name, bytes, messages]): Case => ({
    ...{ name, bytes: bytes + GOODBYE, end: 1000, told: 1000, messages },
  })),
];

Deno.test("whatever frames a client sends, its end is told once and the gateway lives on", async (t) => {
  await using setup = await setUp(["--max-body-size", `${LIMIT}B`]);
  const { nc, gateway } = setup;
  const established = await listen(nc, "h8s.control.ws.conn.established.>");
  const closed = await listen(nc, "h8s.control.ws.conn.closed.>");
  const messages = await listen(nc, "h8s.ws.ws.com.example.chat.>");
  await using bystander = await Client.connect(`ws://127.0.0.1:${gateway.port}/bystander`);
  const inbox = (await established.next()).reply!;

  for (const [index, { name, bytes, end, told, messages: expected = [] }] of CASES.entries()) {
    await t.step(name, async () => {
      const heardBefore = messages.all.length;
      assert.equal(await sendAll(gateway.port, bytes), end);
      const event = await closed.next();
      assert.equal(event.headers?.get("X-H8s-Close-Code"), String(told));
      assert.equal(event.reply, (await established.next()).reply);
      await nc.flush();
      const heard = messages.all.slice(heardBefore).map((message) => message.string());
      assert.deepEqual(heard, expected);
      assert.equal(closed.all.length, index + 1);
    });
  }

  nc.publish(inbox, "still here");
  assert.equal(await bystander.next(), "still here");
  assert.equal(await gateway.metric("h8s_websockets_open"), 1);
  assert.deepEqual(gateway.noise, []);
  assert.deepEqual(gateway.lines.filter(({ level }) => level === "error"), []);
});

/** Sends all of it at once, reads until the gateway closes or says how it ends, and answers that. */
async function sendAll(port: number, bytes: string): Promise<End> {
  const { conn, response } = await rawHandshake(port, [
    ...HANDSHAKE,
    "Sec-WebSocket-Extensions: permessage-deflate",
  ]);
  using _ = conn;
  const early = response.slice(response.indexOf("\r\n\r\n") + 4);
  await write(conn, bytes);
  const isEnded = (text: string) => toEnd(readFrames(early + text)) !== "drop";
  const end = toEnd(readFrames(early + await readUntil(conn, isEnded)));
  // A gateway that closes first waits for the answer.
  if (end === 1009) await write(conn, closing(1009)).catch(() => {});
  return end;
}

function begun(payload = "x", opcode: number = text): string {
  return frame({ opcode, payload, isFinal: false });
}

function finished(payload: string): string {
  return frame({ opcode: continuation, payload });
}

function closing(code: number, reason: string | number = ""): string {
  const bytes = typeof reason === "string" ? reason : "a".repeat(reason);
  return frame({ opcode: close, payload: toClosePayload(code, bytes) });
}

function claiming(length: number | bigint): string {
  return frame({ opcode: binary, payload: "hi", length, lengthBits: 64 });
}
