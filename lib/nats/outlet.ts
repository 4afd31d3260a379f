/**
 * A body that comes in messages, read by somebody at their own speed.
 *
 * @module
 */
import { Backlog } from "./backlog.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** Told of what becomes of the body. */
export interface OutletOwner {
  /** The reader asks for some. */
  onPull?(): void;
  /** The reader has got some. */
  onHandedOn(bytes: number): void;
  /** The reader is told that this was all. */
  onClosed?(): void;
  /** The reader wants no more. */
  onCancel(reason: unknown): void;
}

/** Chunks in, and a stream out that asks for none before it is read. */
export class Outlet {
  /** The body. */
  readonly readable: ReadableStream<Bytes>;
  readonly #owner: OutletOwner;
  readonly #controller: ReadableStreamDefaultController<Bytes>;
  readonly #backlog: Backlog;
  #isClosing = false;
  /** Set while the reader waits for us. */
  #onMore: (() => void) | undefined;

  /**
   * @param options `isOwn`: whether the memory of chunks is theirs alone, and may be given back.
   */
  constructor(owner: OutletOwner, { isOwn }: { isOwn: boolean }) {
    this.#owner = owner;
    this.#backlog = new Backlog({ isOwn });
    let controller: ReadableStreamDefaultController<Bytes>;
    this.readable = new ReadableStream<Bytes>({
      start: (given) => {
        controller = given;
      },
      pull: () => this.#pull(),
      cancel: (reason) => {
        this.#drop();
        owner.onCancel(reason);
      },
    }, { highWaterMark: 0 });
    this.#controller = controller!;
  }

  /**
   * Adds a chunk.
   *
   * @param isBorrowed True where its bytes are overwritten afterwards.
   */
  push(chunk: Uint8Array, isBorrowed = false): void {
    this.#backlog.push(chunk, isBorrowed);
    this.#onMore?.();
  }

  /** Ends the body in order, behind what waits. */
  close(): void {
    this.#isClosing = true;
    this.#onMore?.();
  }

  /** Ends it with an error, instead of what waits. */
  abort(error: unknown): void {
    this.#drop();
    this.#controller.error(error);
  }

  #pull(): Promise<void> | void {
    // Who asks for more has what came before.
    this.#backlog.giveBack();
    this.#owner.onPull?.();
    if (this.#handOn()) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onMore = () => {
      if (!this.#handOn()) return;
      this.#onMore = undefined;
      resolve();
    };
    return promise;
  }

  /** False when there is nothing to hand on. */
  #handOn(): boolean {
    const piece = this.#backlog.take();
    if (piece !== undefined) {
      this.#controller.enqueue(piece);
      this.#owner.onHandedOn(piece.length);
      return true;
    }
    if (!this.#isClosing) return false;
    this.#controller.close();
    this.#owner.onClosed?.();
    return true;
  }

  #drop(): void {
    this.#backlog.clear();
    this.#onMore = undefined;
  }
}
