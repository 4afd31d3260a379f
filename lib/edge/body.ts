/**
 * The body of a request.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";

const EMPTY = new Uint8Array();

/**
 * Reads a request's body, counting what comes.
 *
 * @param request Its body is used up.
 * @param limit The most bytes that are taken.
 * @returns The bytes; empty without a body.
 * @throws {GatewayError} `body_too_large` as soon as it is known; `malformed_request` when the
 * client leaves in the middle of it.
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array> {
  if (request.body === null) return EMPTY;
  const announced = request.headers.get("content-length");
  if (announced === "0") return EMPTY;
  if (announced !== null && Number(announced) > limit) throw tooLarge(limit);
  const chunks: Uint8Array[] = [];
  let length = 0;
  try {
    for await (const chunk of request.body) {
      length += chunk.length;
      if (length > limit) throw tooLarge(limit);
      chunks.push(chunk);
    }
  } catch (cause) {
    if (cause instanceof GatewayError) throw cause;
    throw new GatewayError("malformed_request", "Cannot read the body to its end", { cause });
  }
  return chunks.length === 1 ? chunks[0]! : concatenate(chunks, length);
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

function concatenate(chunks: readonly Uint8Array[], length: number): Uint8Array {
  const bytes = new Uint8Array(length);
  let offset = 0;
  for (const chunk of chunks) {
    bytes.set(chunk, offset);
    offset += chunk.length;
  }
  return bytes;
}
