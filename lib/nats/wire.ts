/**
 * Messages in and out of the NATS client, headers as bytes.
 *
 * Header values are bytes (latin-1), but the client library reads and writes them as UTF-8. Hence
 * the two places that go below its public interface: where it asks headers to encode themselves, and
 * where the header block of a message is taken as it came.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { Msg, MsgHdrs, NatsConnection } from "@nats-io/nats-core";
import type { MsgImpl, NatsConnectionImpl } from "@nats-io/nats-core/internal";
import type { BusMessage, PublishOptions, SubscribeOptions } from "./bus.ts";

/**
 * Publishes on a connection.
 *
 * @param connection Of the NATS client.
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
    ...(headers === undefined ? {} : { headers: new EncodedHeaders(headers).asMsgHdrs() }),
  });
}

/**
 * Subscribes on a connection.
 *
 * @param connection Of the NATS client.
 * @param subscription To what, and who gets the messages and the errors.
 * @returns Ends the subscription at once.
 */
export function subscribeOn(
  connection: NatsConnection,
  { subject, onMessage, onError, options = {} }: {
    subject: string;
    onMessage: (message: BusMessage) => void;
    onError: (error: Error) => void;
    options?: SubscribeOptions;
  },
): () => void {
  const subscription = connection.subscribe(subject, {
    ...options,
    callback: (error, message) => {
      if (error !== null) return onError(error);
      // What is thrown here would end the reading of the whole connection.
      try {
        onMessage(toBusMessage(message));
      } catch (thrown) {
        onError(thrown instanceof Error ? thrown : new Error(String(thrown)));
      }
    },
  });
  return () => subscription.unsubscribe();
}

/**
 * Counts what waits in the client and in its socket.
 *
 * @param connection Of the NATS client.
 * @returns Bytes that the operating system has not taken yet.
 */
export function unsentBytesOf(connection: NatsConnection): number {
  const { outbound, transport } = (connection as NatsConnectionImpl).protocol;
  const { socket } = transport as { socket?: { writableLength: number } };
  return outbound.size() + (socket?.writableLength ?? 0);
}

/**
 * Ends the socket of a connection whose server hangs, so that the client looks for another. The
 * client itself would first wait for the server to take what is unsent.
 *
 * @param connection Of the NATS client.
 */
export function dropSocket(connection: NatsConnection): void {
  const { transport } = (connection as NatsConnectionImpl).protocol;
  (transport as { socket?: { destroy(): void } }).socket?.destroy();
}

/**
 * Encodes text as latin-1, one byte a character, as header blocks are.
 *
 * @param text Characters up to U+00FF.
 * @returns The bytes.
 */
export function encodeLatin1(text: string): Uint8Array {
  return Buffer.from(text, "latin1");
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

/**
 * A message with its header block as it came.
 *
 * @param message Of the NATS client.
 * @returns The same as bytes.
 */
export function toBusMessage(message: Msg): BusMessage {
  const { _msg, _rdata, subject, reply, data } = message as MsgImpl;
  const headers = _msg.hdr > 0
    ? Buffer.from(_rdata.buffer, _rdata.byteOffset, _msg.hdr).toString("latin1")
    : "";
  return { subject, reply: reply ?? "", headers, data };
}
