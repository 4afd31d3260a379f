import assert from "node:assert/strict";
import { type ClientBody, readBody, type WholeBody } from "../../../lib/edge/http/body.ts";
import { type BodyOptions, tooLarge } from "../../../lib/edge/http/body_reader.ts";
import { Deadlines } from "../../../lib/edge/limits/deadlines.ts";
import { Patience } from "../../../lib/edge/http/patience.ts";
import { Spares } from "../../../lib/edge/http/spares.ts";
import { FakeClock } from "../../harness/fake_clock.ts";
import { GatewayError } from "../../../lib/errors.ts";

Deno.test("readBody() gives a body whole when it fits", async (t) => {
  const table: [title: string, request: Request, expected: string][] = [
    ["none", new Request("http://a/", { method: "POST" }), ""],
    ["of a GET", new Request("http://a/"), ""],
    ["announced as empty", post(["ignored"], { "content-length": "0" }), ""],
    ["without a chunk", post([]), ""],
    ["one chunk", post(["hello"]), "hello"],
    ["many chunks", post(["he", "", "l", "lo"]), "hello"],
    ["announced", post(["hel", "lo"], { "content-length": "5" }), "hello"],
    ["announced as nonsense", post(["hello"], { "content-length": "five" }), "hello"],
    ["exactly what fits", post(["12345", "67890"]), "1234567890"],
  ];
  for (const [title, request, expected] of table) {
    await t.step(title, async () => {
      const body = await readFrom(request, { room: 10, limit: 20, patience: endless() });
      assert.ok(body.kind === "whole");
      assert.equal(new TextDecoder().decode(body.bytes), expected);
    });
  }
});

Deno.test("readBody() gives a large body whole as it was announced, however it comes", async (t) => {
  const bytes = crypto.getRandomValues(new Uint8Array(500)).toHex().repeat(300);
  const sizes = [131_073, 131_076, 200_000, 262_144, 300_000];
  const options = { room: 300_000, limit: 300_000, patience: endless() };
  let take: (body: ClientBody) => void = () => {};
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      take(await readFrom(request, options));
      return new Response();
    },
  );
  for (const size of sizes) {
    const text = bytes.slice(0, size);
    await t.step(`${size} bytes from a socket`, async () => {
      const { promise, resolve } = Promise.withResolvers<ClientBody>();
      take = resolve;
      const url = `http://127.0.0.1:${server.addr.port}/`;
      await (await fetch(url, { method: "POST", body: text })).body?.cancel();
      assertWhole(await promise, text);
    });
    await t.step(`${size} bytes in pieces that are there`, async () => {
      const pieces = [text.slice(0, 10), text.slice(10, 150_000), text.slice(150_000)];
      const request = post(pieces, { "content-length": `${size}` });
      assertWhole(await readFrom(request, options), text);
    });
  }
});

function readFrom(
  request: Request,
  options: Omit<BodyOptions, "contentLength">,
): Promise<ClientBody> {
  const contentLength = request.headers.get("content-length") ?? undefined;
  return readBody(request, { ...options, contentLength });
}

Deno.test("readBody() reads a large body into the memory of one that is through", async () => {
  const options = { room: 300_000, limit: 300_000, patience: endless(), spares: new Spares() };
  const bodies: WholeBody[] = [];
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    async (request) => {
      const body = await readFrom(request, options);
      assert.ok(body.kind === "whole");
      bodies.push(body);
      return new Response();
    },
  );
  const url = `http://127.0.0.1:${server.addr.port}/`;
  const send = async (body: string) => {
    await (await fetch(url, { method: "POST", body })).body?.cancel();
  };
  await send("a".repeat(300_000));
  await send("b".repeat(200_000));
  bodies[0]!.giveBack?.();
  await send("c".repeat(250_000));
  assert.deepEqual(bodies.map(({ bytes }) => bytes.length), [0, 200_000, 250_000]);
  assertWhole(bodies[1]!, "b".repeat(200_000));
  assertWhole(bodies[2]!, "c".repeat(250_000));
});

