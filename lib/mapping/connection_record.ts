/**
 * What is kept of a connection outside of its gateway, so that another one can tell its end.
 *
 * @module
 */
import type { CloseInfo } from "./close.ts";
import { ContractError, type JsonObject, parseJsonObject } from "./contract_error.ts";
import { type HeaderLines, toHeaderLine, toHeaderLines } from "./headers.ts";
import { type ListedConnection, toListed, toText } from "./listing.ts";
import { decodeLatin1 } from "./latin1.ts";
import { HEADER } from "./names.ts";
import { type HostTokens, readHostTokens, readSubject, type Subject } from "./subject.ts";

/** What the control events of a connection are made of. */
export interface ConnectionRecord {
  /** What is published there reaches the client; the reply subject of its events. */
  readonly inbox: string;
  /** Where its messages go. */
  readonly subject: Subject;
  /** From `toHostTokens`. */
  readonly hostTokens: HostTokens;
  /** The lines of the header block that all its messages have, latin-1. */
  readonly lines: HeaderLines;
  /** Only once it is over, and before that is told. */
  readonly end?: CloseInfo;
}

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
  readonly detached?: { readonly end: CloseInfo; readonly at: number } | undefined;
}

/** In the place of the time when the window ends: no client may come back, only the end is to be told. */
export const OVER = 0;
/** In the place of a gateway, in keys and inboxes. */
export const RESUME = "resume";

const ID_NAME = `${HEADER.connectionId}: `;
/** In lines. One text: to put it together each time makes looking for it ten times as slow. */
const ID_LINE = `\n${ID_NAME}`;
/** How {@link encodeResumeRecord} begins. */
const OWNER = /^\{"owner":"([\w-]+)",/;
const OWNER_BYTES = 128;
const RECORD = "a connection's record";
const RESUMABLE = "a resumable connection's record";

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
 * import { toHeaderLine } from "./headers.ts";
 * import { readSubject, toHostTokens } from "./subject.ts";
 *
 * const [subject, hostTokens] = [readSubject("a"), toHostTokens("b")];
 * const lines = toHeaderLine("X", "\xff");
 * const record = { inbox: "_INBOX.h8s.G.1", subject, hostTokens, lines };
 * const payload = new TextEncoder().encode(renderConnectionRecord(record));
 * assert.deepEqual(parseConnectionRecord(payload), record);
 * ```
 */
export function parseConnectionRecord(payload: Uint8Array): ConnectionRecord {
  return toRecord(parseJsonObject(payload, RECORD), RECORD);
}

/**
 * The id of the connection that a record is of.
 *
 * @returns The id; empty where none is told.
 */
export function toRecordedId({ lines }: Pick<ConnectionRecord, "lines">): string {
  // The gateway's own lines are the last ones.
  const at = lines.lastIndexOf(ID_LINE) + 1;
  const end = lines.indexOf("\r", at);
  return lines.startsWith(ID_NAME, at) ? lines.slice(at + ID_NAME.length, end) : "";
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

/** A record's JSON. */
export function encodeResumeRecord({ owner, ...record }: ResumeRecord): Uint8Array {
  // The owner first, for readOwner().
  return new TextEncoder().encode(JSON.stringify({ owner, ...record }));
}

/**
 * Reads a resumable connection's record. Keys that it does not know are ignored.
 *
 * @param payload JSON in UTF-8.
 * @throws {ContractError} when it is none.
 */
export function parseResumeRecord(payload: Uint8Array): ResumeRecord {
  const json = parseJsonObject(payload, RESUMABLE);
  const { owner, proof, windowMs, connection, info, detached } = json;
  if (typeof owner !== "string" || typeof proof !== "string" || typeof windowMs !== "number") {
    throw new ContractError(`Cannot read ${RESUMABLE}: it is incomplete`);
  }
  return {
    owner,
    proof,
    windowMs,
    connection: toRecord(toObject(connection), RESUMABLE),
    info: toListed(info, RESUMABLE),
    route: toRoute(toObject(json.route)),
    ...(isDetached(detached) ? { detached } : {}),
  };
}

/**
 * The same of a record that a gateway of another version may have written.
 *
 * @returns Undefined when it cannot be read.
 */
export function readResumeRecord(payload: Uint8Array): ResumeRecord | undefined {
  try {
    return parseResumeRecord(payload);
  } catch {
    return undefined;
  }
}

/**
 * Says who holds a resumable connection, as a rule without reading the rest of its record: of thousands few
 * are of interest.
 *
 * @param payload JSON in UTF-8.
 * @returns The gateway; undefined where the record cannot be read.
 */
export function readOwner(payload: Uint8Array): string | undefined {
  const [, owner] = OWNER.exec(decodeLatin1(payload.subarray(0, OWNER_BYTES))) ?? [];
  return owner ?? readResumeRecord(payload)?.owner;
}

/**
 * Gives a record to a gateway: its messages name the gateway that holds it.
 *
 * @returns The same record with another owner.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { type ResumeRecord, withOwner } from "./connection_record.ts";
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
  const own = `\r\n${toHeaderLine(HEADER.gatewayId, record.owner)}`;
  const lines = toHeaderLines(
    connection.lines.replace(own, () => `\r\n${toHeaderLine(HEADER.gatewayId, owner)}`),
  );
  return { ...record, owner, connection: { ...connection, lines } };
}

function toRecord(json: JsonObject, what: string): ConnectionRecord {
  const text = (key: string) => toText(json, { key, what });
  return {
    inbox: text("inbox"),
    subject: readSubject(text("subject")),
    hostTokens: readHostTokens(text("hostTokens")),
    lines: toHeaderLines(text("lines")),
    ...(isEnd(json.end) ? { end: json.end } : {}),
  };
}

function toRoute({ subscribe, mode, isPersistent }: JsonObject): ResumeRoute {
  const isText = (value: unknown) => typeof value === "string";
  if (
    !Array.isArray(subscribe) || !subscribe.every(isText) || typeof isPersistent !== "boolean" ||
    (mode !== "request" && mode !== "publish")
  ) throw new ContractError(`Cannot read ${RESUMABLE}: "route" is none`);
  return { subscribe, mode, isPersistent };
}

function isDetached(json: unknown): json is NonNullable<ResumeRecord["detached"]> {
  const { end, at } = toObject(json);
  return isEnd(end) && typeof at === "number";
}

function toObject(json: unknown): JsonObject {
  return typeof json === "object" && json !== null ? json as JsonObject : {};
}

function isEnd(json: unknown): json is CloseInfo {
  const { code, reason } = (json ?? {}) as Partial<CloseInfo>;
  return typeof code === "number" && typeof reason === "string";
}
