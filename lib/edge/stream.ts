/**
 * A response body that arrives message by message.
 *
 * @module
 */

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
   * @param bytes Since the call before.
   * @param isDrained True when nothing waits for it any more.
   */
  onTaken(bytes: number, isDrained: boolean): void;
  /** The client has gone. */
  onCancel(): void;
}

/**
 * Chunks from NATS, read by a client at its own speed. What the client has not taken is kept up to a
 * bound; a workload that heeds credit never gets there.
 */
export class ResponseStream {
  /** The body of the response. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
  readonly #bufferBytes: number;
  readonly #owner: ResponseStreamOwner;
  #pushed = 0;
  #taken = 0;

  /**
   * @param bufferBytes How much may wait for the client.
   * @param owner Told of what the client does.
   */
  constructor(bufferBytes: number, owner: ResponseStreamOwner) {
    this.#bufferBytes = bufferBytes;
    this.#owner = owner;
    let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
    const strategy = new ByteLengthQueuingStrategy({ highWaterMark: bufferBytes });
    this.readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (given) => {
        controller = given;
      },
      pull: () => this.#count(),
      cancel: () => owner.onCancel(),
    }, strategy);
    this.#controller = controller!;
  }

  /** How many bytes wait for the client. */
  get waiting(): number {
    return this.#bufferBytes - (this.#controller.desiredSize ?? this.#bufferBytes);
  }

  /**
   * Adds a chunk.
   *
   * @param chunk Some bytes, not empty.
   * @returns False when the client is too slow: the buffer is full and the chunk was not taken.
   */
  push(chunk: Uint8Array): boolean {
    if ((this.#controller.desiredSize ?? 0) <= 0) return false;
    this.#pushed += chunk.length;
    this.#controller.enqueue(chunk as Uint8Array<ArrayBuffer>);
    return true;
  }

  /** Ends the body in order. */
  close(): void {
    this.#controller.close();
  }

  /** Cuts the body off, so that the client sees a broken transfer. */
  abort(reason: string): void {
    this.#controller.error(new ResponseAborted(reason));
  }

  #count(): void {
    const taken = this.#pushed - this.waiting;
    if (taken === this.#taken) return;
    const bytes = taken - this.#taken;
    this.#taken = taken;
    this.#owner.onTaken(bytes, taken === this.#pushed);
  }
}
