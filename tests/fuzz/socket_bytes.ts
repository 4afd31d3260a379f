/**
 * WebSocket frames, most of them right and some wrong, and what workloads say to sockets.
 *
 * @module
 */
import type { Random } from "../harness/random.ts";
import { OPCODE, toClosePayload, toFrameText } from "./frames.ts";

const OPCODES = [...Object.values(OPCODE), OPCODE.text, OPCODE.binary, OPCODE.continuation];
const TEXTS = [
  ...[
    "",
    "hi",
    '{"id":1,"data":"x"}',
    '{"id":-1}',
    "caf\xc3\xa9",
    "\xf0\x9f\x98\x80",
    "a\0b",
    "\r\n",
  ],
  ...[
    "\xff\xfe",
    "\xc3",
    "\xed\xa0\x80",
    "\xc0\x80",
    "+OK\r\n",
    "PUB h8s.evil 2\r\nhi\r\n",
    "0\r\n\r\n",
  ],
];
const CODES = [
  1000,
  1001,
  1002,
  1005,
  1006,
  1007,
  1009,
  1012,
  1015,
  3000,
  4000,
  4999,
  0,
  5000,
  65535,
];
const REASONS = [
  "",
  "bye",
  "\xff",
  "a\r\nNats-Rollup: all",
  "\0",
  "r".repeat(123),
  "r".repeat(124),
  "\xc3\xa9",
];

/**
 * Makes up one frame of a client.
 *
 * @param random Decides.
 * @returns Latin-1 text for `write`.
 */
export function toFuzzedFrame(random: Random): string {
  if (random.chance(0.03)) return random.bytes(1 + random.below(30));
  const opcode = random.chance(0.06) ? random.below(16) : random.pick(OPCODES);
  const payload = opcode === OPCODE.close && random.chance(0.8)
    ? toClosePayload(random.pick(CODES), random.pick(REASONS))
    : toPayload(random);
  return toFrameText({
    opcode,
    payload,
    isFinal: random.chance(opcode < 8 ? 0.75 : 0.97),
    reserved: random.chance(0.03) ? random.below(8) : 0,
    isMasked: random.chance(0.97),
    ...(random.chance(0.02) ? { lengthBits: 64 } : {}),
    ...(random.chance(0.02) ? { length: random.below(1 << 30), lengthBits: 64 } : {}),
  });
}

function toPayload(random: Random): string {
  const size = random.next();
  if (size < 0.6) return random.pick(TEXTS);
  if (size < 0.9) return random.bytes(random.below(126));
  if (size < 0.98) return random.bytes(random.below(2000));
  return "x".repeat(66_000);
}

const REPLY_LINES = [
  ...[
    "Status: 200",
    "Status-Code: 404",
    "Status: 201 Created",
    "Status: 99",
    "Status: x",
    "Status-Code: ",
  ],
  ...[
    "Content-Length: 2",
    "Content-Length: 7",
    "Content-Length: -1",
    "Content-Length: 2, 2",
    "X-A: 1",
  ],
  ...[
    "Transfer-Encoding: chunked",
    "Connection: X-A",
    "Content-Type: text/event-stream",
    "Set-Cookie: a",
  ],
  ...[
    "X-A: a\nSet-Cookie: b",
    "X-A: a\rb",
    "X-A: \0",
    "X A: 1",
    ": 1",
    "X-A",
    " folded",
    "X-\xe9: 1",
  ],
  ...[
    "X-H8s-Cancel: x",
    "X-H8s-Credit: -1",
    "X-H8s-Continue: 9999999999",
    "X-H8s-Body: stream",
    "X-B: \xff",
  ],
  ...[
    "X-H8s-Close: 4000 bye",
    "X-H8s-Close: 1006",
    "X-H8s-Close: x",
    "X-H8s-Frame: binary",
    "X-H8s-Frame: x",
  ],
  ...[
    "Nats-Service-Error-Code: 404",
    "Nats-Msg-Id: 1",
    "X-Big: " + "b".repeat(20_000),
    "Status: 304",
  ],
];

/**
 * Makes up the header block of a workload that does not keep to the contract.
 *
 * @param random Decides.
 * @returns Latin-1; never one that asks for the status 500.
 */
export function toFuzzedBlock(random: Random): string {
  const lines = random.several(4, () => random.pick(REPLY_LINES));
  const status = random.chance(0.05) ? random.pick([" 503", " 100 Idle", " 408", " x"]) : "";
  return `NATS/1.0${status}\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
}
