/**
 * What is kept of a connection outside of its gateway, so that another one can tell its end.
 *
 * @module
 */
import { ContractError, type JsonObject, parseJsonObject } from "./contract_error.ts";

/** What the control events of a connection are made of. */
export interface ConnectionRecord {
  /** What is published there reaches the client; the reply subject of its events. */
  readonly inbox: string;
  /** Where its messages go. */
  readonly subject: string;
  /** From `toHostTokens`. */
  readonly hostTokens: string;
  /** The lines of the header block that all its messages have, latin-1. */
  readonly lines: string;
  /** Only once it is over, and before that is told. */
  readonly end?: ConnectionEnd;
}

/** How a connection ended. */
export interface ConnectionEnd {
  readonly code: number;
  readonly reason: string;
}

const KEYS = ["inbox", "subject", "hostTokens", "lines"] as const;
const RECORD = "a connection's record";

/** A record's JSON. */
export function renderConnectionRecord(
  { inbox, subject, hostTokens, lines, end }: ConnectionRecord,
): string {
  return JSON.stringify({ inbox, subject, hostTokens, lines, end });
}

/**
 * Reads a record. Keys that it does not know are ignored.
 *
 * @param payload JSON in UTF-8.
 * @throws {ContractError} when it is none.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseConnectionRecord, renderConnectionRecord } from "./connection_record.ts";
 *
 * const record = { inbox: "_INBOX.h8s.G.1", subject: "a", hostTokens: "b", lines: "X: \xff\r\n" };
 * const payload = new TextEncoder().encode(renderConnectionRecord(record));
 * assert.deepEqual(parseConnectionRecord(payload), record);
 * ```
 */
export function parseConnectionRecord(payload: Uint8Array): ConnectionRecord {
  const json: JsonObject = parseJsonObject(payload, RECORD);
  for (const key of KEYS) {
    if (typeof json[key] !== "string") {
      throw new ContractError(`Cannot read ${RECORD}: "${key}" is not a string`);
    }
  }
  const { inbox, subject, hostTokens, lines, end } = json as unknown as ConnectionRecord;
  return { inbox, subject, hostTokens, lines, ...(isEnd(end) ? { end } : {}) };
}

/**
 * The id of the connection that a record is of.
 *
 * @returns The id; empty where none is told.
 */
export function toRecordedId({ lines }: Pick<ConnectionRecord, "lines">): string {
  return /^X-H8s-Connection-Id: (.*)\r$/m.exec(lines)?.[1] ?? "";
}

/**
 * The key of a connection's record.
 *
 * @param gateway The token of the gateway that holds it.
 * @returns `<gateway>.<id>`.
 */
export function toRecordKey(gateway: string, id: string): string {
  return `${gateway}.${id}`;
}

function isEnd(json: unknown): json is ConnectionEnd {
  const { code, reason } = (json ?? {}) as Partial<ConnectionEnd>;
  return typeof code === "number" && typeof reason === "string";
}