function assertWhole(body: ClientBody, text: string): void {
  assert.ok(body.kind === "whole");
  assert.equal(body.bytes.length, text.length);
  assert.ok(new TextDecoder().decode(body.bytes) === text);
}

Deno.test("readBody() gives what does not fit in turn, nothing lost and nothing twice", async (t) => {
  const table: [title: string, chunks: string[]][] = [
    ["one chunk too long", ["12345678901"]],
    ["one byte too many", ["1234567890", "1"]],
    ["a long way to go", ["1234567", "8901", "2", "", "345"]],
    ["exactly the limit", ["12345678901234567890"]],
  ];
  for (const [title, chunks] of table) {
    await t.step(title, async () => {
      const body = await readFrom(post(chunks), { room: 10, limit: 20, patience: endless() });
      assert.equal((await readStream(body)).join(""), chunks.join(""));
    });
  }
});

Deno.test("readBody() reads no further than it must before it gives the rest in turn", async () => {
  let pulled = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      pulled++;
      controller.enqueue(new Uint8Array(4));
    },
  }, { highWaterMark: 0 });
  const read = await readFrom(toRequest(body), { room: 10, limit: 1000, patience: endless() });
  assert.ok(read.kind === "stream");
  assert.equal(pulled, 3);
  await body.cancel().catch(() => {});
});

Deno.test("readBody() refuses at once what is announced as too large, and reads nothing of it", async () => {
  let isRead = false;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      isRead = true;
      controller.close();
    },
  }, { highWaterMark: 0 });
  const request = toRequest(body, { "content-length": "21" });
  await assert.rejects(readFrom(request, { room: 10, limit: 20, patience: endless() }), isTooLarge);
  assert.equal(isRead, false);
});

Deno.test("readBody() refuses what turns out to be too large, and lets go of it", async (t) => {
  const table: [title: string, room: number, headers: Record<string, string>][] = [
    ["where all would fit into one message", 1000, {}],
    ["where it comes in turn", 10, {}],
  ];
  for (const [title, room, headers] of table) {
    await t.step(title, async () => {
      const cancelled = Promise.withResolvers<void>();
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(7)),
        cancel: () => cancelled.resolve(),
      });
      const reading = readFrom(toRequest(body, headers), { room, limit: 20, patience: endless() })
        .then(readStream);
      await assert.rejects(reading, isTooLarge);
      await cancelled.promise;
    });
  }
});

Deno.test("readBody() says that a client left in the middle, and keeps the cause", async (t) => {
  for (const [title, room] of [["before it fits", 100], ["while it comes in turn", 1]] as const) {
    await t.step(title, async () => {
      const cause = new TypeError("connection reset");
      let isFirst = true;
      const body = new ReadableStream<Uint8Array>({
        pull(controller) {
          if (isFirst) controller.enqueue(new Uint8Array(7));
          else controller.error(cause);
          isFirst = false;
        },
      });
      const reading = readFrom(toRequest(body), { room, limit: 1000, patience: endless() }).then(
        readStream,
      );
      await assert.rejects(reading, (error) => {
        assert.ok(error instanceof GatewayError);
        assert.equal(error.code, "malformed_request");
        assert.equal(error.cause, cause);
        return true;
      });
    });
  }
});

Deno.test("readBody() lets go of the client's body when nobody wants the rest", async (t) => {
  for (const taken of [0, 1, 2, 5]) {
    await t.step(`after ${taken} chunks`, async () => {
      let isCancelled = false;
      const body = new ReadableStream<Uint8Array>({
        pull: (controller) => controller.enqueue(new Uint8Array(4)),
        cancel: () => {
          isCancelled = true;
        },
      });
      const read = await readFrom(toRequest(body), {
        room: 10,
        limit: 1_000_000,
        patience: endless(),
      });
      assert.ok(read.kind === "stream");
      if (taken === 0) await read.chunks.return?.();
      let count = 0;
      for await (const _ of read.chunks) if (++count === taken) break;
      assert.equal(isCancelled, true);
    });
  }
});

