/**
 * The pieces of a body, in sizes that are worth a message.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import { free } from "../../nats/free.ts";
import { pause } from "../../time/within.ts";
import type { Patience } from "./patience.ts";
import { Spares } from "./spares.ts";

/** How a body is read. */
export interface BodyOptions {
  /** What fits into one message, in bytes. */
  readonly room: number;
  /** The most that is taken in all, in bytes. */
  readonly limit: number;
  readonly patience: Patience;
  /** Where memory comes from; undefined for that of this body alone. */
  readonly spares?: Spares;
  /** What the client announces; undefined where it does not. */
  readonly contentLength: string | undefined;
  /** How much to read into at once for the sake of those to come; undefined for what is best for this one. */
  readonly toReadBytes?: (announced: number) => number | undefined;
}

/** Smaller pieces that are there already are copied together up to this. */
const WORTHWHILE_BYTES = 16 * 1024;
/** What is read into. */
const BUFFER_BYTES = 64 * 1024;

/** How much of a large body has to come at a time. */
const STEP_BYTES = 128 * 1024;

/** Deno 2.9 never comes back from a read into what is left of a buffer when that is less than 4 bytes. */
const SPARE_BYTES = 4;

/** How many pieces are copied together before others get a turn. */
const READS_PER_TURN = 256;

type Piece = ReadableStreamReadResult<Uint8Array<ArrayBuffer>>;

/** Where a body comes from. */
interface Source {
  /** Reads at least that many bytes, unless it ends before; the space is used up. */
  readInto(space: Uint8Array<ArrayBuffer>, least: number): Promise<Piece>;
  cancel(): Promise<void>;
}

/** A body in turn. */
export interface BodyChunks extends AsyncIterableIterator<Uint8Array> {
  /** Takes the memory of a chunk that is not needed any more, for the next. */
  giveBack?(chunk: Uint8Array): void;
}

/** Reads one body, piece by piece. */
export class BodyReader implements BodyChunks {
  readonly #source: Source;
  readonly #options: BodyOptions;
  #length = 0;
  #reads = 0;
  #isLate = false;
  /** Asked for, and not there yet. */
  #pending: Promise<Piece> | undefined;
  /** What was read before, if it has not been given yet. */
  #begin: Uint8Array | undefined;
  /** A buffer for each byte of a trickle would be a thousand times the body. */
  readonly #spares: Spares;

  constructor(body: ReadableStream<Uint8Array<ArrayBuffer>>, options: BodyOptions) {
    this.#options = options;
    this.#spares = options.spares ?? new Spares();
    this.#source = toSource(body);
  }

