/**
 * A workload that streams with credit: `/download?bytes=N` and `/upload`. Prints "ready".
 * `deno run --allow-net --allow-env bench/load/workload.ts NATS_URL`
 *
 * @module
 */
import { connect, serve } from "../../lib/workload/mod.ts";

const CHUNK = new Uint8Array(64 * 1024);

const nc = await connect({ servers: Deno.args[0] ?? "nats://127.0.0.1:4222", log: () => {} });
serve(nc, { host: "stream.example.com" }, async (request) => {
  const { pathname, searchParams } = new URL(request.url);
  if (pathname === "/download") return new Response(repeat(Number(searchParams.get("bytes"))));
  let length = 0;
  for await (const chunk of request.body ?? []) length += chunk.length;
  return new Response(String(length));
});
await nc.flush();
console.log("ready");

function repeat(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      if (left <= 0) return controller.close();
      controller.enqueue(CHUNK.subarray(0, Math.min(left, CHUNK.length)));
      left -= CHUNK.length;
    },
  });
}
