/**
 * A reply's stream, no faster than its client takes it.
 *
 * @module
 */
import { parseFlowSignal } from "../../mapping/flow.ts";
import { CreditWindow } from "../../nats/credit.ts";
import type { FlowAddress, FlowInbox } from "./flow_inbox.ts";
import type { Pace } from "./reply_writer.ts";

/** What it takes. */
export interface CreditPaceOptions {
  readonly inbox: FlowInbox;
  /** How far the stream may be ahead of its client, in bytes: the request's `X-H8s-Window`. */
  readonly windowBytes: number;
  /** Aborted when nobody waits for the reply any more. */
  readonly signal: AbortSignal;
  /** The gateway takes no more. */
  readonly onCancel: (reason: string) => void;
}

/** Section 3 of the contract, the workload's side. */
export class CreditPace implements Pace, Disposable {
  readonly creditSubject: string;
  readonly #window: CreditWindow;
  readonly #address: FlowAddress;
  readonly #signal: AbortSignal;

  /** Opens an address for credit. */
  constructor({ inbox, windowBytes, signal, onCancel }: CreditPaceOptions) {
    this.#window = new CreditWindow(windowBytes);
    this.#signal = signal;
    this.#address = inbox.open(({ headers }) => {
      const flow = parseFlowSignal(headers);
      if (flow?.kind === "credit") this.#window.grant(flow.bytes);
      if (flow?.kind === "cancel") onCancel(flow.reason);
    });
    this.creditSubject = this.#address.subject;
    signal.addEventListener("abort", this.#open);
  }

  get pieceBytes(): number {
    return this.#window.pieceBytes;
  }

  take(bytes: number): Promise<void> {
    return this.#window.take(bytes);
  }

  /** Gives the address back. */
  [Symbol.dispose](): void {
    this.#signal.removeEventListener("abort", this.#open);
    this.#address.close();
  }

  #open = (): void => this.#window.open();
}
