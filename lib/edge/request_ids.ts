/**
 * Ids for requests and traces.
 *
 * @module
 */
import { Buffer } from "node:buffer";

const POOL_BYTES = 16 * 1024;
/** Version 00, not sampled (W3C Trace Context). */
const TRACEPARENT = "00-".length + 32 + "-".length + 16 + "-00".length;

/** Random texts of one length, cut from a pool since asking the system for each costs more than all the rest. */
class Pool {
  readonly #length: number;
  readonly #shape: (digits: string) => string;
  #text = "";
  #position = 0;

  /** @param shape Makes a whole number of texts of hexadecimal digits. */
  constructor(length: number, shape: (digits: string) => string) {
    this.#length = length;
    this.#shape = shape;
  }

  next(): string {
    if (this.#position >= this.#text.length) {
      const digits = Buffer.from(crypto.getRandomValues(new Uint8Array(POOL_BYTES)));
      this.#text = this.#shape(digits.toString("hex"));
      this.#position = 0;
    }
    this.#position += this.#length;
    return this.#text.slice(this.#position - this.#length, this.#position);
  }
}

/** Ids. */
export class RequestIds {
  readonly #requestIds = new Pool(32, (digits) => digits);
  readonly #traceparents = new Pool(TRACEPARENT, (digits) => {
    const whole = digits.slice(0, digits.length - digits.length % 48);
    return whole.replace(/(.{32})(.{16})/g, "00-$1-$2-00");
  });
  #count = 0;

  /** Unique within this process; not random. */
  nextNumber(): string {
    return (this.#count++).toString(36);
  }

  /** 32 hexadecimal digits. */
  nextRequestId(): string {
    return this.#requestIds.next();
  }

  /** A `traceparent` of a new trace: version 00, not sampled (W3C Trace Context). */
  nextTraceparent(): string {
    return this.#traceparents.next();
  }
}
