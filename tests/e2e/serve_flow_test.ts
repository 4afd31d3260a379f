import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { serve } from "../../lib/workload/mod.ts";
import { open, readUntil, write } from "../harness/raw_http.ts";
import { setUp } from "../harness/setup.ts";

const CHUNK = new Uint8Array(64 * 1024).map((_, index) => index * 13);
const CHUNKS = 800;

Deno.test("serve() streams 50 MB down and up without a byte lost", async (t) => {
  await using setup = await setUp(["--max-body-size", "1GiB"]);
  await using service = serve(setup.nc, { host: "*" }, async (request) => {
    if (request.method === "GET") return new Response(ReadableStream.from(chunks()));
    const hash = createHash("sha256");
    for await (const chunk of request.body!) hash.update(chunk);
    return new Response(hash.digest("hex"));
  });
  await service.ready;
  await t.step("down", async () => {
    const hash = createHash("sha256");
    const response = await fetch(setup.gateway.url);
    for await (const chunk of response.body!) hash.update(chunk);
    assert.equal(hash.digest("hex"), expected());
    assert.equal(
      await setup.gateway.metric('h8s_http_responses_aborted_total{reason="overflow"}'),
      0,
    );
  });
  await t.step("up", async () => {
    const body = ReadableStream.from(chunks());
    const response = await fetch(setup.gateway.url, { method: "PUT", body });
    assert.equal(await response.text(), expected());
  });
});

Deno.test("serve() stops producing when its client leaves, and waits while its client does", async () => {
  await using setup = await setUp(["--request-timeout", "300ms"]);
  const cancelled = Promise.withResolvers<void>();
  const aborted = Promise.withResolvers<void>();
  let produced = 0;
  await using service = serve(setup.nc, { host: "*" }, (request) => {
    request.signal.addEventListener("abort", () => aborted.resolve());
    const body = new ReadableStream({
      pull(controller) {
        produced += CHUNK.length;
        controller.enqueue(CHUNK);
      },
      cancel: () => cancelled.resolve(),
    });
    return new Response(body);
  });
  await service.ready;
  const client = await open(setup.gateway.port);
  await write(client, "GET / HTTP/1.1\r\nHost: e.com\r\n\r\n");
  await readUntil(client, (text) => text.length > 100_000);
  client.close();
  await aborted.promise;
  await cancelled.promise;
  // What the sockets' buffers and the window hold, not what an unheeding workload would have sent.
  assert.ok(produced < 32 * 1024 * 1024, `${produced} bytes`);
});

Deno.test("a body that fails on its way is a broken transfer at once, not at the timeout", async () => {
  await using setup = await setUp(["--request-timeout", "1h"]);
  const begun = Promise.withResolvers<void>();
  await using service = serve(setup.nc, { host: "*", onError: () => {} }, () =>
    new Response(
      new ReadableStream({
        start: (controller) => controller.enqueue(CHUNK),
        pull: async (controller) => {
          await begun.promise;
          controller.error(new Error("the disk is gone"));
        },
      }),
    ));
  await service.ready;
  using client = await open(setup.gateway.port);
  await write(client, "GET / HTTP/1.1\r\nHost: e.com\r\n\r\n");
  await readUntil(client, (text) => text.includes("\r\n\r\n"));
  begun.resolve();
  assert.ok(!(await readUntil(client)).endsWith("0\r\n\r\n"), "a clean end would be a lie");
  assert.equal(await setup.gateway.metric('h8s_http_responses_aborted_total{reason="aborted"}'), 1);
});

Deno.test("the headers of a stream that is slow to begin reach the client at once", async () => {
  await using setup = await setUp();
  const go = Promise.withResolvers<void>();
  await using service = serve(setup.nc, { host: "*" }, () => {
    const events = (async function* () {
      await go.promise;
      yield "data: 1\n\n";
    })();
    const body = ReadableStream.from(events).pipeThrough(new TextEncoderStream());
    return new Response(body, { headers: { "content-type": "text/event-stream" } });
  });
  await service.ready;
  const response = await fetch(setup.gateway.url);
  assert.equal(response.headers.get("content-type"), "text/event-stream");
  go.resolve();
  assert.equal(await response.text(), "data: 1\n\n");
});

Deno.test("serve() may answer an upload before it has read it", async () => {
  await using setup = await setUp(["--max-body-size", "1GiB"]);
  await using service = serve(setup.nc, { host: "*" }, () => new Response("no", { status: 401 }));
  await service.ready;
  using client = await open(setup.gateway.port);
  await write(client, "PUT / HTTP/1.1\r\nHost: e.com\r\nContent-Length: 900000000\r\n\r\n");
  const sending = write(client, "x".repeat(1_200_000)).catch(() => {});
  assert.match(await readUntil(client, (text) => text.endsWith("no")), /^HTTP\/1\.1 401 /);
  await sending;
});

Deno.test("a handler sees an upload that is cut off as an error, not as an end", async () => {
  await using setup = await setUp(["--max-body-size", "1GiB"]);
  const failed = Promise.withResolvers<unknown>();
  const begun = Promise.withResolvers<void>();
  await using service = serve(setup.nc, { host: "*", onError: () => {} }, async (request) => {
    try {
      for await (const _chunk of request.body!) begun.resolve();
      failed.resolve("ended in order");
    } catch (error) {
      failed.resolve(error);
    }
    return new Response();
  });
  await service.ready;
  const client = await open(setup.gateway.port);
  await write(client, "PUT / HTTP/1.1\r\nHost: e.com\r\nContent-Length: 900000000\r\n\r\n");
  await write(client, "x".repeat(1_200_000));
  await begun.promise;
  client.close();
  const error = await failed.promise;
  assert.ok(error instanceof DOMException && error.name === "AbortError", String(error));
});

function* chunks(): Generator<Uint8Array<ArrayBuffer>> {
  for (let index = 0; index < CHUNKS; index++) {
    const chunk = CHUNK.slice();
    // No two of them are alike.
    yield chunk.fill(index, 0, index * 32);
  }
}

function expected(): string {
  const hash = createHash("sha256");
  for (const chunk of chunks()) hash.update(chunk);
  return hash.digest("hex");
}
