/**
 * The bytes that nats-server sends, taken apart: messages of one's own subscriptions, and the rest, which
 * is the client library's.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { BusMessage } from "../bus.ts";

const LF = 10;
const LOWER_H = 104;
const LOWER_M = 109;
const ZERO = 48;
/** Makes an ASCII letter lower case. */
const CASE_BIT = 0x20;
const CRLF_LENGTH = 2;
const WORD_BYTES = 4;
/** What one read may bring; a larger message gets a buffer of its own, and is read into that. */
const BUFFER_BYTES = 64 * 1024;
/** Behind a large message another is awaited: so little of it is read, to be copied, that its size is seen. */
const GLANCE_BYTES = 4 * 1024;

/** Who gets the messages of one subscription. */
export interface MessageTaker {
  /** Keeps nothing of a message but what is copied: see `SubscribeOptions` of the bus. */
  readonly borrows: boolean;
  /** Does not throw. */
  onMessage(message: BusMessage): void;
}

/** Where the parts go. */
export interface FrameSink {
  /** The subscriptions that are one's own, by their number in the protocol. */
  readonly takers: ReadonlyMap<number, MessageTaker>;
  /** Gets all other bytes, in order, in pieces of any size, to keep. */
  passOn(bytes: Uint8Array): void;
}

/** What was read of a message's line, up to the size. */
interface Line {
  readonly at: number;
  readonly length: number;
  readonly sid: number;
  readonly taker: MessageTaker;
  readonly subject: string;
  readonly reply: string;
}

/** What comes behind the line. */
interface Content {
  readonly headers: string;
  readonly data: Uint8Array<ArrayBuffer>;
  /** Whether the data is in memory that is read into again. */
  readonly isShared: boolean;
}

/**
 * Reads a stream of protocol units, cut anywhere. What it does not understand is passed on: whoever gets
 * the rest complains.
 *
 * It owns the memory that is read into, and uses it again: a buffer for each read would be most of the
 * garbage that a gateway makes.
 */
