/**
 * Responses whose bytes are not copied.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** Less is copied faster than it is lent: the platform has its own copy as soon as there is a response. */
export const LENT_BYTES = 16 * 1024;

/**
 * The platform keeps a copy of bytes, since whoever made the response may change them. It makes it with
 * `slice()`, which asks the array's constructor for the species of the copy (ECMA-262, TypedArraySpeciesCreate):
 * this array is empty, and what it lends is its copy. Of 100 kB, copying is a fifth of the cost; and copies that
 * only a collection of garbage frees are most of it where there are hundreds.
 */
class Loan extends Uint8Array<ArrayBuffer> {
  readonly #bytes: Bytes;
  /** False where a platform copies otherwise, and has seen nothing of the bytes. */
  isTaken = false;

  constructor(bytes: Bytes) {
    super(new ArrayBuffer(0));
    this.#bytes = bytes;
  }

  take(): Bytes {
    this.isTaken = true;
    return this.#bytes;
  }
}

// Of the class alone: an array with a constructor of its own makes slice() and subarray() of all arrays slow.
Object.defineProperty(Loan.prototype, "constructor", {
  get(this: Loan) {
    const take = () => this.take();
    return {
      [Symbol.species]: function () {
        return take();
      },
    };
  },
});

/**
 * Makes a response.
 *
 * @param bytes All of its body; they do not change any more.
 */
export function lend(bytes: Uint8Array, init: ResponseInit): Response {
  if (bytes.length >= LENT_BYTES) {
    const loan = new Loan(bytes as Bytes);
    const response = new Response(loan, init);
    if (loan.isTaken) return response;
  }
  return new Response(bytes as Bytes, init);
}
