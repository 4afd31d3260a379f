/**
 * Closing a server's WebSocket so that the client learns why.
 *
 * @module
 */
import { type CloseInfo, NO_STATUS } from "../../mapping/close.ts";

/**
 * Closes a socket from our side and reads on until the client has answered (RFC 6455 §7.1.1).
 *
 * Deno's server sockets drop the TCP connection at the first message that was under way when
 * `close()` was called, often before the close frame has left; its client sockets read on. Which of
 * the two a socket is stands in a property of its own, and only until the answer has come it is
 * made to say "client". Where a release of Deno has no such property, its own behaviour is left.
 *
 * @param socket An open socket of `Deno.upgradeWebSocket`.
 * @param options `code` and `reason` of the close frame; 1005 for one without.
 * @returns Hangs up on a client that does not answer.
 */
export function closeWithHandshake(
  socket: WebSocket,
  { code, reason }: CloseInfo,
): () => void {
  if (code === NO_STATUS) socket.close();
  else socket.close(code, reason);
  const role = findInternal(socket, "role");
  if (role === undefined || Reflect.get(socket, role) !== SERVER) return () => {};
  Reflect.set(socket, role, CLIENT);
  return () => {
    Reflect.set(socket, role, SERVER);
    hangUp(socket);
  };
}

const SERVER = 0;
const CLIENT = 1;
/** Next to nothing, in seconds; 0 would be none at all. */
const AT_ONCE = 0.001;

/**
 * Ends the TCP connection of a socket that is closing, which Deno itself leaves to the client: one that stays
 * silent would hold it for ever, and no limit would count it. Deno does end it where a ping gets no
 * answer; so the socket is made to look open, and the time for an answer to have passed.
 */
function hangUp(socket: WebSocket): void {
  const idleTimeout = findInternal(socket, "idleTimeout");
  const readyState = findInternal(socket, "readyState");
  const watch = findInternal(WebSocket.prototype, "serverHandleIdleTimeout");
  if (idleTimeout === undefined || readyState === undefined || watch === undefined) return;
  if (Reflect.get(socket, readyState) !== WebSocket.CLOSING) return;
  Reflect.set(socket, idleTimeout, AT_ONCE);
  Reflect.set(socket, readyState, WebSocket.OPEN);
  Reflect.get(socket, watch).call(socket);
}

function findInternal(object: object, name: string): symbol | undefined {
  return Object.getOwnPropertySymbols(object).find(({ description }) =>
    description === `[[${name}]]`
  );
}
