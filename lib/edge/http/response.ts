/**
 * What a client gets of a reply.
 *
 * @module
 */
import { isBodyless, type Reply } from "../../mapping/reply.ts";
import { lend } from "./lend.ts";

/** A reply that is one. */
export type Answer = Exclude<Reply, { kind: "no_responders" }>;

/** All of a body, or what of it comes one after another. */
export type Content = Uint8Array | ReadableStream<Uint8Array<ArrayBuffer>>;

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
  const content = isUnknown ? toEmptyStream() : isEmpty ? null : body;
  const [only] = headers;
  // The platform has a way of its own for one header, and none for several: these are cheaper one by one.
  if (headers.length === 1 && only !== undefined && content instanceof Uint8Array) {
    return lend(content, { status, headers: { [only[0]]: only[1] } });
  }
  const response = content instanceof Uint8Array
    ? lend(content, { status })
    : new Response(content, { status });
  for (const [name, value] of headers) response.headers.append(name, value);
  if (contentLength !== undefined && (isHead || content instanceof ReadableStream)) {
    response.headers.set("content-length", contentLength);
  }
  return response;
}

function toEmptyStream(): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({ start: (controller) => controller.close() });
}
