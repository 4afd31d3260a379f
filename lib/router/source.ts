/**
 * What a router needs of the NATS client. Structural, so that it takes the objects of any build of
 * nats.js: `Msg`, `JsMsg`, `MsgHdrs`, `Subscription`, `ConsumerMessages`.
 *
 * @module
 */

/** Headers as the NATS client has them: `MsgHdrs`. Names are case-sensitive. */
export interface NatsHeaders extends Iterable<[string, string[]]> {
  /** The first value, or an empty string. */
  get(name: string): string;
  /** All values. */
  values(name: string): string[];
  /** All names. */
  keys(): string[];
  /** Whether there is a value. */
  has(name: string): boolean;
  /** Replaces the values by one. */
  set(name: string, value: string): void;
  /** Adds a value. */
  append(name: string, value: string): void;
  /** Removes the values. */
  delete(name: string): void;
}

/** What may go with an answer. */
export interface RespondOptions {
  /** From `headers()` of the NATS client. */
  readonly headers?: NatsHeaders;
  /** Where an answer to the answer would go. */
  readonly reply?: string;
}

/** A message of a core subscription: `Msg` of the NATS client. */
export interface CoreMessage {
  /** The subject that it was sent to. */
  readonly subject: string;
  /** The payload. */
  readonly data: Uint8Array;
  /** Undefined when it has none. */
  readonly headers?: NatsHeaders;
  /** Where the sender wants an answer, if it wants one. */
  readonly reply?: string;
  /** Sends an answer; returns false when nobody wants one. */
  respond(payload?: Uint8Array | string, options?: RespondOptions): boolean;
  /** Parses the payload as JSON. */
  json<T>(): T;
  /** The payload as text. */
  string(): string;
}

/** A message of a JetStream consumer: `JsMsg` of the NATS client. */
export interface JetStreamMessage {
  /** The subject that it was sent to. */
  readonly subject: string;
  /** The payload. */
  readonly data: Uint8Array;
  /** Undefined when it has none. */
  readonly headers: NatsHeaders | undefined;
  /** Its sequence number in the stream. */
  readonly seq: number;
  /** When the stream took it. */
  readonly time: Date;
  /** How it was delivered. */
  readonly info: {
    /** How often, this time included. */
    readonly deliveryCount: number;
    /** The name of the stream. */
    readonly stream: string;
    /** The name of the consumer. */
    readonly consumer: string;
  };
  /** Tells JetStream that it is done. */
  ack(): void;
  /** Asks JetStream to deliver it again, after as many milliseconds. */
  nak(delayMs?: number): void;
  /** Tells JetStream never to deliver it again. */
  term(reason?: string): void;
  /** Tells JetStream that it is still being handled, which starts the ack wait again. */
  working(): void;
  /** Parses the payload as JSON. */
  json<T>(): T;
  /** The payload as text. */
  string(): string;
}

/** A message as the NATS client gave it. `"ack" in message` tells which of the two it is. */
export type SourceMessage = CoreMessage | JetStreamMessage;

/** A core subscription without callback: `Subscription` of the NATS client. */
export interface CoreSource extends AsyncIterable<CoreMessage> {
  /** Takes no more messages, and resolves when those that have arrived are in the iterator. */
  drain(): Promise<void>;
  /** Whether it ended. */
  isClosed(): boolean;
}

/** What `consume` or `fetch` of a JetStream consumer gives: `ConsumerMessages`. */
export interface JetStreamSource {
  /** The messages. */
  [Symbol.asyncIterator](): AsyncIterator<JetStreamMessage>;
  /** Takes no more messages, and resolves when the iterator has ended. */
  close(): Promise<void | Error>;
}

/** What a router can listen to. `"drain" in source` tells which of the two it is. */
export type MessageSource = CoreSource | JetStreamSource;

/** {@link MessageSource}, for a router whose handlers take bytes; else a text that says so. */
export type SourceFor<Data> = Uint8Array extends Data ? MessageSource
  : "Cannot listen: the Data of this Router does not include Uint8Array";
