import { pause } from "../../lib/time/within.ts";
import assert from "node:assert/strict";
import { once } from "node:events";
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from "node:http2";
import { serve } from "../../lib/workload/mod.ts";
import { peakMiB, statsOf } from "../faults/process_stats.ts";
import { Certificate } from "../harness/certificate.ts";
import { setUp } from "../harness/setup.ts";

const FRAMES = 50_000;
const STREAMS = 100;
const CHUNK = new Uint8Array(64 * 1024);
/** Of the body as a whole, and of what all streams together may keep waiting. */
const ONE_BYTE_MIB = 40;
const UNREAD_MIB = 150;

Deno.test("HTTP/2: a body in frames of one byte is one message, and streams that nobody reads are cut off", async (t) => {
  await using world = await start();
  const { gateway, session } = world;
  const before = await statsOf(gateway.pid);
  await t.step("one byte a frame", async () => {
    const stream = session.request({ ":method": "POST", ":path": "/length" });
    await drip(stream);
    assert.equal(await readAll(stream), String(FRAMES));
    const grown = await peakMiB(gateway.pid) - before.rssMiB;
    assert.ok(grown < ONE_BYTE_MIB, `${grown} MiB`);
  });
  await t.step("unread", async () => {
    const unread = Array.from({ length: STREAMS }, () => session.request({ ":path": "/endless" }));
    for (const stream of unread) {
      stream.on("error", () => {});
      stream.pause();
    }
    const aborted = 'h8s_http_responses_aborted_total{reason="write_error"}';
    await gateway.measures(aborted, (count) => count === STREAMS);
    assert.equal(await gateway.metric("h8s_http_requests_in_flight"), 0);
    const grown = await peakMiB(gateway.pid) - before.rssMiB;
    assert.ok(grown < UNREAD_MIB, `${grown} MiB`);
  });
});

async function start() {
  await using stack = new AsyncDisposableStack();
  const certificate = stack.use(await Certificate.create());
  const tlsKey = await Deno.readTextFile(certificate.keyFile);
  const stdin = JSON.stringify({ tlsCert: certificate.ca, tlsKey });
  const { nc, gateway } = stack.use(
    await setUp(["--config", "-", "--send-timeout", "500ms"], {}, stdin),
  );
  const service = stack.use(serve(nc, { host: "*" }, async (request) => {
    if (request.url.endsWith("/length")) return new Response(`${(await request.bytes()).length}`);
    return new Response(new ReadableStream({ pull: (controller) => controller.enqueue(CHUNK) }));
  }));
  await service.ready;
  const session = connect(`https://localhost:${gateway.port}`, { ca: certificate.ca });
  stack.defer(() => close(session));
  await once(session, "connect");
  const all = stack.move();
  return { gateway, session, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

async function close(session: ClientHttp2Session): Promise<void> {
  const closed = once(session, "close");
  session.destroy();
  await closed;
}

async function drip(stream: ClientHttp2Stream): Promise<void> {
  for (let count = 0; count < FRAMES; count++) {
    if (!stream.write("x")) await once(stream, "drain");
    if (count % 500 === 0) await pause(0);
  }
  stream.end();
}

async function readAll(stream: ClientHttp2Stream): Promise<string> {
  let text = "";
  for await (const chunk of stream) text += chunk;
  return text;
}
