/**
 * Checks: how large the head of a request is.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import type { Candidate, Check } from "./check.ts";

/**
 * The length of the URL as the client sent it, in characters.
 *
 * @returns The check; it throws `uri_too_long`.
 */
export function urlLength(limit: number): (candidate: Pick<Candidate, "target">) => void {
  return ({ target: { path, query } }) => {
    if (path.length + query.length <= limit) return;
    throw new GatewayError("uri_too_long", `The path and the query are over ${limit} characters`);
  };
}

/**
 * The bytes of all header lines together.
 *
 * @returns The check; it throws `headers_too_large`.
 */
export function headerBytes(limit: number): Check {
  return ({ headers }) => {
    let bytes = 0;
    // ": " and CRLF
    for (const [name, value] of headers) bytes += name.length + value.length + 4;
    if (bytes <= limit) return;
    throw new GatewayError("headers_too_large", `The headers are over ${limit} bytes`);
  };
}

/**
 * How many header lines there are.
 *
 * @returns The check; it throws `headers_too_large`.
 */
export function headerCount(limit: number): Check {
  return ({ headers }) => {
    if (headers.length <= limit) return;
    throw new GatewayError("headers_too_large", `There are over ${limit} headers`);
  };
}
