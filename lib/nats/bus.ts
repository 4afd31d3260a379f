/**
 * The small contract between NATS and everything above it. One implementation wraps the NATS
 * client; the suite in `tests/nats/bus_conformance.ts` runs over every implementation.
 *
 * @module
 */
import type { HeaderBlock } from "../mapping/headers.ts";

/** A message that came from NATS. */
export interface BusMessage {
  readonly subject: string;
  /** Where an answer goes; empty if none is wanted. */
  readonly reply: string;
  /** The NATS header block as latin-1 text, one character a byte; empty if there is none. */
  readonly headers: string;
  readonly data: Uint8Array;
  /** True where the data is overwritten once the handler has returned: {@link toKept} is what may be kept. */
  readonly isBorrowed?: boolean;
}

/** A message whose data stays as it is. */
export function toKept(message: BusMessage): BusMessage {
  if (!message.isBorrowed) return message;
  return { ...message, data: message.data.slice(), isBorrowed: false };
}

/** What a message may have besides subject and payload. */
export interface PublishOptions {
  /** Where an answer goes. */
  readonly reply?: string;
  /**
   * A NATS header block: latin-1 text, or what `encodeLatin1` made of it where many messages share it.
   */
  readonly headers?: HeaderBlock | Uint8Array;
  /**
   * Called once the payload's memory may be used again: it was copied, or the operating system has it. Never where
   * that is not known.
   */
  readonly onWritten?: (() => void) | undefined;
}

/** How a subscription shares its messages. */
export interface SubscribeOptions {
  /** The queue group: each message goes to one member of it. */
  readonly queue?: string;
  /**
   * The handler keeps nothing of a message but what {@link toKept} has given it: a copy of each costs more than
   * all else that is done for a short one. @default false: a message is the handler's own
   */
  readonly borrows?: boolean;
}

/** A subscription that can be ended. */
export interface BusSubscription {
  /** Ends it at once; messages under way are dropped. */
  unsubscribe(): void;
}

/**
 * Whether messages can pass.
 *
 * - `connecting`: never connected so far.
 * - `connected`
 * - `disconnected`: was connected, is trying again.
 * - `closed`: for good.
 */
export type BusState = "connecting" | "connected" | "disconnected" | "closed";

/** A connection to NATS as the layers above see it. */
export interface Bus {
  readonly state: BusState;
  /** The largest message, headers and payload together, in bytes; the server's `max_payload`. */
  readonly maxPayload: number;
  /** How often the connection came back after it had been lost. */
  readonly reconnects: number;
  /**
   * How many bytes were taken by {@link Bus.publish} that the operating system has not taken yet. It grows
   * without bound while NATS reads too slowly; whoever publishes for others bounds it. What the server has
   * not read yet besides, up to some MiB, waits in the system's own buffers and is not counted.
   */
  readonly unsentBytes: number;

  /**
   * Hands a message to the connection, without waiting for the server.
   *
   * @returns False when it was not taken because NATS is not connected: the caller still has it.
   */
  publish(subject: string, data: Uint8Array, options?: PublishOptions): boolean;

  /**
   * Subscribes; the subscription outlives the loss of the connection.
   *
   * @param onMessage Called for each message, in the order of the server.
   */
  subscribe(
    subject: string,
    onMessage: (message: BusMessage) => void,
    options?: SubscribeOptions,
  ): BusSubscription;

  /** Calls back at each change of {@link Bus.state}. */
  onState(listener: (state: BusState) => void): () => void;

  /**
   * Waits until the server has taken all that was published before.
   *
   * @throws {Error} when the connection is lost meanwhile.
   */
  flush(): Promise<void>;
}
