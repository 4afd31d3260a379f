import assert from "node:assert/strict";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport";
import { openStream, StreamError, toWantedStream } from "../../../lib/nats/jetstream/stream.ts";
import { startNats } from "../../harness/nats_server.ts";

const WANTED = toWantedStream({
  name: "S",
  subjects: ["a.>", "b"],
  storage: "memory",
  replicas: 1,
  maxBytes: 0,
  maxAge: 0,
  duplicateWindow: 60_000,
});

async function setUp() {
  await using stack = new AsyncDisposableStack();
  const nats = stack.use(await startNats());
  const nc = stack.adopt(await connect({ servers: nats.url }), (nc) => nc.close());
  const { streams } = await jetstreamManager(nc);
  const all = stack.move();
  return { nats, nc, streams, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

Deno.test("openStream() creates what is missing, and takes what is there", async () => {
  await using setup = await setUp();
  await openStream(setup.nc, WANTED);
  const { config, created } = await setup.streams.info("S");
  assert.equal(config.discard, "new");
  await openStream(setup.nc, WANTED);
  assert.equal((await setup.streams.info("S")).created, created);
});

Deno.test("openStream() from ten gateways at once makes one stream", async () => {
  await using setup = await setUp();
  await Promise.all(Array.from({ length: 10 }, () => openStream(setup.nc, WANTED)));
  assert.equal((await setup.streams.list().next()).length, 1);
});

Deno.test("openStream() takes a stream that captures more", async () => {
  await using setup = await setUp();
  await setup.streams.add({ ...WANTED, subjects: ["a.>", "b", "c.*"] });
  await openStream(setup.nc, WANTED);
});

Deno.test("openStream() names each difference, and alters nothing", async (t) => {
  await using setup = await setUp();
  await openStream(setup.nc, WANTED);
  const before = (await setup.streams.info("S")).config;
  const table: [change: Partial<typeof WANTED>, text: RegExp][] = [
    [{ subjects: ["a.b", "d.>"] }, /: subjects lack "d\.>"\. Ask/],
    [{ storage: "file" }, /: storage \(--persist-storage\) is "memory", expected "file"/],
    [{ max_bytes: 1024 }, /: max_bytes is -1, expected 1024/],
    [{ max_bytes: 1024, max_age: 1e9 }, /max_bytes is -1, expected 1024; max_age is 0, expected/],
  ];
  for (const [change, text] of table) {
    await t.step(JSON.stringify(change), async () => {
      await assert.rejects(
        () => openStream(setup.nc, { ...WANTED, ...change }, { storage: "--persist-storage" }),
        (error) => error instanceof StreamError && text.test(error.message),
      );
    });
  }
  assert.deepEqual((await setup.streams.info("S")).config, before);
});

Deno.test("openStream() repeats why the server does not make it", async () => {
  await using setup = await setUp();
  await assert.rejects(
    () => openStream(setup.nc, { ...WANTED, num_replicas: 3 }),
    (error) => error instanceof StreamError && /replicas > 1 not supported/.test(error.message),
  );
});

Deno.test("toWantedStream() asks for no longer memory of ids than of messages", () => {
  const stream = { name: "S", subjects: [], storage: "file", replicas: 1, maxBytes: 5 } as const;
  const wanted = toWantedStream({ ...stream, maxAge: 1000, duplicateWindow: 2000 });
  assert.equal(wanted.duplicate_window, 1e9);
  assert.equal(wanted.max_bytes, 5);
});
