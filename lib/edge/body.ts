/**
 * The body of a request.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import { toBodyStream } from "./body_stream.ts";

/** A request's body, as far as it was read. */
export type RequestBody =
  | { readonly kind: "whole"; readonly bytes: Uint8Array }
  /** More than fits: what was read so far, and the rest as it comes; to be returned when it is not wanted. */
  | { readonly kind: "stream"; readonly chunks: AsyncIterableIterator<Uint8Array> };

const EMPTY = new Uint8Array();

/**
 * Reads a request's body as far as it fits, counting what comes.
 *
 * @param request Its body is used up.
 * @param options `room`: what fits into one message, in bytes; `limit`: the most that is taken in all.
 * @returns All of it when it fits; else all of it in turn, which ends with `body_too_large` at the limit.
 * @throws {GatewayError} `body_too_large` as soon as it is known; `malformed_request` when the
 * client leaves in the middle of it.
 */
export async function readBody(
  request: Request,
  { room, limit }: { room: number; limit: number },
): Promise<RequestBody> {
  const body = toBodyStream(request);
  if (body === null) return { kind: "whole", bytes: EMPTY };
  const announced = request.headers.get("content-length");
  if (announced === "0") return { kind: "whole", bytes: EMPTY };
  if (announced !== null && Number(announced) > limit) throw tooLarge(limit);
  const rest = bounded(body, limit);
  const begin: Uint8Array[] = [];
  let length = 0;
  while (length <= room) {
    const { done, value } = await rest.next();
    if (done) return { kind: "whole", bytes: concatenate(begin, length) };
    begin.push(value);
    length += value.length;
  }
  return { kind: "stream", chunks: chain(begin, rest) };
}

/**
 * The error for a body that cannot be taken.
 *
 * @param limit The most bytes that are taken.
 * @returns `body_too_large`.
 */
export function tooLarge(limit: number): GatewayError {
  return new GatewayError("body_too_large", `The body is larger than ${limit} bytes`);
}

async function* bounded(
  body: ReadableStream<Uint8Array>,
  limit: number,
): AsyncGenerator<Uint8Array, void> {
  let length = 0;
  try {
    for await (const chunk of body) {
      length += chunk.length;
      if (length > limit) throw tooLarge(limit);
      yield chunk;
    }
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("malformed_request", "Cannot read the body to its end", { cause });
  }
}

/** No generator: one that was never asked for anything would let `return()` pass by the body. */
function chain(
  begin: Uint8Array[],
  rest: AsyncGenerator<Uint8Array, void>,
): AsyncIterableIterator<Uint8Array> {
  return {
    next() {
      const value = begin.shift();
      return value === undefined ? rest.next() : Promise.resolve({ value, done: false });
    },
    return() {
      begin.length = 0;
      return rest.return();
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const [only] = chunks;
  if (chunks.length === 1 && only !== undefined) return only;
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
