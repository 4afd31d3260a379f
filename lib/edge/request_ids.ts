/**
 * Ids for requests and traces.
 *
 * @module
 */
import { Buffer } from "node:buffer";

const POOL_BYTES = 16 * 1024;

/** Random ids, cut from a pool since asking the system for each costs more than all the rest. */
export class RequestIds {
  #pool = "";
  #position = 0;
  #count = 0;

  /** Unique within this process; not random. */
  nextNumber(): string {
    return (this.#count++).toString(36);
  }

  /** 32 hexadecimal digits. */
  nextRequestId(): string {
    return this.#hex(32);
  }

  /** A `traceparent` of a new trace: version 00, not sampled (W3C Trace Context). */
  nextTraceparent(): string {
    return `00-${this.#hex(32)}-${this.#hex(16)}-00`;
  }

  #hex(digits: number): string {
    if (this.#position + digits > this.#pool.length) {
      this.#pool = Buffer.from(crypto.getRandomValues(new Uint8Array(POOL_BYTES))).toString("hex");
      this.#position = 0;
    }
    this.#position += digits;
    return this.#pool.slice(this.#position - digits, this.#position);
  }
}
