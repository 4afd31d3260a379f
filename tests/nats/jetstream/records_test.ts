import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import { toLogin } from "../../../lib/nats/client/login.ts";
import { Session } from "../../../lib/nats/client/session.ts";
import { Inbox } from "../../../lib/nats/inbox.ts";
import { JetStreamError } from "../../../lib/nats/jetstream/request.ts";
import { Records } from "../../../lib/nats/jetstream/records.ts";
import { startNats } from "../../harness/nats_server.ts";
import { untilState } from "../waiting.ts";

interface Two extends AsyncDisposable {
  readonly one: Records;
  readonly other: Records;
}

Deno.test("a record can be read, listed and taken, and is gone after that", async () => {
  await using two = await openTwo();
  const { one, other } = two;
  await one.put("G1.a", bytes("1"));
  const revision = await one.put("G1.b", bytes("2"));
  await one.put("G2.a", bytes("3"));
  const record = await other.get("G1.b");
  assert.deepEqual([record?.key, record?.revision], ["G1.b", revision]);
  assert.equal(new TextDecoder().decode(record?.value), "2");
  assert.deepEqual((await other.list("G1.*")).map(({ key }) => key), ["G1.a", "G1.b"]);
  assert.equal(await other.claim("G1.b"), true);
  assert.equal(await other.get("G1.b"), undefined);
  assert.deepEqual(await one.keys(">"), ["G1.a", "G2.a"]);
  assert.deepEqual(await one.list("G3.*"), []);
  assert.deepEqual(await one.keys("G3.*"), []);
});

Deno.test("a list keeps what is wanted of many, and says what is wrong with one of them", async () => {
  await using two = await openTwo();
  const { one, other } = two;
  await Promise.all(Array.from({ length: 100 }, (_, index) => one.put(`G1.${index}`, bytes("x"))));
  await one.put("G1.last", bytes("y"));
  const isWanted = (value: Uint8Array) => new TextDecoder().decode(value) === "y";
  assert.deepEqual((await other.list("G1.*", isWanted)).map(({ key }) => key), ["G1.last"]);
  const refuse = () => {
    throw new Error("odd");
  };
  await assert.rejects(other.list("G1.*", refuse), /^Error: odd$/);
});

Deno.test("a list ends where others take the last records while it is read", async () => {
  await using two = await openTwo();
  const { one, other } = two;
  // More than what nats-server sends ahead.
  const [count, value] = [400, new Uint8Array(100_000)];
  await Promise.all(Array.from({ length: count }, (_, index) => one.put(`G1.${index}`, value)));
  let taking: Promise<unknown> | undefined;
  const listed = await other.list("G1.*", () => {
    taking ??= Promise.all(Array.from({ length: count }, (_, index) => one.claim(`G1.${index}`)));
    return true;
  });
  assert.ok(listed.length < count, `${listed.length} were listed`);
  await taking;
  assert.deepEqual(await other.list("G1.*"), []);
});

Deno.test("of many who claim a record one succeeds", async () => {
  await using two = await openTwo();
  await two.one.put("G1.a", bytes("1"));
  const taken = await Promise.all(
    Array.from({ length: 20 }, (_, index) => (index % 2 === 0 ? two.one : two.other).claim("G1.a")),
  );
  assert.equal(taken.filter((isMine) => isMine).length, 1);
});

Deno.test("a record that was written anew is not taken, or overwritten, as the old one", async () => {
  await using two = await openTwo();
  const old = await two.one.replace("resume.a", bytes("1"), 0);
  const revision = await two.other.replace("resume.a", bytes("2"), old!);
  assert.equal(await two.one.claim("resume.a", old), false);
  assert.equal(await two.one.replace("resume.a", bytes("3"), old!), undefined);
  assert.equal(await two.one.replace("resume.a", bytes("3"), 0), undefined);
  assert.equal(await two.one.claim("resume.a", revision), true);
});

Deno.test("without JetStream the records cannot be opened", async () => {
  await using nats = await startNats({ jetstream: false });
  await using session = connectTo(nats.url);
  using inbox = new Inbox(session, "gw1");
  const records = new Records("sockets", { session, inbox });
  await assert.rejects(records.open(), /not connected/);
  await untilState(session, "connected");
  await assert.rejects(records.open());
});

Deno.test("a record that cannot be written says why, and nothing hangs", async () => {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const session = stack.use(connectTo(nats.url));
  const inbox = stack.use(new Inbox(session, "gw1"));
  const records = new Records("sockets", { session, inbox });
  await assert.rejects(records.put("G1.a", bytes("1")), /not open/);
  await untilState(session, "connected");
  await records.open();
  await assert.rejects(records.put("G1.a", new Uint8Array(session.maxPayload + 1)), /payload/);
  const { connection } = session;
  await (await jetstreamManager(connection!)).streams.delete("KV_sockets");
  const isNobody = (error: unknown) => error instanceof JetStreamError && error.code === undefined;
  await assert.rejects(records.replace("G1.a", bytes("1"), 0), isNobody);
  await assert.rejects(
    records.claim("G1.a"),
    (error) => error instanceof JetStreamError && error.code === 10059,
  );
  const publish = () => false;
  const away = new Records("sockets", { session: { connection, publish }, inbox });
  await away.open();
  await assert.rejects(away.put("G1.a", bytes("1")), /not connected/);
  const subject = "$KV.sockets.G1.a";
  connection!.subscribe(subject, { callback: (_, message) => void message.respond("seen") });
  await (await jetstreamManager(connection!)).streams.delete("KV_sockets");
  await connection!.flush();
  await assert.rejects(records.put("G1.a", bytes("1")), /JetStream's has numbers/);
});

/** Two who share a bucket. */
async function openTwo(): Promise<Two> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const records: Records[] = [];
  for (let index = 0; index < 2; index++) {
    const session = stack.use(connectTo(nats.url));
    const inbox = stack.use(new Inbox(session, `gw${index}`));
    await untilState(session, "connected");
    records.push(new Records("sockets", { session, inbox }));
    await records.at(-1)!.open();
  }
  const all = stack.move();
  return { one: records[0]!, other: records[1]!, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function connectTo(natsUrl: string): Session {
  return new Session({
    login: toLogin({ natsUrl: [natsUrl] }),
    name: "test",
    onRetry: () => {},
    onError: () => {},
  });
}