  /**
   * Reads into one buffer.
   *
   * @param size How much, in bytes.
   * @returns That many bytes and at most a few more, or fewer where the platform has them already; undefined at
   * the end.
   * @throws {GatewayError} when it is one too many, or does not come; then the body is let go.
   */
  fill(size: number): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#fill(new Uint8Array(size + SPARE_BYTES), size);
  }

  /**
   * Reads a body of a known length to its end, into one buffer: of a large one each copy is felt. Who has sent
   * nothing yet gets none of that size.
   *
   * @throws {GatewayError} as {@link BodyReader.fill}.
   */
  async fillUp(length: number): Promise<Uint8Array<ArrayBuffer>> {
    let whole = new Uint8Array();
    for (let filled = 0; filled < length;) {
      const size = Math.min(STEP_BYTES, length - filled);
      const piece = filled === 0
        ? await this.fill(size)
        : await this.#fill(whole.subarray(filled, filled + size + SPARE_BYTES), size);
      const count = piece?.length ?? 0;
      if (piece === undefined || count > length - filled) throw brokenOff(undefined);
      // What was read into is another object by now.
      if (filled > 0 && whole.length === 0) whole = new Uint8Array(piece.buffer);
      else {
        if (filled === 0) whole = new Uint8Array(this.#spares.take(length + SPARE_BYTES));
        whole.set(piece, filled);
        free(piece);
      }
      filled += count;
    }
    const surplus = await this.fill(1);
    if (surplus !== undefined && surplus.length > 0) throw brokenOff(undefined);
    return whole.subarray(0, length);
  }

  #fill(
    space: Uint8Array<ArrayBuffer>,
    least: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    return this.#read(() => this.#source.readInto(space, least), least);
  }

  async #read(
    read: () => Promise<Piece>,
    bytes: number,
  ): Promise<Uint8Array<ArrayBuffer> | undefined> {
    const { patience, limit } = this.#options;
    patience.start(this.#onLate, bytes);
    try {
      const { done, value } = await (this.#pending ??= read());
      if (this.#isLate) throw bodyTimeout();
      this.#pending = undefined;
      const length = value?.length ?? 0;
      patience.stop(length);
      // The last one may be both.
      if (value === undefined || done && length === 0) return undefined;
      this.#length += length;
      if (this.#length > limit) throw tooLarge(limit);
      return value;
    } catch (cause) {
      patience.stop(0);
      this.#letGo();
      throw cause instanceof GatewayError ? cause : brokenOff(cause);
    }
  }

  /** Goes on in turn. */
  resume(begin: Uint8Array): this {
    this.#begin = begin;
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    const begin = this.#begin;
    this.#begin = undefined;
    if (begin !== undefined) return { done: false, value: begin };
    const first = await this.#read(this.#readPiece, 0);
    if (first === undefined) return { done: true, value: undefined };
    if (first.length >= WORTHWHILE_BYTES) return { done: false, value: first };
    return { done: false, value: await this.#together(first) };
  }

  giveBack({ buffer }: Uint8Array): void {
    if (buffer instanceof ArrayBuffer && buffer.byteLength === BUFFER_BYTES) {
      this.#spares.giveBack(buffer);
    }
  }

  return(): Promise<IteratorResult<Uint8Array>> {
    this.#begin = undefined;
    this.#letGo();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Adds what is there already: waiting for more would hold back what a client sends bit by bit. */
  async #together(first: Uint8Array<ArrayBuffer>): Promise<Uint8Array> {
    const block = new Uint8Array(2 * WORTHWHILE_BYTES);
    block.set(first);
    let length = first.length;
    this.giveBack(first);
    while (length < WORTHWHILE_BYTES && await this.#isThere()) {
      const piece = await this.#read(this.#readPiece, 0);
      if (piece === undefined) break;
      if (length + piece.length > block.length) {
        this.#begin = piece;
        break;
      }
      block.set(piece, length);
      length += piece.length;
      this.giveBack(piece);
    }
    return block.subarray(0, length);
  }

  /** Whether the next piece, or the end, comes within a turn of the event loop. */
  async #isThere(): Promise<boolean> {
    // What is always there would leave no turn to anybody else.
    if (++this.#reads % READS_PER_TURN === 0) await pause(0);
    const { promise: turn, resolve } = Promise.withResolvers<boolean>();
    const timer = setTimeout(resolve, 0, false);
    const isThere = await Promise.race([this.#next().then(() => true, () => true), turn]);
    clearTimeout(timer);
    return isThere;
  }

  #next(): Promise<Piece> {
    return this.#pending ??= this.#readPiece();
  }

  readonly #readPiece = (): Promise<Piece> => {
    return this.#source.readInto(new Uint8Array(this.#spares.take(BUFFER_BYTES)), 1);
  };

  readonly #onLate = (): void => {
    this.#isLate = true;
    this.#letGo();
  };

  #letGo(): void {
    this.#pending?.catch(() => {});
    this.#source.cancel().catch(() => {});
  }
}

/** A body that is there as a whole cannot be read into a buffer of ours. */
function toSource(body: ReadableStream<Uint8Array<ArrayBuffer>>): Source {
  try {
    const reader = body.getReader({ mode: "byob" });
    return {
      readInto: (space, min) => reader.read(space, { min }),
      cancel: () => reader.cancel(),
    };
  } catch {
    const reader = body.getReader();
    return { readInto: () => reader.read(), cancel: () => reader.cancel() };
  }
}

/** The error for a body that does not come. */
export function bodyTimeout(): GatewayError {
  return new GatewayError("body_timeout", "The body did not come in time");
}

/**
 * The error for a body that cannot be taken.
 *
 * @param limit The most bytes that are taken.
 * @returns `body_too_large`.
 */
export function tooLarge(limit: number): GatewayError {
  return new GatewayError("body_too_large", `The body is larger than ${limit} bytes`);
}

/** The error for a body that ends too early. */
export function brokenOff(cause: unknown): GatewayError {
  return new GatewayError("malformed_request", "Cannot read the body to its end", { cause });
}
