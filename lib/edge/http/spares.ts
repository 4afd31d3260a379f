/**
 * Memory of bodies that are through, for those to come.
 *
 * @module
 */

/** What is kept of it, in all. */
const KEPT_BYTES = 4 * 1024 * 1024;

/**
 * Fresh memory is cleared, by the system page by page and by the platform once more, and what a collection of garbage
 * has to free makes it come more often: of a body of a megabyte that is a third of its cost.
 */
export class Spares {
  /** What was given back first is first. */
  readonly #buffers: ArrayBuffer[] = [];
  #bytes = 0;

  /**
   * Takes memory.
   *
   * @returns At least that many bytes, and at most twice as many; what is in them is not told.
   */
  take(bytes: number): ArrayBuffer {
    const index = this.#buffers.findLastIndex(({ byteLength }) =>
      byteLength >= bytes && byteLength <= 2 * bytes
    );
    return index === -1 ? new ArrayBuffer(bytes) : this.#remove(index);
  }

  /** Takes it back. */
  giveBack(buffer: ArrayBuffer): void {
    // All others would have to go for it.
    if (buffer.byteLength > KEPT_BYTES) return void buffer.transfer(0);
    this.#buffers.push(buffer);
    this.#bytes += buffer.byteLength;
    while (this.#bytes > KEPT_BYTES) this.#remove(0).transfer(0);
  }

  #remove(index: number): ArrayBuffer {
    const [buffer] = this.#buffers.splice(index, 1);
    this.#bytes -= buffer!.byteLength;
    return buffer!;
  }
}
