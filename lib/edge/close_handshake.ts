/**
 * Closing a server's WebSocket so that the client learns why.
 *
 * @module
 */

/**
 * Closes a socket from our side and reads on until the client has answered (RFC 6455 §7.1.1).
 *
 * Deno's server sockets drop the TCP connection at the first message that was under way when
 * `close()` was called, often before the close frame has left; its client sockets read on. Which of
 * the two a socket is stands in a property of its own, and only until the answer has come it is
 * made to say "client". Where a release of Deno has no such property, its own behaviour is left.
 *
 * @param socket An open socket of `Deno.upgradeWebSocket`.
 * @param options `code` and `reason` of the close frame.
 * @returns Stops reading on: the next message drops the connection. For a client that does not answer.
 */
export function closeWithHandshake(
  socket: WebSocket,
  { code, reason }: { code: number; reason: string },
): () => void {
  socket.close(code, reason);
  const key = Object.getOwnPropertySymbols(socket).find(isRole);
  if (key === undefined) return () => {};
  const role: unknown = Reflect.get(socket, key);
  if (role !== SERVER) return () => {};
  Reflect.set(socket, key, CLIENT);
  return () => Reflect.set(socket, key, SERVER);
}

const SERVER = 0;
const CLIENT = 1;

function isRole({ description }: symbol): boolean {
  return description === "[[role]]";
}
