import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { type BusMessage, toKept } from "../../../lib/nats/bus.ts";
import { ProtocolSplitter } from "../../../lib/nats/client/protocol_splitter.ts";

const OWN = 7;
const STATUS = "NATS/1.0 503\r\n\r\n";

type Taken = readonly [subject: string, reply: string, headers: string, payload: string];

/** Every kind of unit; a message of one's own with what it is taken for. */
const UNITS: readonly (readonly [bytes: string, taken?: Taken])[] = [
  ['INFO {"server_name":"MSG a 7 1","max_payload":1048576} \r\n'],
  ["PING\r\n"],
  own(["a.b", "", "", "hello"]),
  own(["a.b", "to.me", "", ""]),
  ["-ERR 'Permissions Violation for Publish to \"MSG a 7 1\"'\r\n"],
  [toBytes(["other", "", "", "MSG a 7 1\r\nx\r\n"], 8)],
  ["+OK\r\n"],
  own(["a", "", "NATS/1.0\r\nX: \xe9\xff\x80\r\n\r\n", ""]),
  own(["a", "to.me", STATUS, "hello"]),
  [toBytes(["other", "to.me", STATUS, "hello"], 70)],
  own(["a", "", "", "\r\nMSG b 7 1\r\nPING\r\n"]),
  ["PONG\r\n"],
  own(["a", "", "NATS/1.0\r\n\r\n", ""], (bytes) => bytes.replace("HMSG", "hmsg")),
  own(["a", "", "", "y".repeat(300)], (bytes) => bytes.replace("MSG", "msg")),
  // Chunks of a stream: the same line again and again, but for the size.
  own(["in.box", "", "", "chunk"]),
  own(["in.box", "", "", "a longer one"]),
  own(["in.box", "", "", ""]),
  own(["in.box", "to.me", "", "chunk"]),
  own(["in.box", "to.me", "", "other"]),
  own(["in.bax", "to.me", "", "other"]),
  own(["in.box", "", "NATS/1.0\r\nX: y\r\n\r\n", "chunk"]),
  own(["in.box", "", "", "2"]),
  [toBytes(["in.box", "", "", "2"], 8)],
  own(["in.box", "", "", "3"]),
  ["PING\r\n"],
  own(["in.box", "", "", "4"]),
];

function own(taken: Taken, spell = (bytes: string) => bytes): [string, Taken] {
  return [spell(toBytes(taken, OWN)), taken];
}

function toBytes([subject, reply, headers, payload]: Taken, sid: number): string {
  const size = headers.length + payload.length;
  const sizes = headers === "" ? `${size}` : `${headers.length} ${size}`;
  const verb = headers === "" ? "MSG" : "HMSG";
  const words = [verb, subject, sid, ...(reply === "" ? [] : [reply]), sizes];
  return `${words.join(" ")}\r\n${headers}${payload}\r\n`;
}

function split(
  pieces: readonly Buffer[],
  { borrows = false } = {},
): { taken: BusMessage[]; rest: string } {
  const taken: BusMessage[] = [];
  let rest = "";
  const splitter = new ProtocolSplitter({
    takers: new Map([[OWN, { borrows, onMessage: (message) => taken.push(message) }]]),
    passOn: (bytes) => rest += Buffer.from(bytes).toString("latin1"),
  });
  for (const piece of pieces) splitter.push(piece);
  return { taken, rest };
}

function assertSplit(pieces: readonly Buffer[], title: string): void {
  const { taken, rest } = split(pieces);
  const texts = taken.map(({ subject, reply, headers, data }) => [
    subject,
    reply,
    headers,
    Buffer.from(data).toString("latin1"),
  ]);
  assert.deepEqual(texts, UNITS.flatMap(([, taken]) => taken === undefined ? [] : [taken]), title);
  const foreign = UNITS.flatMap(([bytes, taken]) => taken === undefined ? [bytes] : []);
  assert.equal(rest, foreign.join(""), title);
}

const ALL = Buffer.from(UNITS.map(([bytes]) => bytes).join(""), "latin1");

Deno.test("ProtocolSplitter takes its own messages and passes on the rest, in one piece", () => {
  assertSplit([ALL], "whole");
});

Deno.test("ProtocolSplitter does so wherever the bytes are cut", () => {
  for (let cut = 1; cut < ALL.length; cut++) {
    assertSplit([ALL.subarray(0, cut), ALL.subarray(cut)], `cut at ${cut}`);
  }
});

Deno.test("ProtocolSplitter does so in pieces of every size", () => {
  for (let size = 1; size <= 64; size++) {
    const pieces: Buffer[] = [];
    for (let at = 0; at < ALL.length; at += size) pieces.push(ALL.subarray(at, at + size));
    assertSplit(pieces, `pieces of ${size}`);
  }
});

