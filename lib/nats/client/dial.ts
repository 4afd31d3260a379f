/**
 * Connections of the client library over this project's own transport, whatever else in the process uses
 * the library.
 *
 * @module
 */
import { type ConnectionOptions, errors } from "@nats-io/nats-core";
import { deferred, NatsConnectionImpl, ProtocolHandler } from "@nats-io/nats-core/internal";
import type { FastLane } from "./fast_lane.ts";
import { checkPrivateParts } from "./private_parts.ts";
import { SocketTransport } from "./transport.ts";

/** The library keeps it to itself, since it dials at once, with the factory of the process. */
const Connection = NatsConnectionImpl as unknown as new (
  options: ConnectionOptions,
) => NatsConnectionImpl;

/**
 * Connects over TCP, TLS or WebSockets, and later connects again in the same way.
 *
 * @param lane Opened whenever there is a connection; @default none: all goes through the library
 * @throws {Error} when no server can be reached, or the client library is not the one that we know.
 */
export async function dial(
  options: ConnectionOptions,
  lane?: FastLane,
): Promise<NatsConnectionImpl> {
  // Names are resolved by the socket.
  const connection = new Connection({ ...options, resolve: false });
  const protocol = connection.protocol = new ProtocolHandler(connection.options, connection);
  checkPrivateParts(protocol);
  protocol["prepare"] = () => prepare(protocol, new SocketTransport(lane));
  await protocol.dialLoop();
  return connection;
}

/**
 * What the library does before it dials, without its factory of transports: that is one for the whole
 * process, and whoever connected last has set it, also for the reconnects of all others.
 */
function prepare(protocol: ProtocolHandler, transport: SocketTransport): Promise<void> {
  // Undefined the first time, whatever its type says.
  (protocol.transport as SocketTransport | undefined)?.discard();
  delete protocol.info;
  protocol.resetOutbound();
  const pong = deferred<void>();
  // It may be rejected before anybody waits for it.
  pong.catch(() => {});
  protocol.pongs.unshift(pong);
  protocol.connectError = (error) => pong.reject(error);
  protocol.transport = transport;
  void transport.closed().then(() => {
    protocol.connected = false;
    if (protocol.isClosed()) return;
    return protocol.disconnected(transport.closeError ?? protocol.lastError);
  });
  return pong;
}

/**
 * Tells a login that is refused from a server that is not there.
 *
 * @returns What the server said; undefined where it is about something else.
 */
export function toRefusal(error: unknown): string | undefined {
  return error instanceof errors.AuthorizationError ||
      error instanceof errors.UserAuthenticationExpiredError
    ? error.message
    : undefined;
}
