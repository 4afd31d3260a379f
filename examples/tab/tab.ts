/**
 * A workload in a page: it answers HTTP requests and WebSockets, and there is no server but the gateway.
 *
 * @module
 */
/// <reference lib="dom" />
import { connect, serve } from "@h8s/gateway/workload";

const answer = document.querySelector<HTMLTextAreaElement>("#answer")!;
const log = document.querySelector<HTMLOListElement>("#log")!;

function say(line: string): void {
  log.append(Object.assign(document.createElement("li"), { textContent: line }));
}

const servers = new URLSearchParams(location.search).get("nats") ?? "ws://localhost:9222";
const nc = await connect({ servers, log: say });
const service = serve(nc, {
  host: ["localhost", "127.0.0.1"],
  websocket: {
    open: (conn) => say(`WebSocket ${new URL(conn.request.url).pathname}`),
    message: (conn, data) => void conn.send(`${answer.value}: ${data}`),
  },
}, async (request) => {
  const { size } = await request.blob();
  say(`${request.method} ${new URL(request.url).pathname}, ${size} bytes`);
  return new Response(answer.value, { headers: { "x-answered-by": navigator.userAgent } });
});
addEventListener("pagehide", () => void service.stop());
await service.ready;
document.title = "Serving";
