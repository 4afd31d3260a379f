/**
 * Errors as responses.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import { ResponseAborted } from "./stream.ts";

const ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/**
 * An error as `application/problem+json` (RFC 9457), with the headers that its status asks for.
 *
 * @param error What went wrong.
 * @param requestId What the client can quote.
 * @returns The response.
 */
export function toProblemResponse(error: GatewayError, requestId: string): Response {
  const headers = new Headers({ "content-type": "application/problem+json" });
  if (error.retryAfter !== undefined) headers.set("retry-after", String(error.retryAfter));
  // RFC 6750 §3.
  if (error.code === "unauthorized") headers.set("www-authenticate", "Bearer");
  if (error.code === "draining") headers.set("connection", "close");
  if (error.code === "method_not_allowed") headers.set("allow", ALLOWED_METHODS);
  if (error.code === "unsupported_websocket_version") {
    // RFC 6455 §4.4, RFC 9110 §15.5.22 and §7.8.
    headers.set("sec-websocket-version", "13");
    headers.set("upgrade", "websocket");
    headers.set("connection", "upgrade");
  }
  const body = JSON.stringify(error.toProblem(requestId));
  const { status } = error;
  return new Response(error.code === "body_timeout" ? cutOff(body) : body, { status, headers });
}

/** Deno waits for the rest of a request's body as long as the client likes, unless the response breaks off. */
function cutOff(text: string): ReadableStream<Uint8Array<ArrayBuffer>> {
  return new ReadableStream({
    start: (controller) => controller.enqueue(new TextEncoder().encode(text)),
    pull: (controller) => controller.error(new ResponseAborted("timeout")),
  }, { highWaterMark: 1 });
}

/**
 * Anything that was thrown as an error that a client may see.
 *
 * @param thrown A {@link GatewayError}, or an unforeseen failure.
 * @returns The error itself, or `internal` with the cause kept for the log.
 */
export function toGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  return new GatewayError("internal", "The gateway failed on this request", { cause: thrown });
}
