/**
 * Counting what was sent ahead of credit, and telling that none will come.
 *
 * @module
 */
import { renderFlowSignal } from "../mapping/flow.ts";
import { encodeLatin1 } from "../mapping/latin1.ts";
import type { Bus } from "./bus.ts";

/** How far a sender may be ahead of its receiver. */
export class CreditWindow {
  readonly #windowBytes: number;
  /** How many bytes were sent and not yet taken. */
  #outstanding = 0;
  #waiting: (() => void) | undefined;

  /**
   * @param windowBytes The most that may be unacknowledged; at least one message always goes.
   */
  constructor(windowBytes: number) {
    this.#windowBytes = windowBytes;
  }

  /**
   * The largest message to send, in bytes. A receiver grants in steps of up to a quarter of the window;
   * whoever waited for more than the rest of it to be granted might wait forever.
   */
  get pieceBytes(): number {
    return Math.max(1, Math.floor(this.#windowBytes / 4));
  }

  /**
   * Waits until there is room.
   *
   * @param bytes About to be sent; more than the window waits until nothing is outstanding.
   * @returns When they may be sent; they count as sent from then on.
   */
  async take(bytes: number): Promise<void> {
    while (this.#outstanding > 0 && this.#outstanding + bytes > this.#windowBytes) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#waiting = resolve;
      await promise;
    }
    this.#outstanding += bytes;
  }

  /** The receiver has taken some. */
  grant(bytes: number): void {
    this.#outstanding = Math.max(0, this.#outstanding - bytes);
    this.#wake();
  }

  /** Lets whoever waits go on: there is no use in waiting any longer. */
  open(): void {
    this.#outstanding = 0;
    this.#wake();
  }

  #wake(): void {
    const resolve = this.#waiting;
    this.#waiting = undefined;
    resolve?.();
  }
}

/** Tells whoever waits at a reply subject for a socket's credit that none will come. */
export function cancelAsk(bus: Bus, reply: string): void {
  const signal = renderFlowSignal({ kind: "cancel", reason: "the connection is closed" });
  bus.publish(reply, new Uint8Array(), { headers: encodeLatin1(signal) });
}
