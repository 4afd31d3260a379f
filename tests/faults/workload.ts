/**
 * The workload of the fault tests, a program of its own: `workload.ts NATS_URL`. It answers, and
 * says on its standard output what it saw, one JSON text a line.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { createHash } from "node:crypto";
import { connect } from "@nats-io/transport";
import { serve, type SocketConnection, type SocketHandlers } from "../../lib/workload/mod.ts";
import {
  LARGE_CHUNK_BYTES,
  largeChunks,
  renderEcho,
  STREAM_CHUNKS,
  STREAM_PACE_MS,
  toStreamChunk,
} from "./payload.ts";

/** What the workload says of itself. */
export type Report =
  | { readonly type: "ready" }
  /** A request came twice: something ran twice. */
  | { readonly type: "repeated"; readonly nonce: string }
  /** A message of a socket came twice, or after a later one. */
  | { readonly type: "disordered"; readonly id: string; readonly number: number }
  /** The client of a large download has left, and nothing more is made for it. */
  | { readonly type: "left"; readonly nonce: string; readonly bytes: number }
  /** A request that takes its time has begun. */
  | { readonly type: "slow"; readonly nonce: string }
  | { readonly type: "opened"; readonly id: string }
  | { readonly type: "closed"; readonly id: string; readonly code: number }
  | { readonly type: "error"; readonly stage: string; readonly error: string };

function report(line: Report): void {
  console.log(JSON.stringify(line));
}

/** Remembers the latest so that a repetition is seen; bounded, since a soak runs for hours. */
class Seen {
  readonly #nonces = new Set<string>();

  add(nonce: string): void {
    if (this.#nonces.has(nonce)) report({ type: "repeated", nonce });
    this.#nonces.add(nonce);
    if (this.#nonces.size <= 10_000) return;
    for (const oldest of this.#nonces) {
      this.#nonces.delete(oldest);
      break;
    }
  }
}

function toSocketHandlers(epoch: string): SocketHandlers {
  const sockets = new Map<string, { count: number; last: number }>();
  return {
    open: ({ id }) => report({ type: "opened", id }),
    message(conn, data) {
      const flood = /^flood (\d+)$/.exec(String(data))?.[1];
      if (flood !== undefined) return sendMany(conn, Number(flood));
      const number = Number(data);
      // What an acknowledged client says is for the stream.
      if (!Number.isInteger(number)) return;
      const socket = sockets.get(conn.id) ?? { count: 0, last: 0 };
      if (number <= socket.last) report({ type: "disordered", id: conn.id, number });
      sockets.set(conn.id, { count: socket.count + 1, last: number });
      conn.send(renderEcho({ epoch, count: socket.count, number }));
    },
    close({ id }, code) {
      sockets.delete(id);
      report({ type: "closed", id, code });
    },
  };
}

/** More than any client can be kept waiting for, but no faster than NATS can carry. */
async function sendMany(conn: SocketConnection, count: number): Promise<void> {
  const data = new Uint8Array(LARGE_CHUNK_BYTES);
  for (let sent = 0; sent < count; sent++) {
    conn.send(data);
    if (sent % 16 === 15) await pause(20);
  }
}

function toHandler(): (request: Request) => Promise<Response> {
  const seen = new Seen();
  return async (request) => {
    const { pathname, searchParams } = new URL(request.url);
    const nonce = searchParams.get("nonce") ?? "";
    seen.add(nonce);
    switch (pathname) {
      case "/echo": {
        const bytes = await request.bytes();
        const hash = createHash("sha256").update(bytes).digest("hex");
        return new Response(bytes, { headers: { "x-hash": hash } });
      }
      case "/stream":
        return new Response(ReadableStream.from(chunksOf(nonce)));
      case "/large":
        return new Response(toLargeBody(nonce, Number(searchParams.get("chunks"))));
      case "/hash": {
        const hash = createHash("sha256");
        for await (const chunk of request.body ?? []) hash.update(chunk);
        return new Response(hash.digest("hex"));
      }
      case "/slow":
        report({ type: "slow", nonce });
        await pause(Number(searchParams.get("ms")));
        return new Response(`slow ${nonce}`);
      default:
        return new Response(`hello ${nonce}`);
    }
  };
}

function toLargeBody(nonce: string, chunks: number): ReadableStream<Uint8Array> {
  const source = largeChunks(chunks);
  let bytes = 0;
  return new ReadableStream({
    pull(controller) {
      const { done, value } = source.next();
      if (done) return controller.close();
      bytes += value.length;
      controller.enqueue(value);
    },
    cancel: () => report({ type: "left", nonce, bytes }),
  });
}

async function* chunksOf(nonce: string): AsyncGenerator<Uint8Array> {
  for (let index = 0; index < STREAM_CHUNKS; index++) {
    yield new TextEncoder().encode(toStreamChunk(nonce, index));
    await pause(STREAM_PACE_MS);
  }
}

if (import.meta.main) {
  const [servers = ""] = Deno.args;
  const epoch = crypto.randomUUID().slice(0, 8);
  const nc = await connect({ servers, maxReconnectAttempts: -1, reconnectTimeWait: 50 });
  const service = serve(nc, {
    host: "*",
    websocket: toSocketHandlers(epoch),
    onError: (error, stage) => report({ type: "error", stage, error: String(error) }),
  }, toHandler());
  await service.ready;
  report({ type: "ready" });
  await service.finished;
}
