/** What a client gets, in which order: live, read from the stream, or both at once. */
import assert from "node:assert/strict";
import { turn } from "../../harness/fake_edge.ts";
import { Gateway, VANISHED } from "./world.ts";

const ID = "G1-1";

/** A client that has got 1 and 2, has gone, and has missed 3. */
async function leaveOne(gateway: Gateway) {
  const client = await gateway.connect();
  gateway.send(ID, "one");
  gateway.send(ID, "two");
  client.leave();
  gateway.send(ID, "three");
  return { token: client.token, lastSeq: 2 };
}

Deno.test("a new client is welcomed first, and gets what is sent to it with numbers", async () => {
  using gateway = await Gateway.open();
  const client = await gateway.connect();
  gateway.send(ID, "one");
  gateway.send("G1-2", "for somebody else");
  gateway.send(ID, "two");
  assert.deepEqual(client.got, ["new", "1 one", "3 two"]);
});

Deno.test("who comes back gets what it missed, and then what comes, each once", async () => {
  using gateway = await Gateway.open();
  const back = await leaveOne(gateway);
  const client = await gateway.connect(back);
  gateway.send(ID, "four");
  assert.deepEqual(client.got, ["resumed", "3 three", "4 four"]);
});

Deno.test("what comes live while older messages are read waits for them", async () => {
  using gateway = await Gateway.open();
  const back = await leaveOne(gateway);
  gateway.stream.isLate = true;
  const client = await gateway.connect(back);
  gateway.send(ID, "four");
  assert.deepEqual(client.got, ["resumed"]);
  gateway.stream.arrive();
  await turn();
  gateway.send(ID, "five");
  assert.deepEqual(client.got, ["resumed", "3 three", "4 four", "5 five"]);
});

Deno.test("what was read is dropped when its copy is heard late, and is no new beginning", async () => {
  using gateway = await Gateway.open();
  const client = await gateway.connect();
  gateway.send(ID, "one");
  client.leave();
  const late = ["two", "three"].map((text) => gateway.keep(ID, text));
  const again = await gateway.connect({ token: client.token, lastSeq: 1 });
  for (const message of late) gateway.hear(ID, message);
  gateway.send(ID, "four");
  assert.deepEqual(again.got, ["resumed", "2 two", "3 three", "4 four"]);
});

Deno.test("numbers that come again outside of what was read are a new beginning, told as a gap", async () => {
  using gateway = await Gateway.open();
  const client = await gateway.connect();
  for (const text of ["one", "two", "three"]) gateway.send(ID, text);
  gateway.stream.beginAnew();
  gateway.send(ID, "first of all");
  gateway.send(ID, "second");
  assert.deepEqual(client.got.slice(4), ["gap 4-", "1 first of all", "2 second"]);
});

Deno.test("who comes back is told what the stream has not any more", async (t) => {
  await t.step("its oldest messages", async () => {
    using gateway = await Gateway.open();
    const back = await leaveOne(gateway);
    gateway.send(ID, "four");
    gateway.stream.forgetBefore(4);
    const client = await gateway.connect(back);
    assert.deepEqual(client.got, ["resumed", "gap 3-3", "4 four"]);
  });
  await t.step("all of it: another stream of that name", async () => {
    using gateway = await Gateway.open();
    const back = await leaveOne(gateway);
    gateway.stream.beginAnew();
    gateway.keep(ID, "anew");
    const client = await gateway.connect({ ...back, lastSeq: 9 });
    assert.deepEqual(client.got, ["resumed", "gap 10-", "1 anew"]);
  });
});

Deno.test("too much that waits behind older messages is a slow consumer's", async () => {
  using gateway = await Gateway.open({ config: { wsSendLimit: "2KiB" } });
  const back = await leaveOne(gateway);
  gateway.stream.isLate = true;
  const client = await gateway.connect(back);
  gateway.send(ID, "x".repeat(2000));
  assert.deepEqual(client.closed, []);
  gateway.send(ID, "x".repeat(100));
  assert.deepEqual(client.closed, ["1013 slow consumer"]);
});

Deno.test("who cannot be told what it missed is closed, and may try again", async () => {
  using gateway = await Gateway.open();
  const back = await leaveOne(gateway);
  gateway.stream.fails = true;
  const client = await gateway.connect(back);
  assert.deepEqual(client.closed, ["1013 cannot resume now"]);
  client.leave(VANISHED);
  gateway.stream.fails = false;
  const again = await gateway.connect(back);
  assert.deepEqual(again.got, ["resumed", "3 three"]);
  assert.deepEqual(gateway.edge.told, ["established"]);
});

