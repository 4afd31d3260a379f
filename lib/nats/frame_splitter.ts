/**
 * The bytes that nats-server sends, taken apart: messages of one's own subscriptions, and the rest, which
 * is the client library's.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { BusMessage } from "./bus.ts";

const LF = 10;
const LOWER_H = 104;
const LOWER_M = 109;
/** Makes an ASCII letter lower case. */
const CASE_BIT = 0x20;
const CRLF_LENGTH = 2;
const NOTHING = Buffer.alloc(0);

/** Gets the messages of one subscription; does not throw. */
export type MessageHandler = (message: BusMessage) => void;

/** Where the parts go. */
export interface FrameSink {
  /** The subscriptions that are one's own, by their number in the protocol. */
  readonly handlers: ReadonlyMap<number, MessageHandler>;
  /** Gets all other bytes, in order, in pieces of any size. */
  passOn(bytes: Uint8Array): void;
}

/**
 * Reads a stream of protocol units, cut anywhere. What it does not understand is passed on: whoever gets
 * the rest complains.
 */
export class FrameSplitter {
  readonly #sink: FrameSink;
  /** The beginning of a message whose end has not come; room for all of it once its length is known. */
  #held: Buffer = NOTHING;
  #heldLength = 0;
  /** How many bytes of somebody else's message are still to come. */
  #foreign = 0;
  /** True in the middle of a line that is no message. */
  #isInLine = false;

  /**
   * @param sink Where the parts go.
   */
  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /**
   * Takes what came.
   *
   * @param chunk Handed on in parts, without a copy where it holds whole messages; not to be written again.
   */
  push(chunk: Buffer): void {
    if (this.#heldLength === 0) return this.#split(chunk);
    if (this.#heldLength === this.#held.length) {
      const joined = Buffer.concat([this.#held, chunk]);
      this.#held = NOTHING;
      this.#heldLength = 0;
      return this.#split(joined);
    }
    const missing = this.#held.length - this.#heldLength;
    this.#held.set(chunk.subarray(0, missing), this.#heldLength);
    this.#heldLength += Math.min(missing, chunk.length);
    if (this.#heldLength < this.#held.length) return;
    const whole = this.#held;
    this.#held = NOTHING;
    this.#heldLength = 0;
    this.#split(whole);
    if (chunk.length > missing) this.#split(chunk.subarray(missing));
  }

  #split(bytes: Buffer): void {
    for (let at = 0; at < bytes.length && this.#heldLength === 0;) {
      if (this.#foreign > 0) at = this.#passForeign(bytes, at);
      else if (this.#isInLine || !isMessage(bytes[at]!)) at = this.#passLine(bytes, at);
      else at = this.#takeMessage(bytes, at);
    }
  }

  #passForeign(bytes: Buffer, at: number): number {
    const end = Math.min(bytes.length, at + this.#foreign);
    this.#foreign -= end - at;
    this.#sink.passOn(bytes.subarray(at, end));
    return end;
  }

  #passLine(bytes: Buffer, at: number): number {
    const lineEnd = bytes.indexOf(LF, at);
    this.#isInLine = lineEnd === -1;
    const end = this.#isInLine ? bytes.length : lineEnd + 1;
    this.#sink.passOn(bytes.subarray(at, end));
    return end;
  }

  /** `[H]MSG <subject> <sid> [reply] [header size] <size>␍␊<headers><payload>␍␊` */
  #takeMessage(bytes: Buffer, at: number): number {
    const lineEnd = findLineEnd(bytes, at);
    if (lineEnd === -1) return this.#hold(bytes, { at, length: bytes.length - at });
    const begin = lineEnd + 1;
    const line = bytes.toString("latin1", at, lineEnd - 1);
    const subjectAt = line.indexOf(" ") + 1;
    const sidAt = line.indexOf(" ", subjectAt) + 1;
    const sidEnd = line.indexOf(" ", sidAt);
    const sizeAt = line.lastIndexOf(" ") + 1;
    const size = toNumber(line, sizeAt, line.length);
    if (Number.isNaN(size)) return this.#passForever(bytes, at);
    const end = begin + size + CRLF_LENGTH;
    const handler = this.#sink.handlers.get(toNumber(line, sidAt, sidEnd));
    if (handler === undefined) {
      this.#foreign = end - at;
      return at;
    }
    if (end > bytes.length) return this.#hold(bytes, { at, length: end - at });
    const hasHeaders = (bytes[at]! | CASE_BIT) === LOWER_H;
    const lastAt = hasHeaders ? line.lastIndexOf(" ", sizeAt - 2) + 1 : sizeAt;
    const headerSize = hasHeaders ? toNumber(line, lastAt, sizeAt - 1) : 0;
    if (!(headerSize <= size)) return this.#passForever(bytes, at);
    handler({
      subject: line.slice(subjectAt, sidAt - 1),
      reply: sidEnd + 1 < lastAt ? line.slice(sidEnd + 1, lastAt - 1) : "",
      headers: headerSize === 0 ? "" : bytes.toString("latin1", begin, begin + headerSize),
      data: new Uint8Array(
        bytes.buffer as ArrayBuffer,
        bytes.byteOffset + begin + headerSize,
        size - headerSize,
      ),
    });
    return end;
  }

  #hold(bytes: Buffer, { at, length }: { at: number; length: number }): number {
    this.#held = Buffer.allocUnsafeSlow(length);
    this.#heldLength = bytes.copy(this.#held, 0, at);
    return bytes.length;
  }

  #passForever(bytes: Buffer, at: number): number {
    this.#foreign = Number.POSITIVE_INFINITY;
    return this.#passForeign(bytes, at);
  }
}

function isMessage(byte: number): boolean {
  const letter = byte | CASE_BIT;
  return letter === LOWER_M || letter === LOWER_H;
}

/** Lines are short: looking here costs less than a call into the runtime. */
function findLineEnd(bytes: Buffer, at: number): number {
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
