/**
 * What a browser, a telephone or a program imports to talk to a workload: a WebSocket that comes back, goes on where
 * it stopped or says what is missing, and knows of each message whether the stream has it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { connect } from "@h8s/gateway/client";
 *
 * const server = Deno.serve({ port: 0, onListen: () => {} }, (request) => {
 *   const { socket, response } = Deno.upgradeWebSocket(request, { protocol: "echo" });
 *   socket.onmessage = ({ data }) => socket.send(data);
 *   return response;
 * });
 * {
 *   await using client = connect(`http://localhost:${server.addr.port}/tea`, { protocols: ["echo"] });
 *   const sent = client.send({ hello: "world" });
 *   for await (const { data } of client) {
 *     assert.equal(data, '{"hello":"world"}');
 *     break;
 *   }
 *   await sent;
 * }
 * await server.shutdown();
 * ```
 *
 * @module
 */
import type { Client } from "./client.ts";
import type { ClientOptions } from "./options.ts";
import type { Address } from "./dialler.ts";
import { thisPlatform } from "./platform.ts";
import { ReconnectingClient } from "./reconnecting.ts";

export type { Advice } from "../mapping/close.ts";
export type { Client, ClientEvents, ClosedInfo } from "./client.ts";
export { ClientClosedError, SendError, type SendFailure } from "./errors.ts";
export type { ClientOptions } from "./options.ts";
export type { Gap, Message } from "./position.ts";
export type { Address } from "./dialler.ts";
export type { ClientState, End } from "./state.ts";
export type { Payload } from "./wire.ts";

/**
 * Connects, and stays connected until it is closed.
 *
 * @param address `ws:`, `wss:`, `http:` or `https:`, in a page also relative to it; or what tells it, asked for each
 * handshake.
 * @param options How it behaves.
 * @returns The client; it is connecting already.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { connect } from "@h8s/gateway/client";
 *
 * const client = connect("ws://localhost:9/nobody", { signal: AbortSignal.timeout(10) });
 * const { isWanted } = await client.closed;
 * assert.equal(isWanted, true);
 * ```
 */
export function connect(address: Address, options: ClientOptions = {}): Client {
  return new ReconnectingClient(address, options, thisPlatform());
}
