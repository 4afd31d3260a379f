/**
 * Messages in and out of the NATS client, headers as bytes.
 *
 * Header values are bytes (latin-1), but the client library reads and writes them as UTF-8. Hence
 * the two places that go below its public interface: where it asks headers to encode themselves, and
 * where the header block of a message is taken as it came.
 *
 * @module
 */
import type { Msg, MsgHdrs, NatsConnection } from "@nats-io/nats-core";
import { hasWsProtocol, type MsgImpl, type NatsConnectionImpl } from "@nats-io/nats-core/internal";
import type { BusMessage, PublishOptions, SubscribeOptions } from "../bus.ts";
import { decodeLatin1, encodeLatin1 } from "../../mapping/latin1.ts";
import { FastLane } from "./fast_lane.ts";
import { toUrl } from "./server_url.ts";

/** Told what was thrown where a message was taken, or a change of the session itself. */
export type OnSessionFault = (stage: "message" | "session", error: unknown) => void;

/**
 * Publishes on a connection.
 *
 * @param message What, where to, and with which reply subject and headers.
 */
export function publishOn(
  connection: NatsConnection,
  { subject, data, options: { reply, headers } = {} }: {
    subject: string;
    data: Uint8Array;
    options?: PublishOptions;
  },
): void {
  connection.publish(subject, data, {
    ...(reply === undefined ? {} : { reply }),
    ...(headers === undefined ? {} : { headers: toMsgHdrs(headers) }),
  });
}

/**
 * Subscribes on a connection.
 *
 * @param subscription To what, and who gets the messages and the errors; and the lane that its
 * messages take where there is one.
 * @returns Ends the subscription at once.
 */
export function subscribeOn(
  connection: NatsConnection,
  { subject, onMessage, onError, onFault, options = {}, lane }: {
    subject: string;
    onMessage: (message: BusMessage) => void;
    onError: (error: Error) => void;
    onFault: OnSessionFault;
    options?: SubscribeOptions;
    lane: FastLane;
  },
): () => void {
  // What is thrown here would end the reading of the whole connection.
  const handle = (message: BusMessage) => {
    try {
      onMessage(message);
    } catch (thrown) {
      onFault("message", thrown);
    }
  };
  const subscription = connection.subscribe(subject, {
    ...options,
    callback: (error, message) => error === null ? handle(toOwn(message)) : onError(error),
  });
  const taker = { onMessage: handle, borrows: options.borrows ?? false };
  const leave = lane.take(subscription.getID(), taker);
  return () => {
    leave();
    subscription.unsubscribe();
  };
}

/**
 * Hands what the client library holds back for this turn of the event loop to its socket, so that it stays
 * before what takes the fast lane.
 */
export function flushPending(connection: NatsConnection): void {
  (connection as NatsConnectionImpl).protocol["flushPending"]();
}

/**
 * Counts what the client library holds back.
 *
 * @returns Bytes that have not reached its socket.
 */
export function pendingBytesOf(connection: NatsConnection): number {
  return (connection as NatsConnectionImpl).protocol.outbound.size();
}

/** The lane of a connection over our own transport; undefined of any other. */
export function laneOf(connection: NatsConnection): FastLane | undefined {
  const { protocol } = connection as Partial<NatsConnectionImpl>;
  const { lane } = (protocol?.transport ?? {}) as { lane?: unknown };
  return lane instanceof FastLane ? lane : undefined;
}

/** Whether it is connected and logged in: what is written before that breaks the login. */
export function isLoggedIn(connection: NatsConnection): boolean {
  return (connection as NatsConnectionImpl).protocol.connected;
}

/** Where the server is that a connection is to. */
export function urlOf(connection: NatsConnection): string {
  const { options, protocol } = connection as NatsConnectionImpl;
  const src = protocol.getServer()?.src;
  return src !== undefined && hasWsProtocol(options)
    ? toUrl(src, options.servers)
    : connection.getServer();
}

function toMsgHdrs(headers: string | Uint8Array): MsgHdrs {
  const bytes = typeof headers === "string" ? encodeLatin1(headers) : headers;
  return new EncodedHeaders(bytes).asMsgHdrs();
}

/** A header block that is encoded already. */
class EncodedHeaders {
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  encode(): Uint8Array {
    return this.#bytes;
  }

  asMsgHdrs(): MsgHdrs {
    return this as unknown as MsgHdrs;
  }
}

/** The library's are parts of what it has read: whoever gives the memory of one back would take it from others. */
function toOwn(message: Msg): BusMessage {
  const { data, ...rest } = toBusMessage(message);
  return { ...rest, data: new Uint8Array(data) };
}

/** A message with its header block as it came. */
export function toBusMessage(message: Msg): BusMessage {
  const { _msg, _rdata, subject, reply, data } = message as MsgImpl;
  const headers = _msg.hdr > 0 ? decodeLatin1(_rdata.subarray(0, _msg.hdr)) : "";
  return { subject, reply: reply ?? "", headers, data };
}