Deno.test("readBody() copies a trickle together, in one message and in turn", async () => {
  const options = { room: 50_000, limit: 290_000, patience: endless() };
  const read = await readFrom(toRequest(trickle()), options);
  assert.ok(read.kind === "stream");
  const chunks: Uint8Array[] = [];
  await assert.rejects(async () => {
    for await (const chunk of read.chunks) chunks.push(chunk);
  }, isTooLarge);
  assert.ok(chunks.length > 3 && chunks.length < 15, `${chunks.length} chunks`);
  for (const chunk of chunks) assert.ok(chunk.buffer.byteLength <= 4 * chunk.length);
});

Deno.test("readBody() reads into memory that is given back, and into no other", async () => {
  const body = new ReadableStream({
    type: "bytes",
    pull({ byobRequest }) {
      const view = byobRequest!.view as Uint8Array;
      byobRequest!.respond(view.fill(1).length);
    },
  });
  const options = { room: 10, limit: Infinity, patience: endless() };
  const read = await readFrom(toRequest(body), options);
  assert.ok(read.kind === "stream");
  await read.chunks.next();
  const next = async () => (await read.chunks.next()).value as Uint8Array;
  const kept = await next();
  const given = await next();
  read.chunks.giveBack?.(given);
  await next();
  assert.equal(kept.length, 64 * 1024);
  assert.equal(given.length, 0, "its memory is another's now");
  await read.chunks.return?.();
});

Deno.test("readBody() waits for a client as long as it may pause, and no longer for a trickle", async (t) => {
  // 32 KiB are read at once, for which the slowest client has 4 s.
  const table: [title: string, gapMs: number, isLate: boolean][] = [
    ["a pause that is short enough", 900, false],
    ["a pause that is too long", 5600, true],
    ["a byte now and then", 700, true],
  ];
  for (const [title, gapMs, isLate] of table) {
    await t.step(title, async () => {
      const clock = new FakeClock();
      const patience = new Patience(1000, new Deadlines(clock, fail), () => clock.now());
      let left = title.startsWith("a pause") ? 1 : Number.POSITIVE_INFINITY;
      const body = trickle(async () => {
        await null;
        clock.advance(gapMs);
        return --left > 0;
      });
      const reading = readFrom(toRequest(body), { room: 1000, limit: 2000, patience });
      if (isLate) await assert.rejects(reading, { code: "body_timeout" });
      else assert.equal((await reading).kind, "whole");
    });
  }
});

Deno.test("tooLarge() says how large it may be", () => {
  const error = tooLarge(2_097_152);
  assert.equal(error.code, "body_too_large");
  assert.match(error.message, /2097152 bytes/);
});

function fail(_stage: string, error: unknown): never {
  throw error;
}

/** A byte at a time, as the platform reads it: into a buffer that is given. */
function trickle(
  hasMore: () => boolean | Promise<boolean> = () => true,
): ReadableStream<Uint8Array> {
  return new ReadableStream({
    type: "bytes",
    async pull(controller) {
      const isGoingOn = await hasMore();
      const { byobRequest } = controller;
      if (isGoingOn) return byobRequest?.respond(1);
      controller.close();
      byobRequest?.respond(0);
    },
  });
}

/** Whoever waits for it waits for ever. */
function endless(): Patience {
  return new Patience(30_000, new Deadlines(new FakeClock(), fail));
}

function post(chunks: readonly string[], headers: Record<string, string> = {}): Request {
  const encoder = new TextEncoder();
  return toRequest(ReadableStream.from(chunks.map((chunk) => encoder.encode(chunk))), headers);
}

function toRequest(
  body: ReadableStream<Uint8Array>,
  headers: Record<string, string> = {},
): Request {
  return new Request("http://a/", { method: "POST", body: body as BodyInit, headers });
}

async function readStream(body: ClientBody): Promise<string[]> {
  if (body.kind === "whole") return [new TextDecoder().decode(body.bytes)];
  const texts: string[] = [];
  for await (const chunk of body.chunks) texts.push(new TextDecoder().decode(chunk));
  return texts;
}

function isTooLarge(error: unknown): boolean {
  return error instanceof GatewayError && error.code === "body_too_large";
}
