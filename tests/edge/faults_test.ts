import assert from "node:assert/strict";
import { Deadlines } from "../../lib/edge/limits/deadlines.ts";
import { Handshakes } from "../../lib/edge/socket/handshakes.ts";
import { listenToSocket } from "../../lib/edge/socket/socket_events.ts";
import { Inbox } from "../../lib/nats/inbox.ts";
import { createOnFault, type Stage } from "../../lib/telemetry/faults.ts";
import { FakeClock } from "../harness/fake_clock.ts";
import { FakeBus } from "../nats/fake_bus.ts";

const QUIET = { onOpen() {}, onSaid() {}, onClosed() {}, onSocketError() {} };

Deno.test("what a deadline throws is told, and the others pass", () => {
  const clock = new FakeClock();
  const told: string[] = [];
  using deadlines = new Deadlines(clock, (stage, error) => told.push(`${stage}: ${error}`));
  deadlines.create(() => {
    throw new Error("one");
  }).start(10);
  deadlines.create(() => told.push("two")).start(10);
  clock.advance(1000);
  assert.deepEqual(told, ["timer: Error: one", "two"]);
  assert.equal(clock.waiting, 0);
});

Deno.test("what a receiver throws is told, and the others get their messages", () => {
  const told: string[] = [];
  const bus = new FakeBus();
  using inbox = new Inbox(bus, "g", { onFault: (stage, error) => told.push(`${stage}: ${error}`) });
  const broken = inbox.open({
    onMessage() {
      throw new Error("one");
    },
  });
  const sound = inbox.open({ onMessage: () => told.push("two") });
  bus.deliver(broken.subject, "x");
  bus.deliver(sound.subject, "x");
  assert.deepEqual(told, ["message: Error: one", "two"]);
});

Deno.test("what a socket's listener throws gets no further", () => {
  const told: unknown[] = [];
  const socket = new EventTarget() as WebSocket;
  const error = new Error("one");
  listenToSocket(socket, {
    ...QUIET,
    onSaid() {
      throw error;
    },
    onThrown: (thrown) => told.push(thrown),
  });
  socket.dispatchEvent(new MessageEvent("message", { data: "x" }));
  assert.deepEqual(told, [error]);
});

Deno.test("an error is counted and logged with its stage", () => {
  const counted: Stage[] = [];
  const lines: unknown[] = [];
  const log = { debug() {}, info() {}, warn() {}, error: (...line: unknown[]) => lines.push(line) };
  createOnFault({ log, metrics: { fault: (stage) => counted.push(stage) } })("timer", "odd");
  assert.deepEqual(counted, ["timer"]);
  assert.deepEqual(lines, [[
    "something failed that should not",
    { stage: "timer", error: "odd", where: undefined },
  ]]);
});

Deno.test("a handshake whose client has gone gives its place back, before and after it is let in", async (t) => {
  for (const when of ["while it is let in", "just after"]) {
    await t.step(when, async () => {
      const leaving = new AbortController();
      const { promise, resolve } = Promise.withResolvers<{ place: Disposable }>();
      const freed = Promise.withResolvers<void>();
      const place = { [Symbol.dispose]: () => freed.resolve() };
      const result = new Handshakes().whileClientWaits(promise, leaving.signal);
      if (when === "just after") resolve({ place });
      await null;
      leaving.abort();
      assert.equal(await result, undefined);
      resolve({ place });
      await freed.promise;
    });
  }
});

Deno.test("a handshake whose client waits is let in", async () => {
  const opened = { place: undefined };
  assert.equal(
    await new Handshakes().whileClientWaits(Promise.resolve(opened), new AbortController().signal),
    opened,
  );
});
