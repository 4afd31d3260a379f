/**
 * A request's body that comes in messages of its own, taken as the handler reads it.
 *
 * @module
 */
import { DEFAULT_WINDOW_BYTES, parseFlowSignal, renderFlowSignal } from "../../mapping/flow.ts";
import type { BusMessage } from "../../nats/bus.ts";
import { Outlet, type OutletOwner } from "../../nats/outlet.ts";
import { encodeLatin1 } from "../../mapping/latin1.ts";
import type { FlowAddress, FlowInbox } from "./flow_inbox.ts";
import type { Link } from "../link.ts";

const EMPTY = new Uint8Array();

/** Section 4 of the contract, the workload's side. */
export class UploadBody implements OutletOwner {
  readonly #link: Link;
  readonly #inbox: string;
  readonly #address: FlowAddress;
  /** There may be other messages in the memory of a chunk. */
  readonly #outlet = new Outlet(this, { isOwn: false });
  #creditSubject = "";
  #received = 0;
  #taken = 0;
  #granted = 0;
  #isBegun = false;
  #isEnded = false;

  /**
   * Opens an address for the chunks.
   *
   * @param options `flow`: where addresses come from; `inbox`: the request's.
   */
  constructor(link: Link, { flow, inbox }: { flow: FlowInbox; inbox: string }) {
    this.#link = link;
    this.#inbox = inbox;
    this.#address = flow.open((message) => this.#onMessage(message));
  }

  /** The body. Nothing is asked of the gateway before it is read. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#outlet.readable;
  }

  /**
   * The request is over: the handler has answered, or the client has gone.
   *
   * @param error What a handler sees that still reads.
   */
  abort(error: unknown): void {
    if (this.#isEnded) return;
    this.#end();
    this.#outlet.abort(error);
  }

  /**
   * NATS was lost: chunks that were on their way are lost, too. A body that nobody has begun to read has
   * none.
   */
  cutOff(error: unknown): void {
    if (this.#isBegun) this.abort(error);
  }

  onPull(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    const signal = renderFlowSignal({ kind: "continue", windowBytes: DEFAULT_WINDOW_BYTES });
    const headers = encodeLatin1(signal);
    this.#link.publish(this.#inbox, EMPTY, { headers, reply: this.#address.subject });
  }

  onHandedOn(bytes: number): void {
    this.#taken += bytes;
    const taken = this.#taken - this.#granted;
    if (taken < DEFAULT_WINDOW_BYTES / 4 || this.#isEnded) return;
    this.#granted = this.#taken;
    const headers = encodeLatin1(renderFlowSignal({ kind: "credit", bytes: taken }));
    this.#link.publish(this.#creditSubject, EMPTY, { headers });
  }

  onCancel(reason: unknown): void {
    this.#cancel(String(reason));
  }

  #onMessage({ headers, data, reply }: BusMessage): void {
    if (this.#isEnded) return;
    const signal = headers === "" ? undefined : parseFlowSignal(headers);
    if (signal?.kind === "cancel") {
      return this.abort(new DOMException(`The upload was cut off: ${signal.reason}`, "AbortError"));
    }
    if (data.length === 0) {
      this.#end();
      return this.#outlet.close();
    }
    this.#creditSubject = reply;
    const ahead = this.#received - this.#granted;
    // One message may always come. Who heeds no credit would fill this process with what it sends.
    if (ahead > 0 && ahead + data.length > DEFAULT_WINDOW_BYTES) {
      this.#cancel("more was sent than was asked for");
      return this.#outlet.abort(new RangeError("Cannot go on: the upload heeds no credit"));
    }
    this.#received += data.length;
    this.#outlet.push(data);
  }

  #cancel(reason: string): void {
    const isTold = this.#creditSubject !== "" && !this.#isEnded;
    this.#end();
    if (!isTold) return;
    const headers = encodeLatin1(
      renderFlowSignal({ kind: "cancel", reason: reason.slice(0, 100) }),
    );
    this.#link.publish(this.#creditSubject, EMPTY, { headers });
  }

  #end(): void {
    this.#isEnded = true;
    this.#address.close();
  }
}
