import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import type { Msg, NatsConnection } from "@nats-io/nats-core";
import { open, readUntil, write } from "../harness/raw_http.ts";
import { listen, natsHeaders, setUp } from "../harness/setup.ts";

const CHUNK = new Uint8Array(64 * 1024).map((_, index) => index * 7);

Deno.test("a workload that heeds credit streams to a slow client without loss", async () => {
  await using setup = await setUp(["--request-timeout", "1s"]);
  const { nc, gateway } = setup;
  const requests = await listen(nc, "h8s.http.GET.>");
  const pending = fetch(`${gateway.url}/large`);
  const request = await requests.next();
  const window = Number(request.headers?.get("X-H8s-Window"));
  assert.equal(window, 1024 * 1024);
  const sending = sendWithCredit(nc, { request, window, chunks: 400 });
  const received = createHash("sha256");
  let length = 0;
  for await (const chunk of (await pending).body!) {
    received.update(chunk);
    length += chunk.length;
  }
  const { hash, mostOutstanding } = await sending;
  assert.equal(length, 400 * CHUNK.length);
  assert.equal(received.digest("hex"), hash);
  assert.ok(mostOutstanding <= window);
});

Deno.test("a client that does not read makes the workload wait, not time out, and its leaving cancels", async () => {
  await using setup = await setUp(["--request-timeout", "300ms"]);
  const { nc, gateway } = setup;
  const requests = await listen(nc, "h8s.http.GET.>");
  const signals = await listen(nc, "_INBOX.credit.here");
  const ends = await listen(nc, "h8s.control.connection.closed.>");
  const client = await open(gateway.port);
  await write(client, "GET /stalled HTTP/1.1\r\nHost: e.com\r\n\r\n");
  const request = await requests.next();
  const head = natsHeaders(["Status", "200"]);
  // The socket's own buffers take some; then credit stops, and with it the clock.
  nc.publish(request.reply!, CHUNK, { headers: head, reply: "_INBOX.credit.here" });
  let credit = Number(request.headers?.get("X-H8s-Window")) - CHUNK.length;
  let next = signals.next();
  for (let quiet = 0; quiet < 3;) {
    while (credit >= CHUNK.length) {
      nc.publish(request.reply!, CHUNK);
      credit -= CHUNK.length;
    }
    const signal = await within(250, next);
    if (signal === undefined) {
      quiet++;
      continue;
    }
    credit += Number(signal.headers?.get("X-H8s-Credit"));
    next = signals.next();
  }
  assert.equal(
    ends.all.length,
    0,
    "0.75 s of waiting for the client are no timeout of the workload",
  );
  client.close();
  let last = await next;
  while (last.headers?.has("X-H8s-Credit")) last = await signals.next();
  assert.equal(last.headers?.get("X-H8s-Cancel"), "ctx_done");
  assert.equal((await ends.next()).string(), "ctx_done");
});

Deno.test("a body that does not fit goes up as a stream with credit", async (t) => {
  await using setup = await setUp(["--max-body-size", "1GiB"]);
  const { nc, gateway } = setup;
  const bodies: [name: string, body: () => BodyInit][] = [
    ["of known length", () => new Blob(Array.from({ length: 160 }, () => CHUNK))],
    ["of unknown length", () => ReadableStream.from(Array.from({ length: 160 }, () => CHUNK))],
  ];
  for (const [name, body] of bodies) {
    await t.step(name, async () => {
      const heads = await listen(nc, "h8s.upload.PUT.>");
      const pending = fetch(`${gateway.url}/up`, { method: "PUT", body: body() });
      const head = await heads.next();
      assert.equal(head.data.length, 0);
      assert.equal(head.headers?.get("X-H8s-Body"), "stream");
      assert.equal(head.subject, "h8s.upload.PUT.127.0.0.1.up");
      const { hash, mostOutstanding } = await receiveWithCredit(nc, { head, window: 256 * 1024 });
      assert.equal(hash, hashOfChunks(160));
      assert.ok(mostOutstanding <= 256 * 1024);
      head.respond("taken");
      assert.equal(await (await pending).text(), "taken");
    });
  }
});

Deno.test("a body that fits is one message, announced or not", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const requests = await listen(nc, "h8s.http.POST.>");
  const body = ReadableStream.from([CHUNK, CHUNK]);
  const pending = fetch(gateway.url, { method: "POST", body });
  const request = await requests.next();
  assert.equal(request.data.length, 2 * CHUNK.length);
  request.respond("ok");
  await (await pending).text();
});

Deno.test("a workload may answer an upload early", async () => {
  await using setup = await setUp(["--max-body-size", "1GiB"]);
  const { nc, gateway } = setup;
  const heads = await listen(nc, "h8s.upload.PUT.>");
  using client = await open(gateway.port);
  await write(client, "PUT /up HTTP/1.1\r\nHost: e.com\r\nContent-Length: 900000000\r\n\r\n");
  const sending = write(client, "x".repeat(1_200_000)).catch(() => {});
  const head = await heads.next();
  head.respond("no", { headers: natsHeaders(["Status", "401"], ["Content-Length", "2"]) });
  const response = await readUntil(client, (text) => text.endsWith("no"));
  assert.match(response, /^HTTP\/1\.1 401 /);
  await sending;
});

