/**
 * What a client is to those who use it.
 *
 * @module
 */
import type { Gap, Message } from "./position.ts";
import type { ClientState, End } from "./state.ts";

/** What a client tells, by name. */
export interface ClientEvents {
  /** Something was sent to it. */
  readonly message: Message;
  /** Something is missing. */
  readonly gap: Gap;
  /** It does something else now. */
  readonly state: ClientState;
}

/** How a client has ended. */
export interface ClosedInfo extends End {
  /** True where its owner closed it; false where it gave up. */
  readonly isWanted: boolean;
}

/** A connection that outlives its sockets. */
export interface Client extends AsyncDisposable {
  /** What it is doing. */
  readonly state: ClientState;
  /** The subprotocol of the present socket; empty without one. */
  readonly protocol: string;
  /** How many messages wait to be sent or acknowledged. */
  readonly held: number;
  /** Resolves when it has ended, whoever ended it; never rejects. */
  readonly closed: Promise<ClosedInfo>;
  /**
   * Sends a message, now or when there is a connection.
   *
   * @param data Text, bytes, or anything that JSON can hold.
   * @param options `signal` takes it back while it has not been sent.
   * @returns The message's number in the stream, once that has it; where nothing is acknowledged, undefined, once the
   * platform has the message.
   * @throws {SendError} when it was not taken, or when nobody can say.
   * @throws {TypeError} when JSON cannot hold it.
   */
  send(data: unknown, options?: { readonly signal?: AbortSignal }): Promise<number | undefined>;
  /**
   * Listens.
   *
   * @param type What to.
   * @param listener Called with what happens.
   * @returns Ends it.
   */
  on<Type extends keyof ClientEvents>(
    type: Type,
    listener: (event: ClientEvents[Type]) => void,
  ): () => void;
  /** All messages from here on; ends when the client is closed, and throws where it gives up. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Message>;
  /**
   * Tries at once where it waits, and asks whether the gateway is there where it does not: for platforms that
   * lack `online` and `visibilitychange`.
   */
  wake(): void;
  /** Gives the present socket up for a new one. */
  reconnect(): void;
  /**
   * Ends it. What waits is rejected: await what was sent first.
   *
   * @param code 1000, or 3000 to 4999.
   * @param reason Cut to 123 bytes.
   * @returns When the gateway has answered, or two seconds are over.
   * @throws {RangeError} when it is another code; then nothing has ended.
   */
  close(code?: number, reason?: string): Promise<void>;
}
