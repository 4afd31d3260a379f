/**
 * A WebSocket to nats-server, as the socket that it stands for.
 *
 * @module
 */
import type { EventEmitter } from "node:events";
import type { Duplex } from "node:stream";
import type { ConnectionOptions as TlsOptions } from "node:tls";
import { withoutEnvironment } from "../../without_environment.ts";

/** `ws`, which brings no types of its own: what is used of it. */
interface Ws {
  readonly WebSocket: new (
    url: string,
    options: TlsOptions & {
      readonly perMessageDeflate: false;
      readonly maxPayload: 0;
    },
  ) => EventEmitter;
  createWebSocketStream(socket: EventEmitter): Duplex;
}

const { WebSocket, createWebSocketStream } = await withoutEnvironment(
  async () => await import("ws") as unknown as Ws,
);

/**
 * Opens one by `ws`, which unlike the platform's own takes certificates, tells how much the system has not
 * taken yet, and hangs up at once.
 *
 * @returns Its bytes; as a socket does, it says `"connect"` when it is open.
 */
export function openWebSocket(url: string, tls: TlsOptions): Duplex {
  // The server sends all that waits in one frame.
  const socket = new WebSocket(url, { ...tls, perMessageDeflate: false, maxPayload: 0 });
  const stream = createWebSocketStream(socket);
  socket.once("open", () => stream.emit("connect"));
  return stream;
}
