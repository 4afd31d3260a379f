/**
 * The HTTP and the WebSocket client towards the backend, loaded when a daemon starts.
 *
 * @module
 */
import type { EventEmitter } from "node:events";
import type { ClientRequest } from "node:http";
import { PassThrough } from "node:stream";
import { withoutEnvironment } from "../without_environment.ts";

/** `undici`: takes path, query and `Host` as they are given, and sends nothing twice. */
export type Undici = typeof import("undici");

/** A WebSocket of `ws`, which brings no types of its own: what is used of it. */
export interface WsSocket extends EventEmitter {
  readonly readyState: 0 | 1 | 2 | 3;
  /** Bytes that the backend has not taken. */
  readonly bufferedAmount: number;
  /** `onTaken` is called when the system has taken it, or never will. */
  send(data: string | Uint8Array, onTaken?: () => void): void;
  /** Without a code, so is the close frame. */
  close(code?: number, reason?: string | Uint8Array): void;
  /** Hangs up. */
  terminate(): void;
  /** Reads no more until {@link WsSocket.resume}. */
  pause(): void;
  resume(): void;
}

/** `ws`: takes any header and any path, any close code, and can hang up. */
export interface Ws {
  readonly WebSocket: new (
    url: URL,
    protocols: readonly string[],
    options: {
      readonly headers: Readonly<Record<string, string | string[]>>;
      readonly ca?: string | undefined;
      readonly perMessageDeflate: false;
      readonly maxPayload: number;
      readonly handshakeTimeout: number;
      readonly finishRequest: (request: ClientRequest) => void;
    },
  ) => WsSocket;
}

/** Both. */
export interface Libraries {
  readonly undici: Undici;
  readonly ws: Ws;
}

/**
 * Loads them. Both look for switches in the environment, which the program has no permission to read: they
 * find an empty one instead. undici does so as late as with its first connection; so it makes one here.
 */
export function loadLibraries(): Promise<Libraries> {
  return withoutEnvironment(async () => {
    const [undici, ws] = await Promise.all([import("undici"), import("ws")]);
    await connectOnce(undici);
    return { undici, ws };
  });
}

/** To nobody. */
async function connectOnce({ Client }: Undici): Promise<void> {
  const socket = new PassThrough();
  const client = new Client("http://localhost", {
    connect: (_options, callback) => callback(null, socket as never),
  });
  const { promise, resolve } = Promise.withResolvers<void>();
  client.once("connect", () => resolve());
  client.request({ path: "/", method: "GET" }).catch(() => {});
  await promise;
  await client.destroy();
}
