/**
 * Credit for a workload that streams.
 *
 * @module
 */
import { renderFlowSignal } from "../../mapping/flow.ts";
import type { Bus } from "../../nats/bus.ts";
import { encodeLatin1 } from "../../mapping/latin1.ts";

const EMPTY = new Uint8Array();

/** What one streamed response owes its workload. */
export class ResponseFlow {
  readonly #bus: Bus;
  readonly #subject: string;
  readonly #windowBytes: number;
  #outstanding = 0;
  #taken = 0;

  /**
   * @param options `subject`: where the workload listens for credit; `windowBytes`: how far it may be
   * ahead.
   */
  constructor(bus: Bus, { subject, windowBytes }: { subject: string; windowBytes: number }) {
    this.#bus = bus;
    this.#subject = subject;
    this.#windowBytes = windowBytes;
  }

  /** True while the workload has to wait for the client, and so cannot be too late. */
  get isExhausted(): boolean {
    return this.#outstanding >= this.#windowBytes;
  }

  /** A chunk came. */
  onReceived(bytes: number): void {
    this.#outstanding += bytes;
  }

  /**
   * The client took some. That is granted again in steps, not for each chunk; but all of it once the
   * client has everything, since the next chunk may need the whole window.
   *
   * @param isDrained True when nothing waits for the client any more.
   */
  onTaken(bytes: number, isDrained: boolean): void {
    this.#taken += bytes;
    if (this.#taken < this.#windowBytes / 4 && !isDrained) return;
    this.#outstanding -= this.#taken;
    const signal = renderFlowSignal({ kind: "credit", bytes: this.#taken });
    this.#taken = 0;
    this.#bus.publish(this.#subject, EMPTY, { headers: encodeLatin1(signal) });
  }

  /** No more is taken. */
  cancel(reason: string): void {
    const signal = renderFlowSignal({ kind: "cancel", reason });
    this.#bus.publish(this.#subject, EMPTY, { headers: encodeLatin1(signal) });
  }
}
