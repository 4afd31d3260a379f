/**
 * Responses whose bytes are not copied.
 *
 * @module
 */

type Bytes = Uint8Array<ArrayBuffer>;

/** What the next response is of. */
let lent: Bytes | undefined;

/**
 * The platform keeps a copy of bytes, since whoever made the response may change them. It makes it with
 * `slice()`, which asks the array for the species of the copy (ECMA-262, TypedArraySpeciesCreate): this one is
 * empty, and what is lent is its copy. Of 100 kB, copying is a fifth of the cost; and copies that only a
 * collection of garbage frees are most of it where there are hundreds.
 */
const LENDER: Bytes = Object.defineProperty(new Uint8Array(), "constructor", {
  value: {
    [Symbol.species]: function (): Bytes {
      const bytes = lent ?? new Uint8Array();
      lent = undefined;
      return bytes;
    },
  },
});

/**
 * Makes a response.
 *
 * @param bytes All of its body; they do not change any more.
 */
export function lend(bytes: Uint8Array, init: ResponseInit): Response {
  lent = bytes as Bytes;
  const response = new Response(LENDER, init);
  if (lent === undefined) return response;
  // A platform that copies otherwise has seen nothing of them.
  lent = undefined;
  return new Response(bytes as Bytes, init);
}
