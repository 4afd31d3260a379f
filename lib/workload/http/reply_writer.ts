/**
 * The messages of one reply.
 *
 * @module
 */
import { renderFlowSignal, STREAM_BODY_LINE } from "../../mapping/flow.ts";
import { joinLines, NO_LINES, toHeaderBlock } from "../../mapping/headers.ts";
import { type ReplyHead, splitChunk, toReplyLines } from "../../mapping/outgoing.ts";
import type { PublishOptions } from "../../nats/bus.ts";
import { encodeLatin1 } from "../../mapping/latin1.ts";
import { type Link, LinkLostError } from "../link.ts";

const EMPTY = new Uint8Array();
/** How much of a stream is published before the server has to say that it has taken it. */
const UNFLUSHED_BYTES = 512 * 1024;

/** How fast a stream may go. */
export interface Pace {
  /** Where the gateway grants credit; undefined where it does not. */
  readonly creditSubject?: string;
  /** The largest message, in bytes; undefined for as much as NATS can carry. */
  readonly pieceBytes?: number;
  /** Waits until so much may be published. */
  take(bytes: number): Promise<void>;
}

/** Waits for the server now and then, so that a fast body does not pile up in this process. */
export class FlushPace implements Pace, Disposable {
  readonly #link: Link;
  #unflushedBytes = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /** The same where nothing has to be waited for; else false. */
  tryTake(bytes: number): boolean {
    const isFull = this.#unflushedBytes + bytes > UNFLUSHED_BYTES && this.#unflushedBytes > 0;
    if (!isFull) this.#unflushedBytes += bytes;
    return !isFull;
  }

  async take(bytes: number): Promise<void> {
    if (this.tryTake(bytes)) return;
    this.#unflushedBytes = bytes;
    await this.#link.flush();
  }

  /** Waits for the server; where NATS was lost, for nothing. */
  async flush(): Promise<void> {
    this.#unflushedBytes = 0;
    await this.#link.flush().catch(() => {});
  }

  /** Nothing to give back. */
  [Symbol.dispose](): void {}
}

/** Publishes one reply: a single message, or a stream of them. */
export class ReplyWriter {
  readonly #link: Link;
  readonly #subject: string;
  readonly #signal: AbortSignal;
  readonly #pace: Pace;
  #losses = 0;
  #isBegun = false;

  /**
   * @param options `subject`: the request's inbox; `signal`: aborted when nobody waits for the reply any
   * more; `pace`: how fast a stream may go.
   */
  constructor(
    link: Link,
    { subject, signal, pace = new FlushPace(link) }: {
      subject: string;
      signal: AbortSignal;
      pace?: Pace;
    },
  ) {
    this.#link = link;
    this.#subject = subject;
    this.#signal = signal;
    this.#pace = pace;
  }

  /** True once something was published: from then on it is too late for another response. */
  get isBegun(): boolean {
    return this.#isBegun;
  }

  /** Whether the gateway grants credit; then a stream may also begin without a chunk. */
  get hasCredit(): boolean {
    return this.#pace.creditSubject !== undefined;
  }

  /**
   * How much of a body fits into one message beside the head of a single reply.
   *
   * @param head Its `contentLength` does not matter.
   * @returns Bytes; below zero when not even the head fits.
   */
  roomFor(head: ReplyHead): number {
    const { maxPayload } = this.#link;
    return maxPayload - encodeHead({ ...head, contentLength: maxPayload }).length;
  }

  /**
   * Publishes a whole response.
   *
   * @param head With `contentLength`.
   * @param body At most {@link ReplyWriter.roomFor} bytes.
   * @throws {LinkLostError} when the connection is closed for good.
   */
  async single(head: ReplyHead, body: Uint8Array): Promise<void> {
    await this.#link.connected(this.#signal);
    this.#publish(body, { headers: encodeHead(head) });
  }

  /**
   * Publishes the first message of a stream. From then on a loss of NATS breaks the stream: nobody could
   * tell which messages arrived.
   *
   * @param head Without `contentLength`; its `streamLength` is for a gateway that knows what it is.
   * @param chunk Not empty, since an empty message is the end.
   * @throws {LinkLostError} when the connection is closed for good.
   */
  async begin(head: ReplyHead, chunk: Uint8Array): Promise<void> {
    await this.#link.connected(this.#signal);
    this.#losses = this.#link.losses;
    const { creditSubject } = this.#pace;
    const { streamLength: _, ...plainHead } = head;
    const lines = joinLines(
      toReplyLines(creditSubject === undefined ? plainHead : head),
      chunk.length === 0 ? STREAM_BODY_LINE : NO_LINES,
    );
    const headers = encodeLatin1(toHeaderBlock(lines));
    const limit = this.#limit;
    const [first = EMPTY, ...rest] = splitChunk(chunk, {
      limit,
      first: Math.min(limit, this.#link.maxPayload - headers.length),
    });
    await this.#pace.take(first.length);
    this.#publishNext(first, {
      headers,
      ...(creditSubject === undefined ? {} : { reply: creditSubject }),
    });
    for (const piece of rest) await this.#publishPaced(piece);
  }

  /**
   * Publishes a chunk of the stream.
   *
   * @param chunk Of any size; nothing is published for an empty one.
   * @throws {LinkLostError} when NATS was lost since the beginning.
   */
  async chunk(chunk: Uint8Array): Promise<void> {
    const pieces = splitChunk(chunk, { limit: this.#limit });
    for (const piece of pieces) await this.#publishPaced(piece);
  }

  /**
   * Ends the stream in order.
   *
   * @throws {LinkLostError} when NATS was lost since the beginning.
   */
  end(): void {
    this.#publishNext(EMPTY);
  }

  get #limit(): number {
    const { maxPayload } = this.#link;
    return Math.min(maxPayload, this.#pace.pieceBytes ?? maxPayload);
  }

  /**
   * Breaks the stream off, so that the client sees a broken transfer at once. Only for a gateway that
   * speaks flow control: any other would take it for the end.
   */
  breakOff(): void {
    const signal = renderFlowSignal({ kind: "cancel", reason: "the response's body failed" });
    const headers = encodeLatin1(signal);
    this.#link.publish(this.#subject, EMPTY, { headers });
  }

  async #publishPaced(piece: Uint8Array): Promise<void> {
    this.#signal.throwIfAborted();
    await this.#pace.take(piece.length);
    this.#publishNext(piece);
  }

  #publishNext(data: Uint8Array, options: PublishOptions = {}): void {
    this.#signal.throwIfAborted();
    if (this.#link.losses !== this.#losses) throw lost();
    this.#publish(data, options);
  }

  #publish(data: Uint8Array, options: PublishOptions): void {
    if (!this.#link.publish(this.#subject, data, options)) throw lost();
    this.#isBegun = true;
  }
}

function encodeHead(head: ReplyHead): Uint8Array {
  return encodeLatin1(toHeaderBlock(toReplyLines(head)));
}

function lost(): LinkLostError {
  return new LinkLostError("Cannot go on with the reply: NATS was lost in the middle of it");
}