export class ProtocolSplitter {
  readonly #sink: FrameSink;
  readonly #shared = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  /** Its memory: to ask an array for that costs more than to make one. */
  readonly #memory = this.#shared.buffer;
  readonly #view = new DataView(this.#memory);
  /** {@link #shared}, or the whole of a message that is larger. */
  #target = this.#shared;
  /** How much of {@link #target} waits for its end. */
  #filled = 0;
  /** How much of {@link #shared} a read may fill. */
  #readBytes = BUFFER_BYTES;
  /** How many bytes of somebody else's message are still to come. */
  #foreign = 0;
  /** True in the middle of a line that is no message. */
  #isInLine = false;
  /** The line of the last message without headers, of the bytes that are being split. */
  #before: Line | undefined;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Where the next bytes are to be read into; never empty. */
  get space(): Uint8Array<ArrayBuffer> {
    const bytes = this.#target;
    if (bytes !== this.#shared) return bytes.subarray(this.#filled);
    return bytes.subarray(this.#filled, Math.min(this.#filled + this.#readBytes, bytes.length));
  }

  /**
   * Takes what was read into {@link ProtocolSplitter.space}.
   *
   * @param length How many bytes of it.
   */
  commit(length: number): void {
    this.#filled += length;
    const bytes = this.#target;
    if (bytes !== this.#shared && this.#filled < bytes.length) return;
    // More was there than a glance shows.
    if (length === this.#readBytes) this.#readBytes = BUFFER_BYTES;
    const end = this.#filled;
    this.#target = this.#shared;
    this.#filled = 0;
    this.#split(bytes.subarray(0, end));
  }

  /** Takes what was read elsewhere. */
  push(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      const { space } = this;
      const part = chunk.subarray(at, at + space.length);
      space.set(part);
      this.commit(part.length);
      at += part.length;
    }
  }

  #split(bytes: Buffer<ArrayBuffer>): void {
    this.#before = undefined;
    for (let at = 0; at < bytes.length && this.#filled === 0;) {
      if (this.#foreign > 0) at = this.#passForeign(bytes, at);
      else if (this.#isInLine || !isMessage(bytes[at]!)) at = this.#passLine(bytes, at);
      else at = this.#takeNext(bytes, at) ?? this.#takeMessage(bytes, at);
    }
  }

  #passForeign(bytes: Buffer<ArrayBuffer>, at: number): number {
    const end = Math.min(bytes.length, at + this.#foreign);
    this.#foreign -= end - at;
    this.#sink.passOn(new Uint8Array(bytes.subarray(at, end)));
    return end;
  }

  #passLine(bytes: Buffer<ArrayBuffer>, at: number): number {
    const lineEnd = bytes.indexOf(LF, at);
    this.#isInLine = lineEnd === -1;
    const end = this.#isInLine ? bytes.length : lineEnd + 1;
    this.#sink.passOn(new Uint8Array(bytes.subarray(at, end)));
    return end;
  }

  /**
   * The next chunk of a stream: what was read of the line before is true of this one. Undefined where the lines
   * differ in more than the size.
   */
  #takeNext(bytes: Buffer<ArrayBuffer>, at: number): number | undefined {
    const line = this.#before;
    if (line === undefined || this.#sink.takers.get(line.sid) !== line.taker) return undefined;
    if (!this.#isSame(line.at, at, line.length)) return undefined;
    const sizeAt = at + line.length;
    let size = 0;
    let sizeEnd = sizeAt;
    for (; isDigit(bytes[sizeEnd]); sizeEnd++) size = 10 * size + bytes[sizeEnd]! - ZERO;
    const begin = sizeEnd + CRLF_LENGTH;
    const end = begin + size + CRLF_LENGTH;
    if (sizeEnd === sizeAt || bytes[begin - 1] !== LF || end > bytes.length) return undefined;
    const data = new Uint8Array(this.#memory, begin, size);
    this.#give(line, { headers: "", data, isShared: true });
    return end;
  }

  /** Compares words, as most lines have some fifty bytes; from the end, since it is there that lines differ. */
  #isSame(one: number, other: number, length: number): boolean {
    const view = this.#view;
    if (other + length > view.byteLength) return false;
    for (let index = length - WORD_BYTES; index > 0; index -= WORD_BYTES) {
      if (view.getUint32(one + index) !== view.getUint32(other + index)) return false;
    }
    return view.getUint32(one) === view.getUint32(other);
  }

  /** `[H]MSG <subject> <sid> [reply] [header size] <size>␍␊<headers><payload>␍␊` */
  #takeMessage(bytes: Buffer<ArrayBuffer>, at: number): number {
    const lineEnd = findLineEnd(bytes, at);
    if (lineEnd === -1) return this.#hold(bytes, { at, length: 0 });
    const begin = lineEnd + 1;
    const line = bytes.toString("latin1", at, lineEnd - 1);
    const subjectAt = line.indexOf(" ") + 1;
    const sidAt = line.indexOf(" ", subjectAt) + 1;
    const sidEnd = line.indexOf(" ", sidAt);
    const sizeAt = line.lastIndexOf(" ") + 1;
    const size = toNumber(line, sizeAt, line.length);
    if (Number.isNaN(size)) return this.#passForever(bytes, at);
    const end = begin + size + CRLF_LENGTH;
    const sid = toNumber(line, sidAt, sidEnd);
    const taker = this.#sink.takers.get(sid);
    if (taker === undefined) {
      this.#foreign = end - at;
      return at;
    }
    if (end > bytes.length) return this.#hold(bytes, { at, length: end - at });
    const hasHeaders = (bytes[at]! | CASE_BIT) === LOWER_H;
    const lastAt = hasHeaders ? line.lastIndexOf(" ", sizeAt - 2) + 1 : sizeAt;
    const headerSize = hasHeaders ? toNumber(line, lastAt, sizeAt - 1) : 0;
    if (!(headerSize <= size)) return this.#passForever(bytes, at);
    const read = {
      at,
      length: sizeAt,
      sid,
      taker,
      subject: line.slice(subjectAt, sidAt - 1),
      reply: sidEnd + 1 < lastAt ? line.slice(sidEnd + 1, lastAt - 1) : "",
    };
    // One that is larger than the shared memory is alone.
    const isShared = bytes.length <= BUFFER_BYTES;
    this.#before = hasHeaders || !isShared ? undefined : read;
    const headers = headerSize === 0 ? "" : bytes.toString("latin1", begin, begin + headerSize);
    const memory = isShared ? this.#memory : bytes.buffer;
    const data = new Uint8Array(memory, begin + headerSize, size - headerSize);
    this.#give(read, { headers, data, isShared });
    return end;
  }

  #give(
    { subject, reply, taker }: Line,
    { headers, data, isShared }: Content,
  ): void {
    taker.onMessage({
      subject,
      reply,
      headers,
      // What is read into again is copied for those who keep it.
      data: isShared && !taker.borrows ? data.slice() : data,
      isBorrowed: isShared && taker.borrows,
    });
  }

  /** Keeps the beginning of a message; its length is 0 as long as it is not known. */
  #hold(bytes: Buffer<ArrayBuffer>, { at, length }: { at: number; length: number }): number {
    const rest = bytes.subarray(at);
    if (rest.length === BUFFER_BYTES && length === 0) return this.#passForever(bytes, at);
    if (length > BUFFER_BYTES) {
      this.#target = Buffer.allocUnsafeSlow(length);
      this.#readBytes = GLANCE_BYTES;
    }
    this.#target.set(rest);
    this.#filled = rest.length;
    return bytes.length;
  }

  #passForever(bytes: Buffer<ArrayBuffer>, at: number): number {
    this.#foreign = Number.POSITIVE_INFINITY;
    return this.#passForeign(bytes, at);
  }
}

function isMessage(byte: number): boolean {
  const letter = byte | CASE_BIT;
  return letter === LOWER_M || letter === LOWER_H;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= ZERO && byte < ZERO + 10;
}

/** Lines are short: looking here costs less than a call into the runtime. */
function findLineEnd(bytes: Uint8Array, at: number): number {
  for (let index = at; index < bytes.length; index++) if (bytes[index] === LF) return index;
  return -1;
}

/** NaN where there is anything but digits. */
function toNumber(text: string, begin: number, end: number): number {
  if (begin >= end) return Number.NaN;
  let number = 0;
  for (let index = begin; index < end; index++) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    number = number * 10 + digit;
  }
  return number;
}
