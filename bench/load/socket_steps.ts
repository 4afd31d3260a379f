/**
 * Servers of WebSockets that do one thing more each, from a bare `Deno.upgradeWebSocket` to messages through NATS
 * without anything of the contract: `deno run --allow-net bench/load/socket_steps.ts STEP NATS_URL` prints its
 * port.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { RequestHeads } from "../../lib/edge/request_head.ts";
import { Handshakes } from "../../lib/edge/socket/handshakes.ts";
import { listenToSocket } from "../../lib/edge/socket/socket_events.ts";
import { toFrame } from "../../lib/mapping/frame.ts";
import { Inbox } from "../../lib/nats/inbox.ts";
import { connected } from "./connected.ts";
import { OpenSocket, PlainSockets } from "./plain_sockets.ts";

/** What each does besides all that the ones before it do. */
export const SOCKET_STEPS = {
  upgrade: "`Deno.upgradeWebSocket` alone; it counts messages, and sends what it is told to",
  listen: "+ header lines, whether the client is still there, the gateway's listeners",
  lane: "+ a place in an inbox, messages through NATS: no headers, limits, events, contract",
} as const;

type Handler = Deno.ServeHandler<Deno.NetAddr>;

/** Where the load listens. */
const SUBJECT = "h8s.ws.ws.com.example.bench.socket";
const IDLE_TIMEOUT_SECONDS = 120;
const sockets = new PlainSockets();

function isHandshake({ headers }: Request): boolean {
  return headers.get("upgrade") === "websocket";
}

const upgrade: Handler = (request) =>
  isHandshake(request) ? sockets.upgrade(request) : sockets.answer(new URL(request.url));

/** Who gets what a socket says; closed with it. */
interface Ears {
  onMessage(data: string | ArrayBuffer): void;
  onClose(): void;
}

function toListening(toEars: (socket: WebSocket) => Ears): Handler {
  const heads = new RequestHeads();
  const handshakes = new Handshakes();
  return async (request, { completed }) => {
    if (!isHandshake(request)) return sockets.answer(new URL(request.url));
    completed.then(() => {}, () => {});
    heads.read(request);
    const open = { place: undefined };
    if (await handshakes.whileClientWaits(open, request.signal) === undefined) {
      return new Response(null, { status: 499 });
    }
    const options = { idleTimeout: IDLE_TIMEOUT_SECONDS };
    const { socket, response } = Deno.upgradeWebSocket(request, options);
    socket.binaryType = "arraybuffer";
    const ears = toEars(socket);
    const entry = new OpenSocket(socket);
    listenToSocket(socket, {
      onOpen: () => sockets.open.add(entry),
      onSaid: (data) => ears.onMessage(data),
      onClosed() {
        sockets.open.delete(entry);
        ears.onClose();
      },
      onSocketError() {},
      onThrown: (error) => console.error(error),
    });
    return response;
  };
}

const listen = toListening(() => ({ onMessage: () => sockets.received++, onClose() {} }));

async function toLane(url: string): Promise<Handler> {
  const session = await connected(url);
  const inbox = new Inbox(session, "steps");
  return toListening((socket) => {
    const slot = inbox.open({
      borrows: true,
      onMessage({ data }) {
        const frame = toFrame("", data);
        if (frame.kind === "text") socket.send(frame.text);
      },
    });
    return {
      onMessage(data) {
        const bytes = typeof data === "string" ? Buffer.from(data) : new Uint8Array(data);
        session.publish(SUBJECT, bytes, { reply: slot.subject });
      },
      onClose: () => slot.release(),
    };
  });
}

if (import.meta.main) {
  const [step, natsUrl = ""] = Deno.args;
  const handlers: Record<keyof typeof SOCKET_STEPS, () => Handler | Promise<Handler>> = {
    upgrade: () => upgrade,
    listen: () => listen,
    lane: () => toLane(natsUrl),
  };
  const handler = await handlers[step as keyof typeof SOCKET_STEPS]();
  const onListen = ({ port }: Deno.NetAddr) => console.error(`listening on ${port}`);
  Deno.serve({ hostname: "127.0.0.1", port: 0, onListen }, handler);
}
