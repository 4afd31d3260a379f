/**
 * Errors as responses.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import { toProblemResponse } from "../mapping/problem.ts";

const ALLOWED_METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";

/** An error as `application/problem+json` (RFC 9457), with the headers that its status asks for. */
export function toErrorResponse(error: GatewayError, requestId: string): Response {
  const headers = new Headers();
  if (error.retryAfter !== undefined) headers.set("retry-after", String(error.retryAfter));
  // RFC 6750 §3.
  if (error.code === "unauthorized") headers.set("www-authenticate", "Bearer");
  // RFC 9110 §15.5.9. Deno closes it when the rest has come or the client is gone. To break the response off
  // would end it at once, and lose the descriptor for good: the read of the body is still under way (2.9).
  if (error.code === "body_timeout") headers.set("connection", "close");
  if (error.code === "method_not_allowed") headers.set("allow", ALLOWED_METHODS);
  if (error.code === "unsupported_websocket_version") {
    // RFC 6455 §4.4, RFC 9110 §15.5.22 and §7.8.
    headers.set("sec-websocket-version", "13");
    headers.set("upgrade", "websocket");
    headers.set("connection", "upgrade");
  }
  return toProblemResponse(error.toProblem(requestId), headers);
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