Deno.test("ProtocolSplitter holds a large message once, however many pieces it comes in", () => {
  const size = 8 * 1024 * 1024;
  const payload = Buffer.alloc(size, 0x61);
  const message = Buffer.concat([Buffer.from(`MSG a 7 ${size}\r\n`), payload, Buffer.from("\r\n")]);
  const pieces: Buffer[] = [];
  for (let at = 0; at < message.length; at += 1000) pieces.push(message.subarray(at, at + 1000));
  const { taken, rest } = split([...pieces, Buffer.from("PING\r\n")]);
  assert.equal(taken[0]?.data.length, size);
  assert.ok(taken[0].data.every((byte) => byte === 0x61));
  assert.ok(taken[0].data.buffer.byteLength < size + 1000);
  assert.equal(rest, "PING\r\n");
});

Deno.test("ProtocolSplitter passes on what it cannot read, and all that follows", () => {
  for (
    const line of [
      "MSG a 7 x",
      "MSG a 7 ",
      "MSG a 7",
      "MSG",
      "MSG a 7 -1",
      "HMSG a 7 9 3",
      "HMSG a 7 3",
    ]
  ) {
    const bytes = `${line}\r\nMSG a 7 1\r\nx\r\n`;
    const before = "MSG a 7 1\r\nx\r\n";
    for (const count of [0, 1]) {
      const { taken, rest } = split([Buffer.from(before.repeat(count) + bytes)]);
      assert.deepEqual([taken.length, rest], [count, bytes], line);
    }
  }
});

Deno.test("ProtocolSplitter asks for each message whether it is still its own", () => {
  const seen: string[] = [];
  const takers = new Map([[OWN, {
    borrows: false,
    onMessage: ({ data }: BusMessage) => {
      seen.push(Buffer.from(data).toString());
      takers.clear();
    },
  }]]);
  let rest = "";
  const splitter = new ProtocolSplitter({
    takers,
    passOn: (bytes) => rest += Buffer.from(bytes).toString(),
  });
  splitter.push(Buffer.from("MSG a 7 1\r\n1\r\nMSG a 7 1\r\n2\r\n"));
  assert.deepEqual([seen, rest], [["1"], "MSG a 7 1\r\n2\r\n"]);
});

Deno.test("ProtocolSplitter lends what it reads to those who borrow, and says so", () => {
  const kept: BusMessage[] = [];
  const lent: BusMessage[] = [];
  const onMessage = (message: BusMessage) => {
    lent.push(message);
    kept.push(toKept(message));
  };
  const takers = new Map([[OWN, { borrows: true, onMessage }]]);
  const splitter = new ProtocolSplitter({ takers, passOn() {} });
  const large = "l".repeat(100_000);
  const toText = ({ data }: BusMessage) => Buffer.from(data).toString();
  for (const text of ["first", large, "second"]) {
    splitter.push(Buffer.from(`MSG a ${OWN} ${text.length}\r\n${text}\r\n`));
  }
  assert.deepEqual(kept.map(toText), ["first", large, "second"]);
  assert.deepEqual(lent.map(({ isBorrowed }) => isBorrowed), [true, false, true]);
  // The memory is the same: nothing was copied.
  assert.notEqual(toText(lent[0]!), "first");
  assert.equal(toText(lent[1]!), large);
});

Deno.test("ProtocolSplitter reads a large message to where it stays, and little of what comes behind it", () => {
  const taken: BusMessage[] = [];
  const splitter = new ProtocolSplitter({
    takers: new Map([[OWN, { borrows: false, onMessage: (message) => taken.push(message) }]]),
    passOn() {},
  });
  // As much as a socket does: what fits into the space.
  const read = (bytes: Buffer) => {
    const { space } = splitter;
    const length = Math.min(space.length, bytes.length);
    space.set(bytes.subarray(0, length));
    splitter.commit(length);
    return { rest: bytes.subarray(length), length, memory: space.buffer };
  };
  const size = 200_000;
  const message = Buffer.from(`MSG a ${OWN} ${size}\r\n${"l".repeat(size)}\r\n`);
  const first = read(Buffer.concat([message, message]));
  const body = read(first.rest);
  assert.equal(taken.length, 1);
  assert.equal(taken[0]!.data.buffer, body.memory);
  const glance = read(body.rest);
  assert.ok(glance.length <= 8 * 1024, `${glance.length} bytes are copied`);
  assert.equal(read(glance.rest).rest.length, 0);
  assert.deepEqual(taken.map(({ data }) => data.length), [size, size]);
  const small = Buffer.from(`MSG a ${OWN} 5\r\nsmall\r\n`.repeat(2000));
  const second = read(small);
  assert.equal(second.length, glance.length);
  assert.equal(read(second.rest).rest.length, 0, "many small ones come in one read again");
  assert.equal(taken.length, 2002);
});
