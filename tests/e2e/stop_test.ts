import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { serve } from "../../lib/workload/mod.ts";
import { startReverse } from "../harness/reverse.ts";
import { open, parseResponse, readUntil, write } from "../harness/raw_http.ts";
import { listen, natsHeaders, setUp } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";

const CHUNK = new Uint8Array(64 * 1024).map((_, index) => index * 13);
const CHUNKS = 800;

/** Requests that have begun, and go on when a test says so. */
class Works {
  readonly #begun = new Map<string, PromiseWithResolvers<void>>();
  readonly #goOn = Promise.withResolvers<void>();
  readonly aborted: string[] = [];

  /** A standard handler: `/slow` thinks, `/events` has said something, `/upload` reads. */
  readonly handle = async (request: Request): Promise<Response> => {
    const { pathname } = new URL(request.url);
    const isDone = { value: false };
    request.signal.addEventListener("abort", () => {
      if (!isDone.value) this.aborted.push(request.url);
    });
    this.#of(request.url).resolve();
    if (pathname.endsWith("/upload")) return new Response(await hashOf(request.body!, isDone));
    if (pathname.endsWith("/slow")) {
      await this.#goOn.promise;
      isDone.value = true;
      return new Response("slow");
    }
    const events = async function* (goOn: Promise<void>) {
      yield "data: first\n\n";
      await goOn;
      yield "data: last\n\n";
      isDone.value = true;
    };
    const body = ReadableStream.from(events(this.#goOn.promise));
    const headers = { "content-type": "text/event-stream" };
    return new Response(body.pipeThrough(new TextEncoderStream()), { headers });
  };

  /** Resolves when a request has come. */
  begun(url: string): Promise<void> {
    return this.#of(url).promise;
  }

  /** Lets all of them go on. */
  goOn(): void {
    this.#goOn.resolve();
  }

  #of(url: string): PromiseWithResolvers<void> {
    const key = new URL(url).pathname;
    const known = this.#begun.get(key) ?? Promise.withResolvers<void>();
    this.#begun.set(key, known);
    return known;
  }
}

Deno.test("what runs when the gateway stops is finished, and no workload hears of an abort", async () => {
  await using setup = await setUp(["--max-body-size", "1GiB"]);
  const { nc, gateway } = setup;
  const [served, reversed] = [new Works(), new Works()];
  const host = "127.0.0.1";
  await using service = serve(nc, { host, path: "/served" }, served.handle);
  await service.ready;
  await using backend = Deno.serve({ hostname: host, port: 0, onListen() {} }, reversed.handle);
  await using _reverse = await startReverse({
    natsUrl: setup.nats.url,
    hostname: "localhost",
    port: backend.addr.port,
  });
  const bare = await listen(nc, "h8s.http.GET.127.0.0.1.bare");
  const events = await listen(nc, "h8s.control.>");

  const there = gateway.url;
  const behind = there.replace(host, "localhost");
  const slow = [`${there}/served/slow`, `${behind}/slow`].map((url) => fetch(url));
  const streams = await Promise.all([`${there}/served/events`, `${behind}/events`].map(openEvents));
  const upload = new TransformStream<Uint8Array, Uint8Array>();
  const uploaded = fetch(`${there}/served/upload`, { method: "PUT", body: upload.readable });
  const writer = upload.writable.getWriter();
  for (let count = 0; count < CHUNKS / 2; count++) await writer.write(CHUNK);
  const plain = fetch(`${there}/bare`);
  const plainRequest = await bare.next();
  await using socket = await Client.connect(`ws://${host}:${gateway.port}/`);
  for (const url of [`${there}/served/slow`, `${there}/served/upload`]) await served.begun(url);
  await reversed.begun(`${behind}/slow`);

  gateway.kill("SIGTERM");
  await gateway.logged("draining");
  assert.equal((await socket.closed).code, 1001);
  await untilEvent(events, /\.gateway\.\w+\.draining$/);
  await untilEvent(events, /\.ws\.conn\.closed$/);
  served.goOn();
  reversed.goOn();
  for (const response of slow) assert.equal(await (await response).text(), "slow");
  for (const rest of streams) assert.equal(await rest(), "data: first\n\ndata: last\n\n");
  for (let count = 0; count < CHUNKS / 2; count++) await writer.write(CHUNK);
  await writer.close();
  assert.equal(await (await uploaded).text(), expectedHash());
  nc.publish(plainRequest.reply!, "one, ", { headers: natsHeaders(["Status-Code", "200"]) });
  nc.publish(plainRequest.reply!, "two");
  nc.publish(plainRequest.reply!, "");
  assert.equal(await (await plain).text(), "one, two");
  assert.equal((await gateway.ended).code, 0);
  assert.deepEqual([...served.aborted, ...reversed.aborted], []);
  await untilEvent(events, /\.gateway\.\w+\.gone$/);
  const [end, gone] = [/\.connection\.closed\./, /\.gone$/].map((pattern) =>
    events.all.findLastIndex(({ subject }) => pattern.test(subject))
  );
  assert.ok(end! < gone!, "gone comes after all ends");
});

Deno.test("whoever comes while something runs is told 503, and to ask on another connection", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const requests = await listen(nc, "h8s.http.GET.>");
  using kept = await open(gateway.port);
  using unused = await open(gateway.port);
  const ask = async (conn: Deno.TcpConn, path: string) => {
    await write(conn, `GET ${path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`);
    return async () => {
      const raw = await readUntil(conn, (text) => /\r\n\r\n(first|finished|\{.*\})$/.test(text));
      const { status, headers } = parseResponse(raw);
      return [status, new Map(headers).get("connection")];
    };
  };
  const answer = await ask(kept, "/first");
  (await requests.next()).respond("first");
  assert.deepEqual(await answer(), [200, undefined]);
  using busy = await open(gateway.port);
  const inFlight = await ask(busy, "/in-flight");
  const request = await requests.next();

  gateway.kill("SIGTERM");
  await gateway.logged("draining");
  using fresh = await open(gateway.port);
  for (const conn of [kept, unused, fresh]) {
    const refused = await ask(conn, "/late");
    assert.deepEqual(await refused(), [503, "close"]);
  }
  request.respond("finished");
  assert.deepEqual(await inFlight(), [200, "close"]);
  assert.equal((await gateway.ended).code, 0);
});

