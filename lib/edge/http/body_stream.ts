/**
 * The body of any request, whatever its method.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import { toInner } from "../request_head.ts";

/**
 * The body of a request as a stream. RFC 9110 §9.3.1 gives the body of a GET no meaning of its own, and
 * applications one: the search of Elasticsearch comes so.
 *
 * @returns The stream; null without a body.
 * @throws {GatewayError} `malformed_request` where there is one that cannot be had: to go on without it, and
 * with the length that the client sent, would be a hole in the next connection.
 */
export function toBodyStream(request: Request): ReadableStream<Uint8Array<ArrayBuffer>> | null {
  const { method, headers } = request;
  if (method !== "GET" && method !== "HEAD") return request.body;
  const announced = headers.get("content-length") ?? "0";
  if (announced === "0" && !headers.has("transfer-encoding")) return null;
  const body = askAsPost(request);
  if (body !== null) return body;
  throw new GatewayError("malformed_request", `Cannot take the body of a ${method}`);
}

/**
 * Deno's server reads the body of a GET and a HEAD off the connection, but does not hand it on: `Request.body`
 * is null, as the fetch standard wants it (Deno 2.9, ext/http/00_serve.ts). To decide so it asks an object of
 * its own for the method.
 */
function askAsPost(request: Request): ReadableStream<Uint8Array<ArrayBuffer>> | null {
  const inner = toInner(request);
  if (inner === undefined) return null;
  Object.defineProperty(inner, "method", { value: "POST", configurable: true });
  try {
    return request.body;
  } finally {
    Reflect.deleteProperty(inner, "method");
  }
}
