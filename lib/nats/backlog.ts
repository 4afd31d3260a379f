/**
 * What of a body waits for whoever takes it.
 *
 * @module
 */
import { free } from "./free.ts";

/** The most that is handed on at once: a client that takes less than this shows no progress. */
export const PIECE_BYTES = 64 * 1024;
/** Up to this, chunks are copied together. */
const TOGETHER_BYTES = 16 * 1024;
const LEAST_BYTES = 512;

/**
 * Chunks in their order. Small ones are put together as soon as they come: one by one, each of a single byte
 * would keep some hundred, and to hand one on costs as much as to copy some kilobytes.
 */
export class Backlog {
  readonly #pieces: Uint8Array<ArrayBuffer>[] = [];
  /** What is free behind the last piece, in its own buffer. */
  #room = 0;
  /** What the first piece is the rest of. */
  #whole: Uint8Array | undefined;
  /** What was taken last, to its end. */
  #taken: Uint8Array | undefined;

  /** Adds a chunk. */
  push(chunk: Uint8Array<ArrayBuffer>): void {
    const last = this.#pieces.at(-1);
    if (last === undefined || last.length + chunk.length > TOGETHER_BYTES) {
      this.#pieces.push(chunk);
      this.#room = 0;
    } else this.#pieces.splice(-1, 1, this.#join(last, chunk));
  }

  /** Takes what is handed on next; undefined when nothing waits. */
  take(): Uint8Array<ArrayBuffer> | undefined {
    const [first] = this.#pieces;
    if (first !== undefined && first.length > PIECE_BYTES) {
      this.#whole ??= first;
      this.#pieces[0] = first.subarray(PIECE_BYTES);
      return first.subarray(0, PIECE_BYTES);
    }
    this.#taken = this.#whole ?? first;
    this.#whole = undefined;
    return this.#pieces.shift();
  }

  /** Who took it has no need of it any more. */
  giveBack(): void {
    if (this.#taken !== undefined) free(this.#taken);
    this.#taken = undefined;
  }

  /** Forgets all, and gives its memory back. */
  clear(): void {
    for (const piece of this.#pieces.splice(0)) free(piece);
  }

  #join(last: Uint8Array<ArrayBuffer>, chunk: Uint8Array): Uint8Array<ArrayBuffer> {
    const length = last.length + chunk.length;
    let joined: Uint8Array<ArrayBuffer>;
    if (chunk.length <= this.#room) {
      joined = new Uint8Array(last.buffer, last.byteOffset, length);
      this.#room -= chunk.length;
    } else {
      const size = Math.min(TOGETHER_BYTES, Math.max(LEAST_BYTES, 2 * length));
      joined = new Uint8Array(new ArrayBuffer(size), 0, length);
      joined.set(last);
      this.#room = size - length;
    }
    joined.set(chunk, last.length);
    return joined;
  }
}
