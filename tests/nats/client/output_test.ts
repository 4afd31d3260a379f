import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { setImmediate } from "node:timers/promises";
import { Output } from "../../../lib/nats/client/output.ts";

/** A socket that keeps what it is given. */
class Sink {
  readonly writes: Uint8Array[] = [];
  readonly output = new Output(() => this);
  writableLength = 0;
  /** How many writes the system sees. */
  calls = 0;
  #isCorked = false;
  readonly #onWritten: (((error?: Error | null) => void) | undefined)[] = [];

  cork(): void {
    this.#isCorked = true;
    this.calls++;
  }

  uncork(): void {
    this.#isCorked = false;
  }

  write(bytes: Uint8Array, onWritten?: (error?: Error | null) => void): void {
    this.writes.push(bytes);
    this.#onWritten.push(onWritten);
    if (!this.#isCorked) this.calls++;
    this.writableLength += bytes.length;
  }

  /** The system has all of it, or the socket is broken. */
  settle(error?: Error): void {
    this.writableLength = 0;
    for (const onWritten of this.#onWritten.splice(0)) onWritten?.(error);
  }

  get text(): string {
    return Buffer.concat(this.writes).toString("latin1");
  }
}

Deno.test("Output writes once for all that came in a turn, in order", async () => {
  const { output, writes } = new Sink();
  output.add("PUB a 2\r\n", { data: new TextEncoder().encode("hi") });
  output.addBytes(new TextEncoder().encode("PING\r\n"));
  output.add("PUB b 0\r\n");
  assert.equal(writes.length, 0);
  await setImmediate();
  assert.deepEqual(writes.map((bytes) => Buffer.from(bytes).toString()), [
    "PUB a 2\r\nhi\r\nPING\r\nPUB b 0\r\n\r\n",
  ]);
});

Deno.test("Output writes text as latin-1, one byte a character", () => {
  const sink = new Sink();
  const table = ["plain", "caf\xe9", "\xff\x80\x00", "\xe9".repeat(50_000), ""];
  for (const text of table) sink.output.add(text);
  sink.output.flush();
  assert.equal(sink.text, table.map((text) => `${text}\r\n`).join(""));
});

Deno.test("Output does not change what it has handed to the socket", () => {
  const sink = new Sink();
  const payloads = Array.from({ length: 400 }, (_, index) => Buffer.alloc(index * 7, index));
  for (const [index, payload] of payloads.entries()) {
    sink.output.addBytes(payload);
    if (index % 3 === 0) sink.output.flush();
  }
  sink.output.flush();
  assert.deepEqual(Buffer.concat(sink.writes), Buffer.concat(payloads));
});

Deno.test("Output takes a message that is larger than its buffer", () => {
  const sink = new Sink();
  const large = Buffer.alloc(1_000_000, 0x61);
  sink.output.add("before");
  sink.output.add("large ", { headers: large, data: Buffer.from(" end") });
  sink.output.flush();
  assert.equal(sink.text, `before\r\nlarge ${large.toString()} end\r\n`);
});

Deno.test("Output hands a large part to the socket as it is", () => {
  const sink = new Sink();
  const large = Buffer.alloc(100_000, 0x61);
  sink.output.add("before");
  sink.output.add("large ", { data: large });
  assert.ok(sink.writes.includes(large));
  assert.equal(sink.text, `before\r\nlarge ${large}\r\n`);
  assert.equal(sink.calls, 1, "and its head with it");
});

Deno.test("Output tells when a message's bytes may change", () => {
  const table: [title: string, size: number, error: Error | undefined, expected: number[]][] = [
    ["copied", 100, undefined, [1, 1]],
    ["written", 100_000, undefined, [0, 1]],
    ["broken", 100_000, new Error("the socket is closed"), [0, 0]],
  ];
  for (const [title, size, error, expected] of table) {
    const sink = new Sink();
    let count = 0;
    sink.output.add("a", { data: new Uint8Array(size), onWritten: () => ++count });
    const seen = [count];
    sink.settle(error);
    assert.deepEqual([...seen, count], expected, title);
  }
});

Deno.test("Output begins to write before the turn is over where much waits", () => {
  const sink = new Sink();
  const message = "x".repeat(1000);
  for (let count = 0; count < 100; count++) sink.output.add(message);
  assert.ok(sink.writes.length > 1);
  assert.ok(sink.output.unsentBytes - sink.writableLength < 40_000);
  sink.output.flush();
  assert.equal(sink.text, `${message}\r\n`.repeat(100));
});

Deno.test("Output uses its memory again once the socket has taken all of it", () => {
  const memory = new Set<ArrayBufferLike>();
  let taken = "";
  const output = new Output(() => ({
    writableLength: 0,
    cork() {},
    uncork() {},
    write(bytes: Uint8Array) {
      memory.add(bytes.buffer);
      taken += Buffer.from(bytes).toString();
    },
  }));
  const message = "x".repeat(1000);
  for (let count = 0; count < 200; count++) output.add(message);
  output.flush();
  assert.equal(taken, `${message}\r\n`.repeat(200));
  assert.equal(memory.size, 1);
});

Deno.test("Output counts what the system has not taken", () => {
  const sink = new Sink();
  assert.equal(sink.output.unsentBytes, 0);
  sink.output.addBytes(new Uint8Array(10));
  assert.equal(sink.output.unsentBytes, 10);
  sink.output.flush();
  sink.output.addBytes(new Uint8Array(5));
  assert.equal(sink.output.unsentBytes, 15);
  sink.writableLength = 3;
  assert.equal(sink.output.unsentBytes, 8);
  sink.output.clear();
  assert.equal(sink.output.unsentBytes, 3);
});
