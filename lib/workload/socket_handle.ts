/**
 * The handle of a WebSocket connection that handlers get.
 *
 * @module
 */
import { type Incoming, toRequestUrl } from "../mapping/incoming.ts";
import { isResumeInbox } from "../mapping/resume.ts";
import { type KnownConnection, toCloseBlock } from "../mapping/socket_message.ts";
import { encodeLatin1 } from "../mapping/latin1.ts";
import { awayError, publishMessage, toIgnorable, toMessage } from "./client_message.ts";
import type { Link } from "./link.ts";
import type { SendWindows } from "./send_windows.ts";
import type { SocketConnection } from "./socket/socket_handlers.ts";
import type { PathTokens } from "../mapping/subject.ts";

const EMPTY = new Uint8Array();
const DONE = Promise.resolve();

/** What a handle is made of. */
export interface SocketIdentity {
  readonly id: string;
  readonly inbox: string;
  readonly subject: string;
  /** The gateway that holds it; empty where that is none of ours. */
  readonly gateway: string;
}

/** What all handles share. */
export interface SocketHandleParts {
  readonly link: Link;
  readonly windows: SendWindows;
}

/** A {@link SocketConnection} that is nothing but its inbox and its handshake. */
export class SocketHandle implements SocketConnection {
  readonly #parts: SocketHandleParts;
  readonly #inbox: string;
  readonly #isPaced: boolean;
  readonly #toRequest: () => Request;
  #request: Request | undefined;

  readonly id: string;
  readonly subject: string;

  /** @param toRequest Makes the handshake, when somebody looks at it. */
  constructor(
    parts: SocketHandleParts,
    { id, inbox, subject, gateway }: SocketIdentity,
    toRequest: () => Request,
  ) {
    this.#parts = parts;
    // The gateway in Go grants nothing, and a stream does not know when a client has taken what it keeps.
    this.#isPaced = gateway !== "" && !isResumeInbox(inbox);
    this.#inbox = inbox;
    this.#toRequest = toRequest;
    this.id = id;
    this.subject = subject;
  }

  get request(): Request {
    return this.#request ??= this.#toRequest();
  }

  send(data: string | Uint8Array): Promise<void> {
    const message = toMessage(data);
    const { link, windows } = this.#parts;
    if (this.#isPaced) return windows.send(this.#inbox, message);
    return publishMessage(link, this.#inbox, message) ? DONE : toIgnorable(awayError());
  }

  close(code = 1000, reason = ""): boolean {
    const headers = encodeLatin1(toCloseBlock({ code, reason }));
    return this.#parts.link.publish(this.#inbox, EMPTY, { headers });
  }
}

/**
 * A handshake from the headers of a message or an event.
 *
 * @param place `host` and `pathTokens` stand in for what they do not tell.
 * @throws {TypeError} when no request can be made of it.
 */
export function toHandshake(
  incoming: Incoming,
  place: { host: string; pathTokens: PathTokens },
): Request {
  const headers = incoming.headers as [string, string][];
  return new Request(toRequestUrl(incoming, place), { headers });
}

/**
 * What is known of a handshake when only the registry remembers the connection.
 *
 * @returns A request without the client's headers.
 */
export function toKnownHandshake({ host, path, query, remote }: KnownConnection): Request {
  const url = `http://${host}${path}${query === "" ? "" : `?${query}`}`;
  return new Request(url, { headers: { host, "x-forwarded-for": remote } });
}