Deno.test("a workload that takes an upload has to say where, and how much", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const heads = await listen(nc, "h8s.upload.PUT.>");
  const inbox = "_INBOX.chunks";
  for (
    const [window, reply, expected] of [
      ["100000000", undefined, /does not say where/],
      ["0", inbox, /does not say how much/],
      ["-1", inbox, /does not say how much/],
      ["NaN", inbox, /does not say how much/],
    ] as const
  ) {
    const pending = fetch(gateway.url, { method: "PUT", body: "x".repeat(1_200_000) });
    const head = await heads.next();
    const headers = natsHeaders(["X-H8s-Continue", window]);
    nc.publish(head.reply!, "", { headers, ...(reply === undefined ? {} : { reply }) });
    const response = await pending;
    assert.equal(response.status, 502, window);
    assert.match(await response.text(), expected);
  }
});

Deno.test("a client that leaves in the middle of its upload is told as cancel", async () => {
  await using setup = await setUp(["--max-body-size", "1GiB"]);
  const { nc, gateway } = setup;
  const heads = await listen(nc, "h8s.upload.PUT.>");
  const chunks = await listen(nc, "_INBOX.take.it");
  const ends = await listen(nc, "h8s.control.connection.closed.>");
  const client = await open(gateway.port);
  await write(client, "PUT /up HTTP/1.1\r\nHost: e.com\r\nContent-Length: 900000000\r\n\r\n");
  await write(client, "x".repeat(1_200_000));
  const head = await heads.next();
  head.respond("", {
    headers: natsHeaders(["X-H8s-Continue", "100000000"]),
    reply: "_INBOX.take.it",
  });
  await chunks.next();
  client.close();
  let last = await chunks.next();
  while (last.data.length > 0) last = await chunks.next();
  assert.equal(last.headers?.get("X-H8s-Cancel"), "ctx_done");
  assert.equal((await ends.next()).string(), "ctx_done");
});

Deno.test("an upload that turns out too large is a 413 and a cancel", async () => {
  await using setup = await setUp(["--max-body-size", "3MiB"]);
  const { nc, gateway } = setup;
  const heads = await listen(nc, "h8s.upload.PUT.>");
  const chunks = await listen(nc, "_INBOX.take.it");
  const body = ReadableStream.from(Array.from({ length: 80 }, () => CHUNK));
  const pending = fetch(`${gateway.url}/up`, { method: "PUT", body }).catch(() => undefined);
  const head = await heads.next();
  head.respond("", {
    headers: natsHeaders(["X-H8s-Continue", "100000000"]),
    reply: "_INBOX.take.it",
  });
  let last = await chunks.next();
  while (last.data.length > 0) last = await chunks.next();
  assert.ok(last.headers?.has("X-H8s-Cancel"));
  const response = await pending;
  assert.ok(response === undefined || response.status === 413);
  await response?.body?.cancel();
});

Deno.test("a large body that nobody streams is a 413 that says so", async () => {
  await using setup = await setUp(["--max-body-size", "1GiB"]);
  const body = new Uint8Array(1_200_000);
  const response = await fetch(setup.gateway.url, { method: "POST", body });
  assert.equal(response.status, 413);
  assert.match((await response.json()).detail, /no workload .* takes streamed bodies/);
});

/** Plays a workload that streams; resolves when all is sent. */
async function sendWithCredit(
  nc: NatsConnection,
  { request, window, chunks }: { request: Msg; window: number; chunks: number },
): Promise<{ hash: string; mostOutstanding: number }> {
  const signals = await listen(nc, "_INBOX.sender.credit");
  let outstanding = 0;
  let mostOutstanding = 0;
  for (let index = 0; index < chunks; index++) {
    while (outstanding + CHUNK.length > window) {
      outstanding -= Number((await signals.next()).headers?.get("X-H8s-Credit"));
    }
    const head = { headers: natsHeaders(["Status", "200"]), reply: "_INBOX.sender.credit" };
    nc.publish(request.reply!, CHUNK, index === 0 ? head : {});
    outstanding += CHUNK.length;
    mostOutstanding = Math.max(mostOutstanding, outstanding);
  }
  nc.publish(request.reply!);
  return { hash: hashOfChunks(chunks), mostOutstanding };
}

/** Plays a workload that takes an upload; resolves at its end. */
async function receiveWithCredit(
  nc: NatsConnection,
  { head, window }: { head: Msg; window: number },
): Promise<{ hash: string; mostOutstanding: number }> {
  const subject = `_INBOX.receiver.${crypto.randomUUID()}`;
  const chunks = await listen(nc, subject);
  const headers = natsHeaders(["X-H8s-Continue", String(window)]);
  head.respond("", { headers, reply: subject });
  const hash = createHash("sha256");
  let pending = 0;
  let mostOutstanding = 0;
  for (;;) {
    const chunk = await chunks.next();
    if (chunk.data.length === 0) break;
    hash.update(chunk.data);
    pending += chunk.data.length;
    mostOutstanding = Math.max(mostOutstanding, pending);
    if (pending < window / 2) continue;
    nc.publish(chunk.reply!, "", { headers: natsHeaders(["X-H8s-Credit", String(pending)]) });
    pending = 0;
  }
  return { hash: hash.digest("hex"), mostOutstanding };
}

function hashOfChunks(count: number): string {
  const hash = createHash("sha256");
  for (let index = 0; index < count; index++) hash.update(CHUNK);
  return hash.digest("hex");
}

/** For what is about something not happening. */
async function within<T>(ms: number, promise: Promise<T>): Promise<T | undefined> {
  const { promise: timeout, resolve } = Promise.withResolvers<undefined>();
  const timer = setTimeout(() => resolve(undefined), ms);
  const result = await Promise.race([promise, timeout]);
  clearTimeout(timer);
  return result;
}
