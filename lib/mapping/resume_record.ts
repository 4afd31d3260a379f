/**
 * What is kept of a resumable connection outside of its gateway.
 *
 * @module
 */
import {
  type ConnectionEnd,
  type ConnectionRecord,
  parseConnectionRecord,
} from "./connection_record.ts";
import { ContractError, parseJsonObject } from "./contract_error.ts";
import { toHeaderLine } from "./headers.ts";
import type { ListedConnection } from "./listing.ts";

/** Where a connection's messages go, and come from. */
export interface ResumeRoute {
  readonly subscribe: readonly string[];
  readonly mode: "request" | "publish";
  readonly isPersistent: boolean;
}

/** The record; whoever is its owner holds the connection, and tells its end. */
export interface ResumeRecord {
  /** The gateway that holds it. */
  readonly owner: string;
  /** What its client has to show when it comes back: a MAC under the client's secret, base64url. */
  readonly proof: string;
  readonly windowMs: number;
  /** What its control events are made of. */
  readonly connection: ConnectionRecord;
  /** What is told to those who ask who is connected. */
  readonly info: ListedConnection;
  readonly route: ResumeRoute;
  /**
   * Undefined while its client is there; `at`: when the window ends, in milliseconds since 1970, or
   * {@link OVER}.
   */
  readonly detached?: { readonly end: ConnectionEnd; readonly at: number } | undefined;
}

/** In the place of the time when the window ends: no client may come back, only the end is to be told. */
export const OVER = 0;
/** In the place of a gateway, in keys and inboxes. */
export const RESUME = "resume";

/** A record's JSON. */
export function encodeResumeRecord(record: ResumeRecord): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(record));
}

/**
 * Reads a record that a gateway wrote.
 *
 * @param payload JSON in UTF-8.
 * @throws {ContractError} when it is none.
 */
export function parseResumeRecord(payload: Uint8Array): ResumeRecord {
  const json = parseJsonObject(payload, "a resumable connection's record");
  const { owner, proof, windowMs, connection, info, route } = json;
  if (
    typeof owner !== "string" || typeof proof !== "string" || typeof windowMs !== "number" ||
    typeof info !== "object" || typeof route !== "object"
  ) throw new ContractError("Cannot read a resumable connection's record: it is incomplete");
  parseConnectionRecord(new TextEncoder().encode(JSON.stringify(connection)));
  return json as unknown as ResumeRecord;
}

/**
 * Gives a record to a gateway: its messages name the gateway that holds it.
 *
 * @returns The same record with another owner.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { type ResumeRecord, withOwner } from "./resume_record.ts";
 *
 * const lines = "Host: e\r\nX-H8s-Gateway-Id: G1\r\nX-H8s-Close: x\r\n";
 * const record = { owner: "G1", connection: { lines } } as ResumeRecord;
 * assert.equal(
 *   withOwner(record, "G2").connection.lines,
 *   "Host: e\r\nX-H8s-Gateway-Id: G2\r\nX-H8s-Close: x\r\n",
 * );
 * ```
 */
export function withOwner(record: ResumeRecord, owner: string): ResumeRecord {
  const { connection } = record;
  const own = `\r\n${toHeaderLine("X-H8s-Gateway-Id", record.owner)}`;
  const lines = connection.lines
    .replace(own, () => `\r\n${toHeaderLine("X-H8s-Gateway-Id", owner)}`);
  return { ...record, owner, connection: { ...connection, lines } };
}
