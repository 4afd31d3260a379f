/**
 * What waits to be written to a socket: gathered for a turn of the event loop, written at once.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { clearImmediate, setImmediate } from "node:timers";

/** Enough for a turn under load. */
const CHUNK_BYTES = 64 * 1024;
/** What is as large goes as it is: to copy it into fresh memory costs more. */
const LARGE_BYTES = 16 * 1024;
/** With so much the others begin at once, while the turn goes on: it is some dozen requests. */
const PROMPT_BYTES = 32 * 1024;
const CR = 13;
const LF = 10;
const CRLF_LENGTH = 2;

/** What follows the line of a message. */
export interface MessageBytes {
  readonly headers?: Uint8Array;
  readonly data?: Uint8Array;
  /** Called once the payload's bytes are used no more; never where the socket breaks before that. */
  readonly onWritten?: (() => void) | undefined;
}

/** Bytes that stay as they are until they are written, and who is told of that. */
interface Part {
  readonly bytes: Uint8Array;
  readonly onWritten?: (() => void) | undefined;
}

/** As a socket of `node:net`. */
export interface ByteSink {
  /** Bytes that the system has not taken yet. */
  readonly writableLength: number;
  /** Takes bytes that do not change until it calls back. */
  write(bytes: Uint8Array, onWritten?: (error?: Error | null) => void): unknown;
  /** What is written from now on goes together. */
  cork(): void;
  /** Now. */
  uncork(): void;
}

/**
 * Bytes in order. One write for many messages is what makes it fast: the system call costs more than all
 * else, here and at the server.
 */
export class Output {
  readonly #sink: () => ByteSink | undefined;
  readonly #encoder = new TextEncoder();
  /** What goes before what is in the buffer. */
  #parts: Part[] = [];
  #partBytes = 0;
  #buffer = new Uint8Array(CHUNK_BYTES);
  /** What is before it is among the parts, or has been handed to the socket. */
  #begin = 0;
  #end = 0;
  #timer: ReturnType<typeof setImmediate> | undefined;

  /**
   * @param sink Gives the socket, where there is one.
   */
  constructor(sink: () => ByteSink | undefined) {
    this.#sink = sink;
  }

  /** How many bytes the system has not taken yet. */
  get unsentBytes(): number {
    return this.#waitingBytes + (this.#sink()?.writableLength ?? 0);
  }

  /**
   * Adds text, bytes, and the end of a line.
   *
   * @param text Characters up to U+00FF, one byte each; ASCII is fastest.
   * @param message Its bytes, which do not change any more; those of the payload may once `onWritten` is called.
   */
  add(text: string, { headers, data, onWritten }: MessageBytes = {}): void {
    this.#reserve(text.length);
    this.#addText(text);
    if (headers !== undefined) this.#addBytes(headers);
    if (data !== undefined) this.#addBytes(data, onWritten);
    this.#reserve(CRLF_LENGTH);
    // Two bytes cost less so than by a call into the runtime.
    this.#buffer[this.#end++] = CR;
    this.#buffer[this.#end++] = LF;
    this.#schedule();
  }

  /** Adds bytes that will not change. */
  addBytes(bytes: Uint8Array): void {
    this.#addBytes(bytes);
    this.#schedule();
  }

  /** Hands all of it to the socket. */
  flush(): void {
    clearImmediate(this.#timer);
    this.#timer = undefined;
    this.#closePart();
    const parts = this.#parts;
    if (parts.length === 0) return;
    this.#parts = [];
    this.#partBytes = 0;
    const sink = this.#sink();
    // The head of a large message by itself would wake the server twice.
    if (parts.length > 1) sink?.cork();
    for (const { bytes, onWritten } of parts) {
      sink?.write(bytes, onWritten && ((error) => error ? undefined : onWritten()));
    }
    if (parts.length > 1) sink?.uncork();
    // As a rule the system has all of it now, and the buffer is free again.
    if (sink?.writableLength === 0) this.#begin = this.#end = 0;
  }

  /** Forgets what waits: there is no socket any more. */
  clear(): void {
    clearImmediate(this.#timer);
    this.#timer = undefined;
    this.#parts = [];
    this.#partBytes = 0;
    this.#begin = this.#end;
  }

  get #waitingBytes(): number {
    return this.#partBytes + this.#end - this.#begin;
  }

  #addBytes(bytes: Uint8Array, onWritten?: () => void): void {
    if (bytes.length >= LARGE_BYTES) {
      this.#closePart();
      return this.#addPart({ bytes, onWritten });
    }
    this.#reserve(bytes.length);
    this.#buffer.set(bytes, this.#end);
    this.#end += bytes.length;
    onWritten?.();
  }

  /** What is in the buffer goes before what comes now. */
  #closePart(): void {
    if (this.#begin === this.#end) return;
    this.#addPart({ bytes: this.#buffer.subarray(this.#begin, this.#end) });
    this.#begin = this.#end;
  }

  #addPart(part: Part): void {
    this.#parts.push(part);
    this.#partBytes += part.bytes.length;
  }

  #schedule(): void {
    if (this.#waitingBytes >= PROMPT_BYTES) this.flush();
    else this.#timer ??= setImmediate(() => this.flush());
  }

  #addText(text: string): void {
    const { read, written } = this.#encoder.encodeInto(text, this.#buffer.subarray(this.#end));
    // Other than ASCII takes two bytes there, and one here.
    if (read !== written || read !== text.length) {
      this.#buffer.set(Buffer.from(text, "latin1"), this.#end);
    }
    this.#end += text.length;
  }

  #reserve(length: number): void {
    if (this.#buffer.length - this.#end >= length) return;
    this.#closePart();
    this.#buffer = new Uint8Array(Math.max(CHUNK_BYTES, length));
    this.#begin = this.#end = 0;
  }
}
