/**
 * The handle of a WebSocket connection that handlers get.
 *
 * @module
 */
import { type Incoming, toRequestUrl } from "../mapping/incoming.ts";
import { type KnownConnection, toCloseBlock, toSendBlock } from "../mapping/socket_message.ts";
import { encodeLatin1 } from "../nats/client/wire.ts";
import type { Link } from "./link.ts";
import type { SocketConnection } from "./socket/socket_handlers.ts";

const EMPTY = new Uint8Array();

/** What a handle is made of. */
export interface SocketIdentity {
  readonly id: string;
  readonly inbox: string;
  readonly subject: string;
}

/** A {@link SocketConnection} that is nothing but its inbox and its handshake. */
export class SocketHandle implements SocketConnection {
  readonly #link: Link;
  readonly #inbox: string;
  readonly #toRequest: () => Request;
  #request: Request | undefined;

  readonly id: string;
  readonly subject: string;

  /**
   * @param link The connection to NATS.
   * @param identity Whose handle this is.
   * @param toRequest Makes the handshake, when somebody looks at it.
   */
  constructor(link: Link, { id, inbox, subject }: SocketIdentity, toRequest: () => Request) {
    this.#link = link;
    this.#inbox = inbox;
    this.#toRequest = toRequest;
    this.id = id;
    this.subject = subject;
  }

  get request(): Request {
    return this.#request ??= this.#toRequest();
  }

  send(data: string | Uint8Array): boolean {
    return sendTo(this.#link, this.#inbox, data);
  }

  close(code = 1000, reason = ""): boolean {
    const headers = encodeLatin1(toCloseBlock(code, reason));
    return this.#link.publish(this.#inbox, EMPTY, { headers });
  }
}

/**
 * Sends a message to a connection.
 *
 * @param link The connection to NATS.
 * @param inbox Of the WebSocket connection.
 * @param data Text becomes a text message, bytes a binary one.
 * @returns False when NATS is away.
 * @throws {RangeError} when it is larger than NATS can carry.
 */
export function sendTo(link: Link, inbox: string, data: string | Uint8Array): boolean {
  const isText = typeof data === "string";
  const bytes = isText ? new TextEncoder().encode(data) : data;
  const headers = encodeLatin1(toSendBlock(isText ? "text" : "binary"));
  const room = link.maxPayload - headers.length;
  if (bytes.length > room) {
    throw new RangeError(`Cannot send ${bytes.length} bytes: at most ${room} fit in a message`);
  }
  return link.publish(inbox, bytes, { headers });
}

/**
 * A handshake from the headers of a message or an event.
 *
 * @param incoming The headers.
 * @param place `host` and `pathTokens` stand in for what they do not tell.
 * @returns The handshake.
 * @throws {TypeError} when no request can be made of it.
 */
export function toHandshake(
  incoming: Incoming,
  place: { host: string; pathTokens: string },
): Request {
  const headers = incoming.headers as [string, string][];
  return new Request(toRequestUrl(incoming, place), { headers });
}

/**
 * What is known of a handshake when only the registry remembers the connection.
 *
 * @param connection From the registry.
 * @returns A request without the client's headers.
 */
export function toKnownHandshake({ host, path, query, remote }: KnownConnection): Request {
  const url = `http://${host}${path}${query === "" ? "" : `?${query}`}`;
  return new Request(url, { headers: { host, "x-forwarded-for": remote } });
}
