import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { startNats } from "../../harness/nats_server.ts";
import { Records } from "../../../lib/nats/jetstream/records.ts";

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
  await using connection = await connect({ servers: nats.url });
  await assert.rejects(new Records({ connection }, "sockets").open());
  await assert.rejects(new Records({ connection: undefined }, "sockets").open(), /not connected/);
});

/** Two who share a bucket. */
async function openTwo(): Promise<Two> {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const records: Records[] = [];
  for (let index = 0; index < 2; index++) {
    const connection = stack.use(await connect({ servers: nats.url }));
    records.push(new Records({ connection }, "sockets"));
    await records.at(-1)!.open();
  }
  const all = stack.move();
  return { one: records[0]!, other: records[1]!, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