Deno.test("--drain-delay turns requests away for as long, though nothing runs", async () => {
  await using setup = await setUp(["--drain-delay", "600ms"]);
  const { gateway } = setup;
  const begun = performance.now();
  gateway.kill("SIGTERM");
  await gateway.logged("draining");
  const response = await fetch(gateway.url);
  assert.equal((await response.json()).type, "urn:h8s:error:draining");
  assert.equal((await gateway.ended).code, 0);
  assert.ok(performance.now() - begun >= 600);
});

/** Resolves when the first one is there, to what waits for all of them. */
async function openEvents(url: string): Promise<() => Promise<string>> {
  const { body } = await fetch(url);
  const reader = body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = (await reader.read()).value ?? "";
  return async () => {
    for (let step = await reader.read(); !step.done; step = await reader.read()) text += step.value;
    return text;
  };
}

async function untilEvent(
  events: Awaited<ReturnType<typeof listen>>,
  pattern: RegExp,
): Promise<void> {
  while (!events.all.some(({ subject }) => pattern.test(subject))) await events.next();
}

async function hashOf(
  body: ReadableStream<Uint8Array>,
  isDone: { value: boolean },
): Promise<string> {
  const hash = createHash("sha256");
  for await (const chunk of body) hash.update(chunk);
  isDone.value = true;
  return hash.digest("hex");
}

function expectedHash(): string {
  const hash = createHash("sha256");
  for (let count = 0; count < CHUNKS; count++) hash.update(CHUNK);
  return hash.digest("hex");
}
