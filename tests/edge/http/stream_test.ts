import assert from "node:assert/strict";
import { Deadlines } from "../../../lib/edge/limits/deadlines.ts";
import { SendBudget } from "../../../lib/edge/limits/send_budget.ts";
import { FakeClock } from "../../harness/fake_clock.ts";
import {
  ResponseAborted,
  ResponseStream,
  type ResponseStreamOwner,
} from "../../../lib/edge/http/stream.ts";

const QUIET: ResponseStreamOwner = { onTaken: () => {}, onCancel: () => {}, onStalled: () => {} };

Deno.test("ResponseStream gives a client that waits each chunk as it comes, then the end", async () => {
  const stream = make(100, QUIET);
  const reader = stream.readable.getReader();
  for (const chunk of ["one", "two", "three"]) {
    const reading = reader.read();
    assert.equal(stream.push(bytes(chunk)), true);
    assert.equal(text((await reading).value), chunk);
  }
  stream.close();
  assert.equal((await reader.read()).done, true);
});

Deno.test("ResponseStream keeps chunks for a client that is late, and gives it small ones together", async () => {
  const stream = make(100_000, QUIET);
  const [small, large] = ["s".repeat(6000), "l".repeat(20_000)];
  for (const chunk of [small, small, small, large, small, "end"]) stream.push(bytes(chunk));
  stream.close();
  assert.deepEqual(await readAll(stream), [small + small, small, large, `${small}end`]);
});

Deno.test("what is lent to ResponseStream may be overwritten at once", async () => {
  const stream = make(1_000_000, QUIET);
  const texts = ["first", "second", "l".repeat(30_000), "third", "fourth"];
  const memory = new Uint8Array(30_000);
  for (const text of texts) {
    const { written } = new TextEncoder().encodeInto(text, memory);
    stream.push(memory.subarray(0, written), true);
    memory.fill(0);
  }
  stream.close();
  assert.equal((await readAll(stream)).join(""), texts.join(""));
});

Deno.test("what is lent to ResponseStream goes to a client that waits, too", async () => {
  const stream = make(100, QUIET);
  const reading = stream.readable.getReader().read();
  const memory = bytes("chunk");
  stream.push(memory, true);
  memory.fill(0);
  assert.equal(text((await reading).value), "chunk");
});

Deno.test("single bytes that wait for a client cost about a byte each, and stay in order", async () => {
  const count = 400_000;
  const stream = make(count, QUIET);
  const begun = Deno.memoryUsage();
  for (let index = 0; index < count; index++) stream.push(Uint8Array.of(index % 251));
  const now = Deno.memoryUsage();
  // What is garbage by now counts as well: a collection is not to be waited for.
  const grown = now.heapUsed + now.external - begun.heapUsed - begun.external;
  assert.ok(grown < 50 * count, `${grown} bytes`);
  stream.close();
  const all: number[] = [];
  for await (const chunk of stream.readable) all.push(...chunk);
  assert.equal(all.length, count);
  assert.equal(all.findIndex((byte, index) => byte !== index % 251), -1);
});

Deno.test("the memory of a chunk is given back once the client asks for more, and no sooner", async () => {
  const stream = make(1_000_000, QUIET);
  const reader = stream.readable.getReader();
  const chunks = [65_536, 200_000, 20_000].map((size) => new Uint8Array(size).fill(size % 251));
  for (const chunk of chunks) stream.push(chunk);
  stream.close();
  const sizes: number[] = [];
  const left: number[] = [];
  for (let step = await reader.read(); !step.done; step = await reader.read()) {
    const size = [65_536, 200_000, 20_000][chunks.findIndex(({ length }) => length > 0)]!;
    assert.ok(step.value.every((byte) => byte === size % 251));
    sizes.push(step.value.length);
    left.push(chunks.filter(({ length }) => length > 0).length);
  }
  assert.deepEqual(sizes, [65_536, 65_536, 65_536, 65_536, 3392, 20_000]);
  assert.deepEqual(left, [3, 2, 2, 2, 2, 1]);
});

Deno.test("push() says when the client is too slow, and takes nothing then", async () => {
  const stream = make(10, QUIET);
  assert.equal(stream.waiting, 0);
  assert.equal(stream.push(bytes("1234567")), true);
  assert.equal(stream.waiting, 7);
  assert.equal(stream.push(bytes("890")), true);
  assert.equal(stream.waiting, 10);
  assert.equal(stream.push(bytes("x")), false);
  assert.equal(stream.waiting, 10);
  const reader = stream.readable.getReader();
  assert.equal(text((await reader.read()).value), "1234567890");
  assert.equal(stream.waiting, 0);
  assert.equal(stream.push(bytes("later")), true);
  stream.close();
  reader.releaseLock();
  assert.deepEqual(await readAll(stream), ["later"]);
});

