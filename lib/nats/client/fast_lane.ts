/**
 * The way of hot messages past the client library, on its own socket: messages are written into the same
 * output, and those of one's own subscriptions are taken out of what comes. The library keeps the rest:
 * connecting, logging in, pings, subscribing again.
 *
 * @module
 */
import { errors } from "@nats-io/nats-core";
import type { PublishOptions } from "../bus.ts";
import type { MessageTaker } from "./protocol_splitter.ts";
import type { Output } from "./output.ts";

/** What would be read as another word, or another command. */
const BLANK = /[ \n\r\t]/;

/** Outlives connections: each new one is told where the lane is. */
export class FastLane {
  /** False where everything goes through the client library, and only the bytes are counted here. */
  readonly isOn: boolean;
  /** Told why what came could not be read; then the socket has gone. */
  readonly onFault: (error: unknown) => void;
  readonly #takers = new Map<number, MessageTaker>();
  #output: Output | undefined;

  /**
   * @param options `isOn`: whether messages take it; `onFault`: told why what came could not be read.
   */
  constructor(
    { isOn, onFault = () => {} }: { isOn: boolean; onFault?: (error: unknown) => void },
  ) {
    this.isOn = isOn;
    this.onFault = onFault;
  }

  /** The subscriptions whose messages take it, by their number in the protocol. */
  get takers(): ReadonlyMap<number, MessageTaker> {
    return this.#takers;
  }

  /** False while there is no socket, or one that is not the lane's. */
  get isOpen(): boolean {
    return this.#output !== undefined;
  }

  /** How many bytes the system has not taken yet. */
  get unsentBytes(): number {
    return this.#output?.unsentBytes ?? 0;
  }

  /**
   * Takes the messages of a subscription.
   *
   * @param sid Its number, which it keeps when it is made again after a reconnect.
   * @returns Leaves them to the client library again.
   */
  take(sid: number, taker: MessageTaker): () => void {
    this.#takers.set(sid, taker);
    return () => this.#takers.delete(sid);
  }

  /**
   * Writes a message.
   *
   * @param message What, where to, and with which reply subject and headers.
   * @param maxPayload The most bytes that the server takes.
   * @returns False when there is no connection.
   * @throws {InvalidSubjectError} when a subject is none.
   * @throws {InvalidArgumentError} when it is too large.
   */
  publish(
    { subject, data, options: { reply, headers, onWritten } }: {
      subject: string;
      data: Uint8Array;
      options: PublishOptions;
    },
    maxPayload: number,
  ): boolean {
    const output = this.#output;
    if (output === undefined) return false;
    checkSubject(subject);
    if (reply !== undefined) checkSubject(reply);
    if (data.length + (headers?.length ?? 0) > maxPayload) {
      throw errors.InvalidArgumentError.format("payload", "max_payload size exceeded");
    }
    const to = reply === undefined ? subject : `${subject} ${reply}`;
    if (headers === undefined) {
      output.add(`PUB ${to} ${data.length}\r\n`, { data, onWritten });
      return true;
    }
    const line = `HPUB ${to} ${headers.length} ${headers.length + data.length}\r\n`;
    if (typeof headers === "string") output.add(line + headers, { data, onWritten });
    else output.add(line, { headers, data, onWritten });
    return true;
  }

  /** There is a connection. */
  open(output: Output): void {
    this.#output = output;
  }

  /**
   * A connection is gone.
   *
   * @param output Of that one; a newer one stays.
   */
  close(output: Output): void {
    if (this.#output === output) this.#output = undefined;
  }
}

function checkSubject(subject: string): void {
  if (subject === "" || BLANK.test(subject)) throw new errors.InvalidSubjectError(subject);
}
