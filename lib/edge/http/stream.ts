/**
 * A response body that the client takes at its own speed.
 *
 * @module
 */
import { Outlet, type OutletOwner } from "../../nats/outlet.ts";
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

/**
 * Chunks from NATS, read by a client at its own speed. What the client has not taken is kept up to a
 * bound; a workload that heeds credit never gets there.
 */
export class ResponseStream implements Waiting, OutletOwner {
  readonly #options: ResponseStreamOptions;
  readonly #owner: ResponseStreamOwner;
  readonly #stall: Deadline;
  readonly #outlet = new Outlet(this, { isOwn: true });
  #waiting = 0;
  seat: number | undefined;
  #state: "open" | "closing" | "over" = "open";

  constructor(options: ResponseStreamOptions, owner: ResponseStreamOwner) {
    this.#options = options;
    this.#owner = owner;
    this.#stall = options.budget.deadlines.create(() => owner.onStalled());
    options.budget.join(this);
  }

  /** The body of the response. */
  get readable(): ReadableStream<Uint8Array<ArrayBuffer>> {
    return this.#outlet.readable;
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
    this.#waiting += chunk.length;
    this.#outlet.push(chunk, isBorrowed);
    this.#options.budget.add(chunk.length);
    return true;
  }

  /** Ends the body in order. */
  close(): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#outlet.close();
  }

  /** Cuts the body off, so that the client sees a broken transfer. */
  abort(reason: string): void {
    if (this.#state === "over") return;
    this.#end();
    this.#outlet.abort(new ResponseAborted(reason));
  }

  onHandedOn(bytes: number): void {
    this.#waiting -= bytes;
    this.#options.budget.add(-bytes);
    if (this.#waiting === 0) this.#stall.stop();
    else this.#stall.start(this.#options.stallMs);
    this.#owner.onTaken(bytes, this.#waiting === 0);
  }

  onClosed(): void {
    this.#end();
  }

  onCancel(): void {
    this.#end();
    this.#owner.onCancel();
  }

  #end(): void {
    this.#state = "over";
    this.#options.budget.add(-this.#waiting);
    this.#waiting = 0;
    this.#stall.stop();
    this.#options.budget.leave(this);
  }
}