Deno.test("push() takes one chunk larger than the whole buffer, else it could never pass", async () => {
  const stream = make(4, QUIET);
  assert.equal(stream.push(bytes("larger than four")), true);
  assert.equal(stream.push(bytes("x")), false);
  stream.close();
  assert.deepEqual(await readAll(stream), ["larger than four"]);
});

Deno.test("abort() cuts the body off: the client gets no clean end", async () => {
  const stream = make(100, QUIET);
  stream.push(bytes("begin"));
  const reader = stream.readable.getReader();
  assert.equal(text((await reader.read()).value), "begin");
  const next = reader.read();
  stream.abort("overflow");
  await assert.rejects(next, (error) => {
    assert.ok(error instanceof ResponseAborted);
    assert.equal(error.name, "ResponseAborted");
    assert.equal(error.message, "overflow");
    return true;
  });
  assert.equal(stream.push(bytes("too late")), false);
});

Deno.test("the owner is told once that the client has gone", async () => {
  let cancelled = 0;
  const stream = make(100, { ...QUIET, onCancel: () => cancelled++ });
  stream.push(bytes("begin"));
  await stream.readable.cancel("client gone");
  assert.equal(cancelled, 1);
  assert.equal(stream.push(bytes("too late")), false);
  await stream.readable.cancel();
  assert.equal(cancelled, 1);
});

Deno.test("the owner is not told of a client that stayed", async (t) => {
  for (const ending of ["close", "abort"] as const) {
    await t.step(ending, async () => {
      let cancelled = 0;
      const stream = make(100, { ...QUIET, onCancel: () => cancelled++ });
      const reading = readAll(stream).catch(() => []);
      stream.push(bytes("begin"));
      if (ending === "close") stream.close();
      else stream.abort("timeout");
      await reading;
      assert.equal(cancelled, 0);
    });
  }
});

Deno.test("the owner is told of each byte that the client takes, once", async () => {
  const { promise: allTaken, resolve } = Promise.withResolvers<void>();
  const total = 5 * 10_000;
  let taken = 0;
  const stream = make(100_000, {
    ...QUIET,
    onTaken(count) {
      assert.ok(count > 0);
      taken += count;
      if (taken >= total) resolve();
    },
  });
  for (let index = 0; index < 5; index++) stream.push(new Uint8Array(10_000));
  assert.equal(taken, 0);
  const reader = stream.readable.getReader();
  for (let index = 0; index < 5; index++) await reader.read();
  await allTaken;
  assert.equal(taken, total);
  stream.close();
});

/** Of one of several connections, whose clients may take nothing for a second. */
function make(
  bufferBytes: number,
  owner: ResponseStreamOwner,
  { connection = "a", clock = new FakeClock(), budget = toBudget(clock) }: {
    connection?: string;
    clock?: FakeClock;
    budget?: SendBudget;
  } = {},
): ResponseStream {
  return new ResponseStream({ bufferBytes, stallMs: 1000, connection, budget }, owner);
}

function toBudget(clock: FakeClock, limit = 1_000_000): SendBudget {
  return new SendBudget(new Deadlines(clock, assert.fail), () => limit);
}

Deno.test("who takes nothing for too long is told as stalled; who takes some is not", async () => {
  const clock = new FakeClock();
  let stalled = 0;
  const owner = { ...QUIET, onStalled: () => stalled++ };
  const stream = make(1_000_000, owner, { clock });
  clock.advance(5000);
  stream.push(new Uint8Array(200_000));
  const reader = stream.readable.getReader();
  for (let taken = 0; taken < 3; taken++) {
    clock.advance(900);
    assert.equal((await reader.read()).value?.length, 65536, "in pieces, to see the progress");
  }
  assert.equal(stalled, 0);
  clock.advance(1500);
  assert.equal(stalled, 1);
  stream.abort("write_error");
  assert.equal(clock.waiting, 0);
});

Deno.test("past the total, the connection with the most has to go, and no other", () => {
  const budget = toBudget(new FakeClock(), 100);
  const given: string[] = [];
  const open = (name: string, connection: string) => {
    const owner = {
      ...QUIET,
      onStalled: () => {
        given.push(name);
        stream.abort("write_error");
      },
    };
    const stream: ResponseStream = make(1000, owner, { connection, budget });
    return stream;
  };
  const [modest, first, second] = [open("modest", "a"), open("first", "b"), open("second", "b")];
  modest.push(new Uint8Array(40));
  first.push(new Uint8Array(30));
  second.push(new Uint8Array(30));
  assert.deepEqual(given, []);
  modest.push(new Uint8Array(1));
  assert.deepEqual(given, ["first", "second"]);
  modest.push(new Uint8Array(50));
  assert.deepEqual(given, ["first", "second"], "what they held is free again");
});

async function readAll(stream: ResponseStream): Promise<string[]> {
  const texts: string[] = [];
  for await (const chunk of stream.readable) texts.push(text(chunk));
  return texts;
}

function bytes(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function text(chunk: Uint8Array | undefined): string {
  return new TextDecoder().decode(chunk);
}
