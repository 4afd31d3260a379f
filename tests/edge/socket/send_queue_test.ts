import assert from "node:assert/strict";
import { SendQueue } from "../../../lib/edge/socket/send_queue.ts";
import { SendBudget } from "../../../lib/edge/limits/send_budget.ts";
import { Deadlines } from "../../../lib/edge/limits/deadlines.ts";
import { FakeClock } from "../../harness/fake_clock.ts";
import { until } from "../../harness/waiting.ts";

const KIB = 1024;

/** A socket whose client takes what a test says. */
class PlayedSocket {
  isClosed = false;
  readonly sent: number[] = [];
  /** How often it was asked. */
  looks = 0;
  #waiting = 0;
  readonly queue: SendQueue;

  constructor(budget = toBudget(Infinity)) {
    const onExceeded = () => {
      this.isClosed = true;
      this.queue.clear();
    };
    this.queue = new SendQueue(this, { budget, onExceeded });
  }

  get bufferedAmount(): number {
    this.looks++;
    return this.#waiting;
  }

  set bufferedAmount(bytes: number) {
    this.#waiting = bytes;
  }

  send(data: Parameters<WebSocket["send"]>[0]): void {
    const bytes = data as Uint8Array;
    this.sent.push(bytes[0]!);
    this.#waiting += bytes.length;
  }

  /** Sends messages of so many bytes that begin with 0, 1, 2 … */
  say(count: number, length: number, begin = 0): void {
    for (let first = begin; first < begin + count && !this.isClosed; first++) {
      const data = new Uint8Array(length);
      data[0] = first;
      this.queue.send(data, length);
      // Who lent it uses it again.
      data.fill(255);
    }
  }
}

Deno.test("the platform is given no more where messages are larger than what they say", () => {
  const socket = new PlayedSocket();
  for (let count = 0; count < 3000; count++) socket.queue.send(new Uint8Array(KIB), 0);
  assert.ok(socket.bufferedAmount <= 1100 * KIB, `${socket.bufferedAmount} bytes`);
  socket.queue.clear();
});

Deno.test("the platform is given a megabyte that a client does not take, and no more", () => {
  const socket = new PlayedSocket();
  socket.say(100, 100 * KIB);
  assert.equal(socket.bufferedAmount, 1100 * KIB);
  assert.equal(socket.queue.waiting, 100 * 100 * KIB);
  socket.queue.clear();
  assert.equal(socket.queue.waiting, socket.bufferedAmount);
});

Deno.test("what is held is sent in order as the client takes what is before it", async () => {
  const socket = new PlayedSocket();
  socket.say(100, 100 * KIB);
  while (socket.sent.length < 100) {
    const before = socket.sent.length;
    socket.bufferedAmount = 0;
    await until(() => socket.sent.length > before, "more is sent");
    assert.ok(socket.bufferedAmount <= 1100 * KIB);
  }
  assert.deepEqual(socket.sent, Array.from({ length: 100 }, (_, index) => index));
  assert.equal(socket.queue.waiting, socket.bufferedAmount);
});

Deno.test("what comes while something is held goes behind it, however much the client has taken", async () => {
  const socket = new PlayedSocket();
  socket.say(12, 100 * KIB);
  socket.bufferedAmount = 0;
  socket.say(1, 1, 12);
  await until(() => socket.sent.length === 13, "all is sent");
  assert.deepEqual(socket.sent, Array.from({ length: 13 }, (_, index) => index));
});

Deno.test("the platform is not asked how much waits where it was given little", () => {
  const socket = new PlayedSocket();
  socket.say(100, 10 * KIB);
  assert.equal(socket.queue.isBelow(1000 * KIB + 1), true);
  assert.equal(socket.looks, 0);
  assert.equal(socket.queue.isBelow(1000 * KIB), false);
  socket.bufferedAmount = 10;
  assert.equal(socket.queue.isBelow(11), true);
  assert.equal(socket.queue.waiting, 10);
});

Deno.test("nothing is left behind where the end is to be said after it", () => {
  const socket = new PlayedSocket();
  socket.say(30, 100 * KIB);
  socket.queue.flush();
  assert.deepEqual(socket.sent, Array.from({ length: 30 }, (_, index) => index));
});

Deno.test("where too much waits for all, the one for which most waits has to go", async () => {
  const budget = toBudget(4000 * KIB);
  const [reads, least, most] = [1, 2, 3].map(() => new PlayedSocket(budget));
  reads!.say(30, 100 * KIB);
  reads!.bufferedAmount = 0;
  await until(() => reads!.sent.length > 11, "more is sent");
  least!.say(20, 100 * KIB);
  most!.say(40, 100 * KIB);
  assert.deepEqual([reads, least, most].map((socket) => socket!.isClosed), [false, false, true]);
  least!.queue.clear();
  reads!.queue.clear();
  assert.equal(budget.total, 0);
});

function toBudget(limit: number): SendBudget {
  return new SendBudget(new Deadlines(new FakeClock(), () => {}), () => limit);
}
