import assert from "node:assert/strict";
import { FakeWorld } from "./fake_platform.ts";

Deno.test("a dead connection is noticed, given up with a word, and opened again", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const socket = (await world.socket(1)).open();
  world.clock.advance(25_000);
  assert.deepEqual(socket.sent, [socket.word]);
  world.clock.advance(10_000);
  assert.equal(socket.closedWith, 4499);
  assert.equal(client.state.name, "waiting");
  world.clock.advance(1000);
  assert.notEqual((await world.socket(2)).word, "");
});

Deno.test("an answer, or anything else that comes, is a sign of life, and the answer is no message", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const messages: unknown[] = [];
  client.on("message", ({ data }) => messages.push(data));
  const socket = (await world.socket(1)).open("h8s.plain.v1");
  for (const answer of [socket.word, "news"]) {
    world.clock.advance(34_000);
    socket.say(answer);
  }
  world.clock.advance(24_000);
  assert.equal(client.state.name, "open");
  assert.deepEqual(messages, ["news"]);
});

Deno.test("a timer that was held back, or bytes that go out slowly, are no proof of death", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const socket = (await world.socket(1)).open();
  socket.bufferedAmount = 1000;
  world.clock.advance(25_000);
  for (const left of [800, 600]) {
    socket.bufferedAmount = left;
    world.clock.advance(10_000);
    assert.equal(client.state.name, "open");
  }
  world.sleep(3_600_000);
  assert.equal(client.state.name, "open");
  assert.equal(socket.sent.length, 2);
  world.clock.advance(10_000);
  assert.equal(client.state.name, "waiting");
});

Deno.test("nothing is asked where nobody would answer", async () => {
  for (const [options, protocol] of [[{ pingMs: 0 }, "h8s.plain.v1"], [{ protocols: [] }, ""]]) {
    const world = new FakeWorld();
    const client = world.connect(options as object);
    const socket = (await world.socket(1)).open(protocol as string);
    world.clock.advance(3_600_000);
    assert.deepEqual(socket.sent, []);
    assert.equal(client.state.name, "open");
  }
});

Deno.test("without subprotocols of its own it says nothing in passing, since browsers would fail", async () => {
  const world = new FakeWorld();
  world.connect({ protocols: [] });
  assert.deepEqual((await world.socket(1)).protocols, []);
});

Deno.test("when the network or the reader is back it does not wait any longer", async () => {
  const world = new FakeWorld();
  const client = world.connect({ retryMs: 30_000 });
  (await world.socket(1)).lose(1006);
  assert.equal(client.state.name, "waiting");
  world.watcher!.onChange();
  const socket = (await world.socket(2)).open();
  world.watcher!.onChange();
  world.watcher!.onChange();
  assert.deepEqual(socket.sent, [socket.word]);
});

Deno.test("a page in the back/forward cache has no socket and no timer, and goes on when it is back", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const socket = (await world.socket(1)).open("h8s.resume.v1");
  socket.say({ resume: { token: "T", windowMs: 1, seq: 4, isNew: true } });
  world.watcher!.onSleep();
  assert.equal(socket.closedWith, 4499);
  assert.equal(client.state.name, "asleep");
  assert.equal(world.clock.waiting, 0);
  world.watcher!.onWake();
  assert.equal((await world.socket(2)).resumes, "T.4");
});

Deno.test("a handshake that hangs is given up", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const socket = await world.socket(1);
  world.clock.advance(10_000);
  assert.equal(client.state.name, "waiting");
  socket.lose(1006);
  assert.equal(client.state.name, "waiting");
});

Deno.test("reconnect() takes a new socket at once", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const first = (await world.socket(1)).open();
  client.reconnect();
  assert.equal(first.closedWith, 4499);
  assert.equal((await world.socket(2)).closedWith, undefined);
});

Deno.test("what one listener throws does not keep others from hearing, and who left hears no more", async () => {
  const world = new FakeWorld();
  const client = world.connect();
  const heard: unknown[] = [];
  const thrown = Promise.withResolvers<unknown>();
  globalThis.addEventListener("error", (event) => {
    event.preventDefault();
    thrown.resolve(event.error.message);
  }, { once: true });
  const leave = client.on("message", () => {
    leave();
    throw new Error("mine");
  });
  client.on("message", ({ data }) => heard.push(data));
  const socket = (await world.socket(1)).open("h8s.plain.v1");
  socket.say("a");
  socket.say("b");
  assert.deepEqual(heard, ["a", "b"]);
  assert.equal(await thrown.promise, "mine");
});
