/**
 * A request's body that comes in messages of its own, taken as the handler reads it.
 *
 * @module
 */
import { DEFAULT_WINDOW_BYTES, parseFlowSignal, renderFlowSignal } from "../../mapping/flow.ts";
import { Backlog } from "../../nats/backlog.ts";
import type { BusMessage } from "../../nats/bus.ts";
import { encodeLatin1 } from "../../mapping/latin1.ts";
import type { FlowAddress, FlowInbox } from "./flow_inbox.ts";
import type { Link } from "../link.ts";

const EMPTY = new Uint8Array();

/** Section 4 of the contract, the workload's side. */
export class UploadBody {
  /** The body. Nothing is asked of the gateway before it is read. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #link: Link;
  readonly #inbox: string;
  readonly #address: FlowAddress;
  readonly #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  /** What the handler has not asked for; its memory is not given back, as there may be other messages in it. */
  #backlog = new Backlog();
  /** Set while the handler waits for us. */
  #deliver: (() => void) | undefined;
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
    let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
    // Only what the handler asks for is asked of the gateway: no high-water mark of its own.
    const strategy = { highWaterMark: 0 };
    this.readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (given) => {
        controller = given;
      },
      pull: () => this.#onPull(),
      cancel: (reason) => this.#cancel(String(reason)),
    }, strategy);
    this.#controller = controller!;
  }

  /**
   * The request is over: the handler has answered, or the client has gone.
   *
   * @param error What a handler sees that still reads.
   */
  abort(error: unknown): void {
    if (this.#isEnded) return;
    this.#end();
    this.#drop();
    this.#controller.error(error);
  }

  /**
   * NATS was lost: chunks that were on their way are lost, too. A body that nobody has begun to read has
   * none.
   */
  cutOff(error: unknown): void {
    if (this.#isBegun) this.abort(error);
  }

  #onPull(): Promise<void> | void {
    if (!this.#isBegun) {
      this.#isBegun = true;
      const signal = renderFlowSignal({ kind: "continue", windowBytes: DEFAULT_WINDOW_BYTES });
      const headers = encodeLatin1(signal);
      this.#link.publish(this.#inbox, EMPTY, { headers, reply: this.#address.subject });
    }
    if (this.#handOn()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#deliver = () => {
      if (!this.#handOn()) return;
      this.#deliver = undefined;
      resolve();
    };
    return promise;
  }

  /** False when there is nothing to hand on. */
  #handOn(): boolean {
    const piece = this.#backlog.take();
    if (piece === undefined) {
      if (this.#isEnded) this.#controller.close();
      return this.#isEnded;
    }
    this.#controller.enqueue(piece);
    this.#taken += piece.length;
    const taken = this.#taken - this.#granted;
    if (taken < DEFAULT_WINDOW_BYTES / 4 || this.#isEnded) return true;
    this.#granted = this.#taken;
    const headers = encodeLatin1(renderFlowSignal({ kind: "credit", bytes: taken }));
    this.#link.publish(this.#creditSubject, EMPTY, { headers });
    return true;
  }

  #onMessage({ headers, data, reply }: BusMessage): void {
    if (this.#isEnded) return;
    const signal = headers === "" ? undefined : parseFlowSignal(headers);
    if (signal?.kind === "cancel") {
      return this.abort(new DOMException(`The upload was cut off: ${signal.reason}`, "AbortError"));
    }
    if (data.length === 0) {
      this.#end();
      return this.#deliver?.();
    }
    this.#creditSubject = reply;
    const ahead = this.#received - this.#granted;
    // One message may always come. Who heeds no credit would fill this process with what it sends.
    if (ahead > 0 && ahead + data.length > DEFAULT_WINDOW_BYTES) {
      this.#cancel("more was sent than was asked for");
      return this.#controller.error(new RangeError("Cannot go on: the upload heeds no credit"));
    }
    this.#received += data.length;
    this.#backlog.push(data);
    this.#deliver?.();
  }

  #drop(): void {
    this.#backlog = new Backlog();
    this.#deliver = undefined;
  }

  #cancel(reason: string): void {
    const isTold = this.#creditSubject !== "" && !this.#isEnded;
    this.#end();
    this.#drop();
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
