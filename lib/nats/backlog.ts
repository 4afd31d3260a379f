/**
 * What of a body waits for whoever takes it.
 *
 * @module
 */
import { free } from "./free.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** The most that is handed on at once: a client that takes less than this shows no progress. */
const PIECE_BYTES = 64 * 1024;
/** Up to this, chunks are copied together. */
const TOGETHER_BYTES = 16 * 1024;
const LEAST_BYTES = 512;
const NOTHING: Bytes = new Uint8Array();

/**
 * Chunks in their order. Small ones are put together as soon as they come: one by one, each of a single byte
 * would keep some hundred, and to hand one on costs as much as to copy some kilobytes.
 */
export class Backlog {
  /** What came before {@link #last}. */
  readonly #pieces: Bytes[] = [];
  /** The last piece, and what is free behind it. */
  #last = NOTHING;
  /** The length of the last piece; 0 if there is none. */
  #filled = 0;
  /** What the first piece is the rest of. */
  #whole: Bytes | undefined;
  /** What was taken last, to its end. */
  #taken: Bytes | undefined;
  readonly #isOwn: boolean;

  /**
   * @param options `isOwn`: false where there may be something else in the memory of chunks, so that none of it is
   * given back.
   */
  constructor({ isOwn }: { isOwn: boolean }) {
    this.#isOwn = isOwn;
  }

  /**
   * Adds a chunk.
   *
   * @param isBorrowed True where its bytes are overwritten afterwards.
   */
  push(chunk: Uint8Array, isBorrowed = false): void {
    const length = this.#filled + chunk.length;
    if (this.#filled > 0 && length <= TOGETHER_BYTES) {
      if (length > this.#last.length) this.#grow(length);
      this.#last.set(chunk, this.#filled);
      this.#filled = length;
    } else {
      this.#endLast();
      this.#last = isBorrowed ? chunk.slice() : chunk as Bytes;
      this.#filled = chunk.length;
    }
  }

  /** Takes what is handed on next; undefined when nothing waits. */
  take(): Bytes | undefined {
    if (this.#pieces.length === 0) this.#endLast();
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
    if (this.#isOwn && this.#taken !== undefined) free(this.#taken);
    this.#taken = undefined;
  }

  /** Forgets all, and gives its memory back. */
  clear(): void {
    this.#endLast();
    const pieces = this.#pieces.splice(0);
    if (this.#isOwn) pieces.forEach(free);
  }

  /** Nothing is put to the last piece any more. */
  #endLast(): void {
    if (this.#filled === 0) return;
    this.#pieces.push(this.#last.subarray(0, this.#filled));
    this.#last = NOTHING;
    this.#filled = 0;
  }

  #grow(length: number): void {
    const grown = new Uint8Array(Math.min(TOGETHER_BYTES, Math.max(LEAST_BYTES, 2 * length)));
    grown.set(this.#last.subarray(0, this.#filled));
    this.#last = grown;
  }
}
