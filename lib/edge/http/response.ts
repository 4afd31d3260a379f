/**
 * What a client gets of a reply.
 *
 * @module
 */
import { decodeLatin1 } from "../../mapping/latin1.ts";
import { isAscii } from "node:buffer";
import { free } from "./free.ts";
import { isBodyless, type Reply } from "../../mapping/reply.ts";

/** A reply that is one. */
export type Answer = Exclude<Reply, { kind: "no_responders" }>;

/** All of a body, or what of it comes one after another. */
export type Content = Uint8Array | ReadableStream<Uint8Array<ArrayBuffer>>;

/** Less is copied as fast as it is looked at. */
const LARGE_BYTES = 16 * 1024;

/**
 * Makes the response.
 *
 * @param answer Status, headers, and the length where it is known.
 * @param options `body`; `isHead`: the request's method was HEAD.
 */
export function toResponse(
  { status, headers, contentLength }: Answer,
  { body, isHead }: { body: Content; isHead: boolean },
): Response {
  const isEmpty = isHead || isBodyless(status);
  // Of a HEAD whose length nobody knows the server would say that it is 0, had it no stream.
  const isUnknown = isHead && contentLength === undefined && !isBodyless(status);
  const content = isUnknown ? toEmptyStream() : isEmpty ? null : toContent(body);
  const [only] = headers;
  // The platform has a way of its own for one header, and none for several: these are cheaper one by one.
  if (
    headers.length === 1 && only !== undefined && content !== null &&
    !(content instanceof ReadableStream)
  ) {
    return new Response(content, { status, headers: { [only[0]]: only[1] } });
  }
  const response = new Response(content, { status });
  if (typeof content === "string") response.headers.delete("content-type");
  for (const [name, value] of headers) response.headers.append(name, value);
  if (contentLength !== undefined && (isHead || content instanceof ReadableStream)) {
    response.headers.set("content-length", contentLength);
  }
  return response;
}

/** The platform copies bytes once more for a response, but no text; which of it is ASCII is cheap to see. The bytes are gone then. */
function toContent(body: Content): BodyInit {
  if (!(body instanceof Uint8Array) || body.length < LARGE_BYTES || !isAscii(body)) {
    return body as BodyInit;
  }
  const text = decodeLatin1(body);
  free(body);
  return text;
}

function toEmptyStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
