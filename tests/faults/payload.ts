/**
 * What the load asks for and the workload answers: both sides know every byte, so that nothing can go
 * missing unseen.
 *
 * @module
 */

/** How many chunks a streamed reply has. */
export const STREAM_CHUNKS = 12;
/** Between two of them, in milliseconds: long enough for a fault to hit the middle. */
export const STREAM_PACE_MS = 15;

/**
 * One chunk of a streamed reply.
 *
 * @param nonce Of the request.
 * @param index From 0.
 * @returns 8 KiB that no other request and no other place has.
 */
export function toStreamChunk(nonce: string, index: number): string {
  const line = `${nonce}:${index}\n`;
  return line.repeat(Math.ceil(8192 / line.length));
}

/**
 * The whole of a streamed reply.
 *
 * @param nonce Of the request.
 * @returns All chunks.
 */
export function toStreamText(nonce: string): string {
  return Array.from({ length: STREAM_CHUNKS }, (_, index) => toStreamChunk(nonce, index)).join("");
}

/** What the workload says to a client's message: which life of it, the how manieth, and which message. */
export interface Echo {
  readonly epoch: string;
  readonly count: number;
  readonly number: number;
}

/**
 * Writes an echo as the message that carries it.
 *
 * @param echo What to say.
 * @returns One line of text.
 */
export function renderEcho({ epoch, count, number }: Echo): string {
  return `${epoch} ${count} ${number}`;
}

/**
 * Reads what {@link renderEcho} wrote.
 *
 * @param text The message.
 * @returns What it says; undefined for any other text.
 */
export function parseEcho(text: string): Echo | undefined {
  const [, epoch, count, number] = /^(\S+) (\d+) (\d+)$/.exec(text) ?? [];
  return epoch === undefined ? undefined : { epoch, count: Number(count), number: Number(number) };
}

/** The size of a chunk of {@link largeChunks}, in bytes. */
export const LARGE_CHUNK_BYTES = 64 * 1024;

/**
 * A large body: each chunk begins with its number, so that none can take another's place.
 *
 * @param count How many chunks.
 * @returns One after the other.
 */
export function* largeChunks(count: number): Generator<Uint8Array<ArrayBuffer>> {
  for (let index = 0; index < count; index++) {
    const chunk = new Uint8Array(LARGE_CHUNK_BYTES).fill(index);
    new DataView(chunk.buffer).setUint32(0, index);
    yield chunk;
  }
}
