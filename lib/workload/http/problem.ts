/**
 * What a client gets when no handler answers it: `application/problem+json` (RFC 9457). Nothing of the
 * error itself.
 *
 * @module
 */

import { toProblemResponse } from "../../mapping/problem.ts";

/** A kind of failure. */
export type ProblemKind =
  | "malformed_request"
  | "unknown_host"
  | "internal"
  | "overloaded"
  | "stopping";

const TABLE = {
  malformed_request: {
    status: 400,
    title: "Malformed request",
    detail: "The workload cannot read the request",
  },
  unknown_host: {
    status: 502,
    title: "Unknown host",
    detail: "The gateway does not say which host was asked for, and the workload serves any",
  },
  internal: {
    status: 500,
    title: "Internal error",
    detail: "The workload failed to answer",
  },
  overloaded: {
    status: 503,
    title: "Workload is overloaded",
    detail: "Too many requests wait for the workload",
    retryAfter: "1",
  },
  stopping: {
    status: 503,
    title: "Workload is stopping",
    detail: "The workload stopped before it could answer",
    retryAfter: "1",
  },
} as const satisfies Record<
  ProblemKind,
  { status: number; title: string; detail: string; retryAfter?: string }
>;

/**
 * Makes the response.
 *
 * @param requestId What the client can quote when it asks for help; empty if unknown.
 * @returns A response with `Retry-After` where trying again can help.
 */
export function toFailure(kind: ProblemKind, requestId: string): Response {
  const { status, title, detail, ...row } = TABLE[kind];
  return toProblemResponse(
    { type: `urn:h8s:error:${kind}`, title, status, detail, requestId },
    "retryAfter" in row ? { "retry-after": row.retryAfter } : {},
  );
}
