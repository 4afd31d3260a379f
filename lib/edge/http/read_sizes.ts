/**
 * How much is read of a connection at once.
 *
 * @module
 */

/** Most heads are smaller. */
const HEAD_BYTES = 1024;
/** For larger bodies it is not worth the memory, which a connection keeps. */
const LARGEST_BYTES = 16 * 1024;
/** Then all are forgotten, and told once more. */
const MOST_CONNECTIONS = 10_000;

/**
 * Makes the platform read small bodies together with their heads.
 *
 * Deno 2.9 reads a head into 1 KiB. What of a body is not there with it comes by a stream, a resource and an
 * asynchronous call, which cost as much as all that it does for a GET. Its buffer becomes as large as one that is
 * once read into, and stays so for the requests to come (`ensure_read_capacity`, libs/http_h1/conn.rs): for most
 * bodies, that is a power of two with room for the head, but for those just below one it is not.
 */
export class ReadSizes {
  /** 0 for a connection that had one body: it may have no other. */
  readonly #told = new Map<string, number>();

  /**
   * A body comes on a connection.
   *
   * @param connection Of all that there are. One that gets the address of another is as slow as without this.
   * @returns How much to read into, so that the next one like it comes with its head; undefined where it will.
   */
  grow(connection: string, bodyBytes: number): number | undefined {
    const wanted = bodyBytes + HEAD_BYTES;
    const own = toPowerOfTwo(bodyBytes);
    if (bodyBytes > LARGEST_BYTES || own >= wanted) return undefined;
    const told = this.#told.get(connection);
    if (told !== undefined && told >= wanted) return undefined;
    if (this.#told.size >= MOST_CONNECTIONS) this.#told.clear();
    const size = told === undefined ? 0 : 2 * own;
    this.#told.set(connection, size);
    return size || undefined;
  }
}

/** As the platform rounds, which takes at least as much as for a head. */
function toPowerOfTwo(bytes: number): number {
  return Math.max(HEAD_BYTES, 2 ** Math.ceil(Math.log2(bytes)));
}
