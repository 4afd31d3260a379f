/**
 * What comes for a client that has to hear of something older first.
 *
 * @module
 */
import { findHeader, parseHeaderBlock } from "../../mapping/headers.ts";
import { HEADER } from "../../mapping/names.ts";
import type { BusMessage } from "../../nats/bus.ts";

/** Messages in order, and how large they are. */
export class HeldBack {
  #messages: BusMessage[] = [];
  #bytes = 0;

  /** Adds one; returns how many bytes of payload wait now. */
  add(message: BusMessage): number {
    this.#messages.push(message);
    return this.#bytes += message.data.length;
  }

  /** Empties it. */
  takeAll(): BusMessage[] {
    const messages = this.#messages;
    this.#messages = [];
    this.#bytes = 0;
    return messages;
  }
}

/** The number that the stream gave a message that it republished. */
export function toSeq({ headers }: BusMessage): number {
  return Number(findHeader(parseHeaderBlock(headers), HEADER.natsSequence));
}
