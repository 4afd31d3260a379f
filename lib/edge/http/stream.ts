/**
 * A response body that the client takes at its own speed.
 *
 * @module
 */
import { Backlog } from "../../nats/backlog.ts";
import type { Deadline } from "../limits/deadlines.ts";
import type { SendBudget, Waiting } from "../limits/send_budget.ts";

/** The error that cuts a response off; the server logs nothing of it. */
export class ResponseAborted extends Error {
  /** Always `"ResponseAborted"`. */
  override readonly name = "ResponseAborted";
}

/** Told of what the client does with the body. */
export interface ResponseStreamOwner {
  /**
   * The client has taken some.
   *
   * @param isDrained True when nothing waits for it any more.
   */
  onTaken(bytes: number, isDrained: boolean): void;
  /** The client has gone. */
  onCancel(): void;
  /** The client takes nothing, or others need the memory: the stream is to be aborted. */
  onStalled(): void;
}

/** How a body is handed on. */
export interface ResponseStreamOptions {
  /** How much may wait for the client, in bytes. */
  readonly bufferBytes: number;
  /** How long the client may take nothing, in milliseconds. */
  readonly stallMs: number;
  /** Which connection the client has, of all that there are. */
  readonly connection: string;
  readonly budget: SendBudget;
}

type Controller = ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

/**
 * Chunks from NATS, read by a client at its own speed. What the client has not taken is kept up to a
 * bound; a workload that heeds credit never gets there.
 */
export class ResponseStream implements Waiting {
  /** The body of the response. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #options: ResponseStreamOptions;
  readonly #owner: ResponseStreamOwner;
  readonly #stall: Deadline;
  readonly #controller: Controller;
  readonly #backlog = new Backlog();
  #waiting = 0;
  seat: number | undefined;
  /** Set while the client waits for us. */
  #deliver: (() => void) | undefined;
  #state: "open" | "closing" | "over" = "open";

  constructor(options: ResponseStreamOptions, owner: ResponseStreamOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#stall = options.budget.deadlines.create(() => owner.onStalled());
    let controller: Controller;
    this.readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (given) => {
        controller = given;
      },
      pull: () => this.#pull(),
      cancel: () => {
        this.#end();
        owner.onCancel();
      },
    }, { highWaterMark: 0 });
    this.#controller = controller!;
    options.budget.join(this);
  }

  /** How many bytes wait for the client. */
  get waiting(): number {
    return this.#waiting;
  }

  /** Which connection they wait for. */
  get connection(): string {
    return this.#options.connection;
  }

  /** As if the client had stalled. */
  giveUp(): void {
    this.#owner.onStalled();
  }

  /**
   * Adds a chunk.
   *
   * @param chunk Some bytes, not empty.
   * @param isBorrowed True where they are overwritten afterwards.
   * @returns False when the client is too slow: the buffer is full and the chunk was not taken.
   */
  push(chunk: Uint8Array, isBorrowed = false): boolean {
    if (this.#state !== "open" || this.#waiting >= this.#options.bufferBytes) return false;
    if (this.#waiting === 0) this.#stall.start(this.#options.stallMs);
    this.#backlog.push(chunk, isBorrowed);
    this.#waiting += chunk.length;
    this.#options.budget.add(chunk.length);
    this.#deliver?.();
    return true;
  }

  /** Ends the body in order. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#deliver?.();
  }

  /** Cuts the body off, so that the client sees a broken transfer. */
  abort(reason: string): void {
    if (this.#state === "over") return;
    this.#end();
    this.#controller.error(new ResponseAborted(reason));
  }

  #pull(): Promise<void> | void {
    // Who asks for more has what came before: the platform holds memory of its own for what it sends.
    this.#backlog.giveBack();
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
      if (this.#state !== "closing") return false;
      this.#end();
      this.#controller.close();
      return true;
    }
    this.#waiting -= piece.length;
    this.#options.budget.add(-piece.length);
    if (this.#waiting === 0) this.#stall.stop();
    else this.#stall.start(this.#options.stallMs);
    this.#controller.enqueue(piece);
    this.#owner.onTaken(piece.length, this.#waiting === 0);
    return true;
  }

  #end(): void {
    this.#state = "over";
    this.#options.budget.add(-this.#waiting);
    this.#backlog.clear();
    this.#waiting = 0;
    this.#deliver = undefined;
    this.#stall.stop();
    this.#options.budget.leave(this);
  }
}
