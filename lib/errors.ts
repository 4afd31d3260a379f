/**
 * One table of everything that can go wrong at the edge: code → HTTP status, title, and whether
 * trying again later can help. The text that a client sees is the title plus the `detail` that
 * whoever throws writes for that client; `cause` stays on our side.
 *
 * @module
 */

interface Row {
  readonly status: number;
  readonly title: string;
  /** Seconds for `Retry-After`. */
  readonly retryAfter?: number;
}

const TABLE = {
  malformed_request: { status: 400, title: "Malformed request" },
  unauthorized: { status: 401, title: "Not authorized" },
  host_not_served: { status: 403, title: "Host not served" },
  origin_not_allowed: { status: 403, title: "Origin not allowed" },
  no_interest: { status: 404, title: "No workload serves this path" },
  method_not_allowed: { status: 405, title: "Method not allowed" },
  unsupported_websocket_version: { status: 426, title: "Unsupported WebSocket version" },
  body_timeout: { status: 408, title: "Body did not come" },
  body_too_large: { status: 413, title: "Body too large" },
  key_reused: { status: 422, title: "Idempotency key used for another request" },
  uri_too_long: { status: 414, title: "Path too long" },
  rate_limited: { status: 429, title: "Too many requests", retryAfter: 1 },
  too_many_connections_from_address: {
    status: 429,
    title: "Too many connections from one address",
    retryAfter: 5,
  },
  headers_too_large: { status: 431, title: "Header block too large" },
  unknown_coding: { status: 501, title: "Unknown transfer coding" },
  internal: { status: 500, title: "Internal error" },
  malformed_reply: { status: 502, title: "Malformed reply" },
  no_responders: { status: 503, title: "No workload is listening", retryAfter: 1 },
  not_stored: { status: 503, title: "Message not stored", retryAfter: 1 },
  nats_unavailable: { status: 503, title: "NATS is not connected", retryAfter: 1 },
  overloaded: { status: 503, title: "Too many requests in flight", retryAfter: 1 },
  too_many_connections: { status: 503, title: "Too many connections", retryAfter: 5 },
  identity_unavailable: { status: 503, title: "Identity cannot be checked", retryAfter: 1 },
  draining: { status: 503, title: "Gateway is draining", retryAfter: 1 },
  reply_timeout: { status: 504, title: "No reply in time" },
} as const satisfies Record<string, Row>;

/** The names of all rows. */
export const ERROR_CODES: readonly string[] = Object.keys(TABLE);

/** The name of a row in the table of errors, e.g. `"no_responders"`. */
export type ErrorCode = keyof typeof TABLE;

/**
 * A failure that a client may be told about.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { GatewayError } from "./errors.ts";
 *
 * const error = new GatewayError("no_responders", "Nobody subscribes to this host and path");
 * assert.equal(error.status, 503);
 * assert.equal(error.retryAfter, 1);
 * ```
 */
export class GatewayError extends Error {
  /** Always `"GatewayError"`. */
  override readonly name = "GatewayError";
  /** Seconds after which trying again makes sense; undefined where it does not. */
  readonly retryAfter: number | undefined;

  /**
   * @param code The row of the table.
   * @param detail One sentence for the client: what happened, what was expected. Never a secret,
   * a stack, or a subject that the client did not already know.
   * @param options `cause` is for the log only; `retryAfter` in seconds, where more is known than the
   * table says.
   */
  constructor(
    readonly code: ErrorCode,
    detail: string,
    options: ErrorOptions & { readonly retryAfter?: number } = {},
  ) {
    super(detail, options);
    const row: Row = TABLE[code];
    this.retryAfter = options.retryAfter ?? row.retryAfter;
  }

  /** The HTTP status that this becomes. */
  get status(): number {
    return TABLE[this.code].status;
  }

  /** A short name of the kind of failure, the same for every occurrence. */
  get title(): string {
    return TABLE[this.code].title;
  }

  /**
   * The error as the JSON of RFC 9457 (`application/problem+json`).
   *
   * @param requestId What the client can quote when it asks for help.
   * @returns An object to be serialised as it is.
   */
  toProblem(requestId: string): {
    type: string;
    title: string;
    status: number;
    detail: string;
    requestId: string;
  } {
    return {
      type: `urn:h8s:error:${this.code}`,
      title: this.title,
      status: this.status,
      detail: this.message,
      requestId,
    };
  }
}

/** What was thrown, as an error: it may be anything. */
export function toError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new Error(String(thrown));
}
