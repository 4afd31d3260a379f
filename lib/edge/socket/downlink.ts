/**
 * Whether a WebSocket client takes what it is sent.
 *
 * @module
 */
import type { Deadline } from "../limits/deadlines.ts";
import type { EdgeParts } from "../parts.ts";
import { SendCredit } from "./send_credit.ts";

/** The platform shows that a message was taken when the whole of it was; so a large one may take longer. */
const SLOWEST_BYTES_PER_SECOND = 64 * 1024;

/** Whose client it is. */
export interface DownlinkOwner {
  /** How many bytes wait for the client. */
  readonly waiting: number;
  /** The client has taken nothing for too long. */
  onSlow(): void;
}

/** What it takes. */
export type DownlinkParts = Pick<EdgeParts, "bus" | "config" | "deadlines">;

/** Watches one socket, and only while something waits for its client: a burst that is read is no fault. */
export class Downlink {
  readonly #parts: DownlinkParts;
  readonly #owner: DownlinkOwner;
  #credit: SendCredit | undefined;
  #deadline: Deadline | undefined;
  /** Since somebody looked; messages that were sent meanwhile included. */
  #waiting = 0;
  #largest = 0;

  constructor(parts: DownlinkParts, owner: DownlinkOwner) {
    this.#parts = parts;
    this.#owner = owner;
  }

  /** For those who send no faster than the client takes. */
  get credit(): SendCredit {
    return this.#credit ??= new SendCredit(this.#parts.bus, () => this.#owner.waiting);
  }

  /** A message was sent. */
  onWaiting(bytes: number): void {
    this.#credit?.onSent(bytes);
    this.#largest = Math.max(this.#largest, bytes);
    if (this.#deadline !== undefined) {
      this.#waiting += bytes;
      return;
    }
    this.#deadline = this.#parts.deadlines.create(() => this.#look());
    this.#watch();
  }

  /** The socket is gone. */
  close(): void {
    this.#deadline?.stop();
    this.#credit?.close();
  }

  #look(): void {
    const waiting = this.#owner.waiting;
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
    this.#waiting = this.#owner.waiting;
    const { wsSendTimeout } = this.#parts.config();
    this.#deadline!.start(wsSendTimeout + this.#largest / SLOWEST_BYTES_PER_SECOND * 1000);
  }
}
