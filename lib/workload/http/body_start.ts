/**
 * The beginning of a response's body: is that all of it?
 *
 * @module
 */
import { concatenate } from "../../mapping/concatenate.ts";
import { afterTurn } from "../../time/turn.ts";

/** What came of a body before it made the reader wait. */
export interface BodyStart {
  /** Not empty, unless the body is or the reader was not patient. */
  readonly bytes: Uint8Array;
  /** The read that is under way; undefined when {@link bytes} is the whole body. */
  readonly next: Promise<ReadableStreamReadResult<Uint8Array>> | undefined;
}

/**
 * Reads a body until it ends, has no more to give at once, or is too large for one message.
 *
 * A `Response` does not tell whether its body is a string or a stream; but a string is there at once,
 * and a stream that waits for something is not.
 *
 * @param options `room`: how many bytes fit into one message; `isPatient`: wait for the first chunk,
 * however long that takes.
 * @throws {unknown} what the body fails with.
 * @throws {TypeError} when a chunk is no `Uint8Array`.
 */
export async function readBodyStart(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  { room, isPatient = true }: { room: number; isPatient?: boolean },
): Promise<BodyStart> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for (;;) {
    const next = reader.read();
    const step = length === 0 && isPatient ? await next : await orUndefined(next);
    if (step === undefined) return { bytes: concatenate(chunks, length), next };
    if (step.done) return { bytes: concatenate(chunks, length), next: undefined };
    chunks.push(toChunkBytes(step.value));
    length += step.value.length;
    if (length > room) return { bytes: concatenate(chunks, length), next: reader.read() };
  }
}

/**
 * Checks a chunk: a stream of strings is a common mistake.
 *
 * @throws {TypeError} when it is no `Uint8Array`.
 */
export function toChunkBytes(chunk: unknown): Uint8Array {
  if (chunk instanceof Uint8Array) return chunk;
  throw new TypeError(`Cannot send a body chunk: a Uint8Array is expected, not ${typeof chunk}`);
}

/** Waits for what is there already, or will be before anything else happens in this process. */
async function orUndefined<Value>(promise: Promise<Value>): Promise<Value | undefined> {
  const { promise: turn, resolve } = Promise.withResolvers<undefined>();
  const cancel = afterTurn(() => resolve(undefined));
  try {
    return await Promise.race([promise, turn]);
  } finally {
    cancel();
  }
}
