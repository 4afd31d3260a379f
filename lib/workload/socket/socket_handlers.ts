/**
 * What an application says about WebSockets, and what it gets in its hands.
 *
 * @module
 */

/**
 * A client's WebSocket, held by a gateway. This is a handle, not a state: it can be made anew from any
 * message, so that any replica can serve any connection. What the application remembers of a
 * connection belongs where all replicas find it, under {@link SocketConnection.id}.
 */
export interface SocketConnection {
  /** Unique among all connections of all gateways. */
  readonly id: string;
  /** What the connection's messages are published to. */
  readonly subject: string;
  /**
   * The handshake. After a gateway was lost, only its URL and its host are known.
   *
   * @throws {TypeError} when no request can be made of it.
   */
  readonly request: Request;
  /**
   * Sends a message to the client, at once. Whoever sends much awaits it, and so goes no faster than the
   * client takes it; whoever sends little need not.
   *
   * @param data Text becomes a text message, bytes a binary one.
   * @returns Resolves when at most 256 KiB of what this replica has sent to the client wait for it: at once,
   * for most. That does not say that it arrived. It rejects with a `ConnectionClosedError` where it waits
   * and the connection ends, with a `LinkLostError` where NATS is away; a rejection that nobody
   * awaits does no harm. Behind the gateway in Go, and for a connection that can be resumed, it waits
   * for nothing.
   * @throws {RangeError} at once, when it is larger than NATS can carry.
   */
  send(data: string | Uint8Array): Promise<void>;
  /**
   * Closes the socket. Its end is told to the `close` handler as any other.
   *
   * @param code 1000, 1001–1003, 1007–1013 or 3000–4999.
   * @param reason Cut to 123 bytes.
   * @returns False when NATS is away and the socket stays open.
   * @throws {RangeError} when a close frame may not carry the code.
   * @default code 1000
   */
  close(code?: number, reason?: string): boolean;
}

/**
 * What to do with the WebSockets of a path. The handlers of one connection run one after another in
 * each replica; those of different connections side by side.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import type { SocketHandlers } from "./socket_handlers.ts";
 *
 * const echo: SocketHandlers = {
 *   message: (conn, data) => conn.send(data),
 * };
 * assert.ok(echo.message);
 * ```
 */
export interface SocketHandlers {
  /**
   * A client has connected. One replica of the group is told.
   *
   * @param conn The connection.
   */
  open?(conn: SocketConnection): void | Promise<void>;
  /**
   * A client has sent a message. One replica of the group is told, not always the same.
   *
   * @param conn The connection.
   * @param data Text or bytes, as the client sent it.
   */
  message?(conn: SocketConnection, data: string | Uint8Array): void | Promise<void>;
  /**
   * A connection has ended, by whomever. One replica of the group is told.
   *
   * @param conn The connection; what is sent to it reaches nobody.
   * @param code Of RFC 6455 §7.4; 1006 when the client vanished or its gateway was lost.
   * @param reason Empty if none was given.
   */
  close?(conn: SocketConnection, code: number, reason: string): void | Promise<void>;
}
