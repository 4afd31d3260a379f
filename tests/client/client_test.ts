import assert from "node:assert/strict";
import { ClientClosedError, type Gap, type Message, SendError } from "../../lib/client/mod.ts";
import type { ReconnectingClient } from "../../lib/client/reconnecting.ts";
import { FakeWorld } from "./fake_platform.ts";

const BOTH = "h8s.ack-resume.v1";

function toText(data: string | Uint8Array): unknown {
  return typeof data === "string" ? JSON.parse(data) : [...data];
}

function record(client: ReconnectingClient): { messages: Message[]; gaps: Gap[] } {
  const messages: Message[] = [];
  const gaps: Gap[] = [];
  client.on("message", (message) => messages.push(message));
  client.on("gap", (gap) => gaps.push(gap));
  return { messages, gaps };
}

/** What became of a promise. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  try {
    return await promise;
  } catch (error) {
    return error instanceof SendError ? error.code : error;
  }
}

Deno.test("what is said before there is a connection goes in order, and resolves as the stream has it", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const sent = [client.send("a"), client.send({ b: 1 }), client.send(Uint8Array.of(7))];
  const socket = (await world.socket(1)).open(BOTH);
  assert.deepEqual(socket.sent.map(toText), [
    { id: 1, data: "a" },
    { id: 2, data: '{"b":1}' },
    [0, 0, 0, 0, 0, 0, 0, 3, 7],
  ]);
  socket.say({ ack: 2, seq: 12 });
  socket.say({ ack: 1, seq: 11 });
  socket.say({ ack: 3, seq: 13 });
  socket.say({ ack: 3, seq: 13 });
  assert.deepEqual(await Promise.all(sent), [11, 12, 13]);
  assert.equal(client.held, 0);
});

Deno.test("what was not acknowledged is said again, in order and under its number", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const first = (await world.socket(1)).open(BOTH);
  const sent = ["a", "b", "c"].map((data) => client.send(data));
  first.say({ ack: 1, seq: 1 });
  first.lose(1006);
  const late = client.send("d");
  world.clock.advance(1000);
  const second = (await world.socket(2)).open(BOTH);
  assert.deepEqual(second.sent.map(toText), [
    { id: 2, data: "b" },
    { id: 3, data: "c" },
    { id: 4, data: "d" },
  ]);
  for (const id of [2, 3, 4]) second.say({ ack: id, seq: id });
  assert.deepEqual(await Promise.all([...sent, late]), [1, 2, 3, 4]);
});

Deno.test("no more is under way than the gateway takes, and the rest follows", async () => {
  const world = new FakeWorld();
  const client = world.connect({ maxInFlight: 2 });
  const socket = (await world.socket(1)).open("h8s.ack.v1");
  const sent = ["a", "b", "c", "d"].map((data) => client.send(data));
  assert.equal(socket.sent.length, 2);
  socket.say({ ack: 1, seq: 1 });
  assert.equal(socket.sent.length, 3);
  for (const id of [2, 3, 4]) socket.say({ ack: id, seq: id });
  assert.deepEqual(await Promise.all(sent), [1, 2, 3, 4]);
  const large = ["x", "y", "z"].map((letter) => client.send(letter.repeat(200_000)));
  assert.equal(socket.sent.length, 5);
  for (const id of [5, 6, 7]) socket.say({ ack: id, seq: id });
  assert.deepEqual(await Promise.all(large), [5, 6, 7]);
});

Deno.test("what is held has a bound, and what is over it is refused at once", async () => {
  const world = new FakeWorld();
  const client = world.connect({ maxHeld: 2, maxHeldBytes: 10 });
  const sent = [client.send("1234"), client.send("5678")];
  await assert.rejects(client.send("x"), {
    code: "full",
    message: "Cannot send: 2 messages of 8 bytes wait already; expected at most 2 of 10",
  });
  const socket = (await world.socket(1)).open(BOTH);
  socket.say({ ack: 1, seq: 1 });
  assert.equal(await outcome(client.send("1234567")), "full");
  socket.say({ ack: 2, seq: 2 });
  assert.deepEqual(await Promise.all(sent), [1, 2]);
});

Deno.test("bytes that the platform has not sent count where nothing is acknowledged", async () => {
  const world = new FakeWorld();
  const client = world.connect({ maxHeldBytes: 100 });
  const socket = (await world.socket(1)).open("h8s.plain.v1");
  assert.equal(await client.send("hello"), undefined);
  assert.deepEqual(socket.sent, ["hello"]);
  socket.bufferedAmount = 99;
  assert.equal(await outcome(client.send("hello")), "full");
});

Deno.test("a message that the stream may not recognise any more is not said again, and its sender hears it", async () => {
  for (const [resendMs, expected] of [[110_000, "unknown"], [Infinity, 1]] as const) {
    const world = new FakeWorld();
    const client = world.connect({ resendMs, pingMs: 0 });
    const first = (await world.socket(1)).open(BOTH);
    const sent = client.send("a");
    first.lose(1006);
    const held = client.send("b");
    world.sleep(110_000);
    const last = (await world.socket(2)).open(BOTH);
    const numbers = last.sent.map((text) => JSON.parse(String(text)).id);
    assert.deepEqual(numbers, expected === 1 ? [1, 2] : [2]);
    for (const id of numbers) last.say({ ack: id, seq: id });
    assert.equal(await outcome(sent), expected);
    assert.equal(await held, 2);
  }
});

Deno.test("the message that was too large is refused, and the others go on", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const first = (await world.socket(1)).open(BOTH);
  const sent = ["small", "large".repeat(100), "next"].map((data) => outcome(client.send(data)));
  first.lose(1009, "message larger than 100 bytes");
  world.clock.advance(1000);
  const second = (await world.socket(2)).open(BOTH);
  assert.deepEqual(second.sent.map((text) => JSON.parse(String(text)).id), [1, 3]);
  second.say({ ack: 1, seq: 1 });
  second.say({ ack: 3, seq: 2 });
  assert.deepEqual(await Promise.all(sent), [1, "too_big", 2]);
});

Deno.test("a signal takes back what was not sent, and leaves what was", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const abort = new AbortController();
  const taken = outcome(client.send("a", { signal: abort.signal }));
  abort.abort();
  assert.equal(await taken, "aborted");
  assert.equal(await outcome(client.send("b", { signal: AbortSignal.abort() })), "aborted");
  const later = new AbortController();
  const socket = (await world.socket(1)).open(BOTH);
  const sent = client.send("c", { signal: later.signal });
  later.abort();
  const [{ id }] = socket.sent.map((text) => JSON.parse(String(text)));
  socket.say({ ack: id, seq: 5 });
  assert.equal(await sent, 5);
});

Deno.test("it goes on where it stopped", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const { messages, gaps } = record(client);
  const first = (await world.socket(1)).open("h8s.resume.v1");
  assert.equal(first.resumes, "");
  first.say({ resume: { token: "T", windowMs: 1, seq: 4, isNew: true } });
  first.say({ seq: 5, data: "five" });
  first.say({ mark: 7 });
  first.lose(1006);
  world.clock.advance(1000);
  const second = (await world.socket(2)).open("h8s.resume.v1");
  assert.equal(second.resumes, "T.7");
  second.say({ resume: { token: "T", windowMs: 1, seq: 7, isNew: false } });
  second.say({ seq: 7, data: "again" });
  second.say({ seq: 8, data: "eight" });
  assert.deepEqual(messages, [{ data: "five", seq: 5 }, { data: "eight", seq: 8 }]);
  assert.deepEqual(gaps, []);
});

Deno.test("what is missing is said, before the message after it", async (t) => {
  const table: [what: string, said: object[], resumes: string, gap: Gap][] = [
    [
      "some of it",
      [{ resume: { token: "T", seq: 5, isNew: false } }, { gap: { from: 6, to: 8 } }],
      "T.8",
      { cause: "lost", from: 6, to: 8 },
    ],
    [
      "all, the connection is a new one",
      [{ resume: { token: "U", seq: 3, isNew: true } }, { gap: { from: 6, to: null } }],
      "U.3",
      { cause: "lost", from: 6 },
    ],
    [
      "all, the stream is a new one",
      [{ resume: { token: "T", seq: 5, isNew: false } }, { gap: { from: 6, to: null } }],
      "T.0",
      { cause: "lost", from: 6 },
    ],
  ];
  for (const [what, said, resumes, gap] of table) {
    await t.step(what, async () => {
      const world = new FakeWorld();
      const client = world.connect();
      const { messages, gaps } = record(client);
      const first = (await world.socket(1)).open("h8s.resume.v1");
      first.say({ resume: { token: "T", seq: 4, isNew: true } });
      first.say({ seq: 5, data: "five" });
      first.lose(1006);
      world.clock.advance(1000);
      const second = (await world.socket(2)).open("h8s.resume.v1");
      for (const each of said) second.say(each);
      assert.deepEqual(gaps, [gap]);
      second.lose(1006);
      world.clock.advance(2000);
      const third = (await world.socket(3)).open("h8s.resume.v1");
      assert.equal(third.resumes, resumes);
      third.say({ seq: 9, data: "nine" });
      assert.deepEqual(messages.at(-1), { data: "nine", seq: 9, gaps: [gap] });
    });
  }
});

Deno.test("where nothing waits for the client, a reconnect is a gap", async (t) => {
  const table: [protocol: string, said: object[]][] = [
    ["h8s.plain.v1", []],
    ["h8s.ack.v1", []],
    // What came to many at once is kept for nobody.
    ["h8s.resume.v1", [{ resume: { token: "T", seq: 4, isNew: true } }, { seq: 0, data: "all" }]],
    // The gateway's welcome never came.
    ["h8s.resume.v1", []],
  ];
  for (const [protocol, said] of table) {
    await t.step(`${protocol} ${said.length}`, async () => {
      const world = new FakeWorld();
      const { gaps } = record(world.connect());
      const first = (await world.socket(1)).open(protocol);
      for (const each of said) first.say(each);
      first.lose(1012);
      world.clock.advance(1000);
      (await world.socket(2)).open(protocol);
      assert.deepEqual(gaps, [{ cause: "not_kept" }]);
    });
  }
});

Deno.test("a token is asked for when there is a reason, and at no other time", async () => {
  const world = new FakeWorld();
  let count = 0;
  world.connect({ token: () => Promise.resolve(`t${++count}`) });
  const first = (await world.socket(1)).open(BOTH);
  assert.equal(first.bearer, "t1");
  first.lose(1001);
  world.clock.advance(1000);
  const second = (await world.socket(2)).open(BOTH);
  assert.equal(second.bearer, "t1");
  second.lose(4401);
  world.clock.advance(2000);
  const third = await world.socket(3);
  assert.equal(third.bearer, "t2");
  third.lose(1006);
  world.clock.advance(4000);
  assert.equal((await world.socket(4)).bearer, "t3");
});

Deno.test("without a token it is over; a token that cannot be had now is asked for again", async () => {
  const world = new FakeWorld();
  const answers: (() => string | null)[] = [
    () => {
      throw new Error("away");
    },
    () => "t",
    () => null,
  ];
  const client = world.connect({ token: () => answers.shift()!() });
  for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  assert.equal(client.state.name, "waiting");
  world.clock.advance(1000);
  (await world.socket(1)).open(BOTH).lose(4401);
  world.clock.advance(2000);
  assert.deepEqual(await client.closed, {
    code: 4401,
    reason: "there is no token",
    isWanted: false,
  });
  assert.equal(world.clock.waiting, 0);
});

Deno.test("a token that never comes is no reason to wait for ever", async () => {
  const world = new FakeWorld();
  let count = 0;
  const client = world.connect({
    token: () => ++count === 1 ? new Promise<string>(() => {}) : "t",
  });
  world.clock.advance(10_000);
  assert.equal(client.state.name, "waiting");
  world.clock.advance(1000);
  assert.equal((await world.socket(1)).bearer, "t");
});

Deno.test("what is final ends it: loops throw, and what was held is rejected", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const socket = (await world.socket(1)).open(BOTH);
  const sent = outcome(client.send("a"));
  const loop = client[Symbol.asyncIterator]();
  const next = loop.next();
  socket.lose(1008, "resumed elsewhere");
  await assert.rejects(next, ClientClosedError);
  assert.equal(await sent, "closed");
  assert.equal((await client.closed).isWanted, false);
  assert.equal(await outcome(client.send("b")), "closed");
  assert.equal(world.clock.waiting, 0);
});

Deno.test("a workload's own codes mean what the two have agreed on", async () => {
  const world = new FakeWorld();
  const client = world.connect({ advise: ({ code }) => code === 4100 ? "later" : undefined });
  (await world.socket(1)).open(BOTH).lose(4100);
  assert.equal(client.state.name, "waiting");
  world.clock.advance(4000);
  (await world.socket(2)).open(BOTH).lose(4200);
  assert.equal(client.state.name, "closed");
});

Deno.test("a loop reads all in order, ends with the client, and says when it cannot keep up", async () => {
  const world = new FakeWorld();
  const client = world.connect({ maxUnread: 2 });
  const socket = (await world.socket(1)).open("h8s.plain.v1");
  const slow = client[Symbol.asyncIterator]();
  const seen: unknown[] = [];
  const reading = (async () => {
    for await (const { data } of client) seen.push(data);
  })();
  for (const data of ["a", "b", "c"]) {
    socket.say(data);
    await Promise.resolve();
  }
  const closing = client.close();
  socket.lose(1000);
  await closing;
  await reading;
  assert.deepEqual(seen, ["a", "b", "c"]);
  assert.deepEqual([(await slow.next()).value?.data, (await slow.next()).value?.data], ["a", "b"]);
  await assert.rejects(slow.next(), /Cannot keep up: 2 messages/);
  assert.equal((await slow.next()).done, true);
});

Deno.test("close() says goodbye, waits for the answer but not for ever, and leaves nothing behind", async () => {
  for (const answers of [true, false]) {
    const world = new FakeWorld();
    const client = world.connect();
    const socket = (await world.socket(1)).open(BOTH);
    const closing = client.close(4000, "bye");
    assert.equal(socket.closedWith, 4000);
    if (answers) socket.lose(4000);
    else world.clock.advance(2000);
    await closing;
    assert.deepEqual(await client.closed, { code: 4000, reason: "bye", isWanted: true });
    assert.equal(world.clock.waiting, 0);
    assert.equal(world.watcher, undefined);
  }
});

Deno.test("a signal ends it, also before it has begun", async () => {
  const abort = new AbortController();
  for (const signal of [abort.signal, AbortSignal.abort()]) {
    const world = new FakeWorld();
    const client = world.connect({ signal });
    abort.abort();
    assert.equal((await client.closed).isWanted, true);
    assert.equal(world.clock.waiting, 0);
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    assert.equal(world.sockets.length, 0);
  }
});

Deno.test("an address that can be none ends it at once", async () => {
  const world = new FakeWorld();
  const client = world.connect({}, "ws://no where");
  const { isWanted, reason } = await client.closed;
  assert.equal(isWanted, false);
  assert.match(reason, /SyntaxError/);
});

Deno.test("what comes that was not agreed on ends it with a word", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  (await world.socket(1)).open(BOTH).say("hello");
  assert.equal((await client.closed).code, 1002);
});
