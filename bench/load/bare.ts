/**
 * What the gateway is compared with: `Deno.serve` that answers the same bytes without NATS, and WebSockets
 * that count what comes and send what they are told to. Prints its port.
 * `deno run --allow-net bench/load/bare.ts`
 *
 * @module
 */
import { PlainSockets } from "./plain_sockets.ts";

const EVENTS = 100;
const LARGE = "x".repeat(100_000);
const EVENT = new TextEncoder().encode("data: an event\n\n");
const CHUNK = new Uint8Array(64 * 1024);

const sockets = new PlainSockets();

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(port),
}, (request) => {
  if (request.headers.get("upgrade") === "websocket") return sockets.upgrade(request);
  const url = new URL(request.url);
  const { pathname, searchParams } = url;
  switch (pathname) {
    case "/api/v1/large":
      return new Response(LARGE, { headers: { "content-type": "text/plain" } });
    case "/api/v1/events":
      return new Response(repeat(EVENT, EVENTS), {
        headers: { "content-type": "text/event-stream" },
      });
    case "/download":
      return new Response(repeat(CHUNK, Number(searchParams.get("bytes")) / CHUNK.length));
    case "/upload":
      return count(request);
    case "/received":
    case "/push":
      return sockets.answer(url);
    default:
      // Where a body is left unread, Deno closes the connection.
      return request.method === "POST" ? request.bytes().then(hello) : hello();
  }
});

function hello(): Response {
  return new Response("hello", { headers: { "content-type": "text/plain" } });
}

function repeat(chunk: Uint8Array<ArrayBuffer>, times: number): ReadableStream<Uint8Array> {
  let count = 0;
  return new ReadableStream({
    pull(controller) {
      if (count++ < times) controller.enqueue(chunk);
      else controller.close();
    },
  });
}

async function count(request: Request): Promise<Response> {
  let length = 0;
  for await (const chunk of request.body ?? []) length += chunk.length;
  return new Response(String(length));
}
