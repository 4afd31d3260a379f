/**
 * What the gateway is compared with: `Deno.serve` that answers the same bytes without NATS, and WebSockets
 * that count what comes and send what they are told to. Prints its port.
 * `deno run --allow-net bench/load/bare.ts`
 *
 * @module
 */
const EVENTS = 100;
const LARGE = "x".repeat(100_000);
const EVENT = new TextEncoder().encode("data: an event\n\n");
const CHUNK = new Uint8Array(64 * 1024);

const sockets = new Set<WebSocket>();
let received = 0;

Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(port),
}, (request) => {
  if (request.headers.get("upgrade") === "websocket") return upgrade(request);
  const { pathname, searchParams } = new URL(request.url);
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
      return new Response(String(received));
    case "/push":
      return push(Number(searchParams.get("rounds")), Number(searchParams.get("bytes")));
    default:
      // Where a body is left unread, Deno closes the connection.
      return request.method === "POST" ? request.bytes().then(hello) : hello();
  }
});

function hello(): Response {
  return new Response("hello", { headers: { "content-type": "text/plain" } });
}

function upgrade(request: Request): Response {
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.binaryType = "arraybuffer";
  socket.onopen = () => sockets.add(socket);
  socket.onclose = () => sockets.delete(socket);
  socket.onmessage = () => received++;
  return response;
}

/** The loop that a fan-out is compared with. */
function push(rounds: number, bytes: number): Response {
  const text = "x".repeat(bytes);
  for (let round = 0; round < rounds; round++) {
    for (const socket of sockets) socket.send(text);
  }
  return new Response("");
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