Deno.test("a client that goes while older messages are read gets none of them, and the next one all", async () => {
  using gateway = await Gateway.open();
  const back = await leaveOne(gateway);
  gateway.stream.isLate = true;
  const first = await gateway.connect(back);
  first.leave();
  const second = await gateway.connect(back);
  gateway.send(ID, "four");
  gateway.stream.arrive();
  await turn();
  assert.deepEqual(first.got, ["resumed"]);
  assert.deepEqual(second.got, ["resumed", "3 three", "4 four"]);
});

Deno.test("NATS is away", async (t) => {
  /** A client that has got 1 before NATS went away from its gateway. */
  async function open() {
    const gateway = await Gateway.open();
    const client = await gateway.connect();
    gateway.send(ID, "one");
    gateway.edge.bus.setState("disconnected");
    return { gateway, client };
  }
  const comeBack = async ({ edge, stream }: Gateway) => {
    edge.bus.setState("connected");
    await stream.comeBack();
    await turn();
  };

  await t.step("what the stream took meanwhile comes before what is heard then", async () => {
    const { gateway, client } = await open();
    using _ = gateway;
    gateway.keep(ID, "two");
    gateway.edge.bus.setState("connected");
    gateway.send(ID, "three");
    assert.deepEqual(client.got, ["new", "1 one"], "nothing overtakes");
    await gateway.stream.comeBack();
    await turn();
    gateway.send(ID, "four");
    assert.deepEqual(client.got, ["new", "1 one", "2 two", "3 three", "4 four"]);
  });

  await t.step("a stream that is another one by then is told as a gap", async () => {
    const { gateway, client } = await open();
    using _ = gateway;
    gateway.stream.beginAnew();
    await comeBack(gateway);
    gateway.send(ID, "anew");
    assert.deepEqual(client.got, ["new", "1 one", "gap 2-", "1 anew"]);
  });

  await t.step("a stream that begins anew after that is told as a gap, too", async () => {
    const { gateway, client } = await open();
    using _ = gateway;
    gateway.keep(ID, "two");
    await comeBack(gateway);
    gateway.stream.beginAnew();
    gateway.send(ID, "anew");
    assert.deepEqual(client.got, ["new", "1 one", "2 two", "gap 3-", "1 anew"]);
  });

  await t.step(
    "it goes once more while the client catches up: nothing is lost or told twice",
    async () => {
      const { gateway, client } = await open();
      using _ = gateway;
      gateway.keep(ID, "two");
      gateway.stream.isLate = true;
      await comeBack(gateway);
      gateway.edge.bus.setState("disconnected");
      gateway.keep(ID, "three");
      gateway.stream.isLate = false;
      gateway.stream.arrive();
      await comeBack(gateway);
      gateway.send(ID, "four");
      assert.deepEqual(client.got, ["new", "1 one", "2 two", "3 three", "4 four"]);
    },
  );

  await t.step("so many catch up at a time, and the rest after them", async () => {
    using gateway = await Gateway.open();
    const clients = [];
    for (let index = 0; index < 40; index++) clients.push(await gateway.connect());
    gateway.edge.bus.setState("disconnected");
    for (let index = 1; index <= 40; index++) gateway.keep(`G1-${index}`, "missed");
    gateway.stream.isLate = true;
    await comeBack(gateway);
    assert.equal(gateway.stream.reading, 16);
    for (let round = 0; round < 3; round++) {
      gateway.stream.arrive();
      await turn();
    }
    assert.equal(gateway.stream.mostReading, 16);
    assert.deepEqual(
      clients.map(({ got }) => got.at(-1)),
      clients.map((_, index) => `${index + 1} missed`),
    );
  });
});

Deno.test("a client is told how far it has come: what the stream had reached an interval ago", async () => {
  using gateway = await Gateway.open();
  const client = await gateway.connect();
  gateway.send(ID, "one");
  gateway.keep("G9-1", "for another gateway's client");
  await gateway.edge.pass(15_000);
  assert.deepEqual(client.got, ["new", "1 one"], "what was reached now may be on its way");
  await gateway.edge.pass(15_000);
  assert.deepEqual(client.got, ["new", "1 one", "mark 2"]);
  await gateway.edge.pass(15_000);
  assert.deepEqual(client.got, ["new", "1 one", "mark 2"]);
  gateway.keep("G9-1", "more");
  gateway.edge.bus.setState("disconnected");
  await gateway.edge.pass(60_000);
  assert.deepEqual(client.got, ["new", "1 one", "mark 2"], "not while NATS is away");
});
