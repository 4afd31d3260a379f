/**
 * What a workload publishes to the inbox of a WebSocket connection.
 *
 * @module
 */
import type { FrameKind } from "../mapping/frame.ts";
import { toSendBlock } from "../mapping/socket_message.ts";
import { encodeLatin1 } from "../mapping/latin1.ts";
import { type Link, LinkLostError } from "./link.ts";

/** A message for a client. */
export interface ClientMessage {
  readonly kind: FrameKind;
  readonly bytes: Uint8Array;
}

/**
 * Makes a message of what an application sends.
 *
 * @param data Text becomes a text message, bytes a binary one.
 */
export function toMessage(data: string | Uint8Array): ClientMessage {
  return typeof data === "string"
    ? { kind: "text", bytes: new TextEncoder().encode(data) }
    : { kind: "binary", bytes: data };
}

/**
 * Publishes a message.
 *
 * @param message With `reply`, the gateway is asked to say there when the client has taken it.
 * @returns False when NATS is away.
 * @throws {RangeError} when it is larger than NATS can carry.
 */
export function publishMessage(
  link: Link,
  inbox: string,
  { kind, bytes, reply }: ClientMessage & { readonly reply?: string },
): boolean {
  const headers = encodeLatin1(toSendBlock(kind, reply !== undefined));
  const room = link.maxPayload - headers.length;
  if (bytes.length > room) {
    throw new RangeError(`Cannot send ${bytes.length} bytes: at most ${room} fit in a message`);
  }
  return link.publish(inbox, bytes, { headers, ...(reply === undefined ? {} : { reply }) });
}

/** Why a message was not sent. */
export function awayError(): LinkLostError {
  return new LinkLostError("Cannot send: NATS is away");
}

/** A rejection that nobody has to look at. */
export function toIgnorable(error: Error): Promise<never> {
  const promise = Promise.reject(error);
  promise.catch(() => {});
  return promise;
}
