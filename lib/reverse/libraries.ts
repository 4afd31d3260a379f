/**
 * The HTTP and the WebSocket client towards the backend, loaded when a daemon starts.
 *
 * @module
 */
import process from "node:process";
import { PassThrough } from "node:stream";

/** `undici`: takes path, query and `Host` as they are given, and sends nothing twice. */
export type Undici = typeof import("undici");

/** `ws`: any header, any close code, and hanging up. */
// @ts-types="npm:@types/ws@^8.18.1"
export type Ws = typeof import("ws");

/** Both. */
export interface Libraries {
  readonly undici: Undici;
  readonly ws: Ws;
}

/**
 * Loads them. Both look for switches in the environment, which the program has no permission to read: they
 * find an empty one instead. undici does so as late as with its first connection; so it makes one here.
 *
 * @returns The libraries.
 */
export async function loadLibraries(): Promise<Libraries> {
  const { env } = process;
  process.env = {};
  try {
    const [undici, ws] = await Promise.all([import("undici"), import("ws")]);
    await connectOnce(undici);
    return { undici, ws };
  } finally {
    process.env = env;
  }
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
