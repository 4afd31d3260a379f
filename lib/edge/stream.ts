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

/**
 * Chunks from NATS, read by a client at its own speed. NATS cannot be slowed down, so what the
 * client has not taken is kept up to a bound.
 */
export class ResponseStream {
  /** The body of the response. */
  readonly readable: ReadableStream<Uint8Array<ArrayBuffer>>;
  readonly #controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;

  /**
   * @param bufferBytes How much may wait for the client.
   * @param onCancel Called when the client has gone.
   */
  constructor(bufferBytes: number, onCancel: () => void) {
    let controller: ReadableStreamDefaultController<Uint8Array<ArrayBuffer>>;
    const strategy = new ByteLengthQueuingStrategy({ highWaterMark: bufferBytes });
    this.readable = new ReadableStream<Uint8Array<ArrayBuffer>>({
      start: (given) => {
        controller = given;
      },
      cancel: onCancel,
    }, strategy);
    this.#controller = controller!;
  }

  /**
   * Adds a chunk.
   *
   * @param chunk Some bytes, not empty.
   * @returns False when the client is too slow: the buffer is full and the chunk was not taken.
   */
  push(chunk: Uint8Array): boolean {
    if ((this.#controller.desiredSize ?? 0) <= 0) return false;
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
}
