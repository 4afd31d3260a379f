/**
 * What a WebSocket client is sent, and whether it takes it.
 *
 * @module
 */
import type { Deadline } from "../limits/deadlines.ts";
import type { EdgeParts } from "../parts.ts";
import { SendCredit } from "./send_credit.ts";
import { SendQueue } from "./send_queue.ts";

/** The platform shows that a message was taken when the whole of it was; so a large one may take longer. */
const SLOWEST_BYTES_PER_SECOND = 64 * 1024;

/** Whose client it is. */
export interface DownlinkOwner {
  /** The client has taken nothing for too long, or too much waits for it. */
  onSlow(): void;
}

/** What it takes. */
export type DownlinkParts = Pick<EdgeParts, "bus" | "config" | "deadlines" | "sendingToSockets">;

/** Watches its socket only while something waits for the client: a burst that is read is no fault. */
export class Downlink {
  readonly #parts: DownlinkParts;
  readonly #owner: DownlinkOwner;
  readonly #queue: SendQueue;
  #credit: SendCredit | undefined;
  #deadline: Deadline | undefined;
  /** Since somebody looked; messages that were sent meanwhile included. */
  #waiting = 0;
  #largest = 0;

  constructor(socket: WebSocket, parts: DownlinkParts, owner: DownlinkOwner) {
    const budget = parts.sendingToSockets;
    this.#queue = new SendQueue(socket, { budget, onExceeded: () => owner.onSlow() });
    this.#parts = parts;
    this.#owner = owner;
  }

  /** For those who send no faster than the client takes. */
  get credit(): SendCredit {
    return this.#credit ??= new SendCredit(this.#parts.bus, () => this.#queue.waiting);
  }

  /**
   * Sends a message.
   *
   * @returns False when too much waits for the client.
   */
  send(data: string | Uint8Array, length: number): boolean {
    const room = this.#parts.config().wsSendLimit - length;
    if (!this.#queue.isBelow(room + 1) && this.#queue.waiting > 0) {
      this.#owner.onSlow();
      return false;
    }
    this.#queue.send(data as string | Uint8Array<ArrayBuffer>, length);
    this.#onSent(length);
    return true;
  }

  /** The socket is about to be closed: all of it goes before that, unless the client takes nothing. */
  end({ isSlow }: { isSlow: boolean }): void {
    if (isSlow) this.#queue.clear();
    else this.#queue.flush();
  }

  /** The socket is gone. */
  close(): void {
    this.#deadline?.stop();
    this.#credit?.close();
    this.#queue.clear();
  }

  #onSent(bytes: number): void {
    this.#credit?.onSent(bytes);
    this.#largest = Math.max(this.#largest, bytes);
    if (this.#deadline !== undefined) {
      this.#waiting += bytes;
      return;
    }
    this.#deadline = this.#parts.deadlines.create(() => this.#look());
    this.#watch();
  }

  #look(): void {
    const { waiting } = this.#queue;
    if (waiting === 0) {
      this.#deadline = undefined;
      this.#largest = 0;
    } else if (waiting < this.#waiting) {
      this.#watch();
    } else {
      this.#owner.onSlow();
    }
  }

  #watch(): void {
    this.#waiting = this.#queue.waiting;
    const { wsSendTimeout } = this.#parts.config();
    this.#deadline!.start(wsSendTimeout + this.#largest / SLOWEST_BYTES_PER_SECOND * 1000);
  }
}
