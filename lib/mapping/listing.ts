/**
 * The connection registry over NATS: who asks for a list of WebSocket connections, and what each
 * gateway answers.
 *
 * A request to {@link toListSubject} is answered by every gateway, one reply each; one that has more
 * than fits gives a `cursor`, and the next page is asked of that gateway alone.
 *
 * @module
 */
import { ContractError, type JsonObject, parseJsonObject } from "./contract_error.ts";
import { type About, toAbout } from "./heartbeat.ts";
import { toOwnSubject } from "./names.ts";

/** Which connections are asked for. */
export interface ListRequest {
  /** Those whose messages carry exactly this subject. */
  readonly subject?: string;
  /** Those of this host; its port does not count. */
  readonly host?: string;
  /** At most so many in one reply; a gateway may give fewer. */
  readonly limit?: number;
  /** From the reply before: what comes after it. Only of the gateway that gave it. */
  readonly cursor?: string;
}

/** A WebSocket connection, as a gateway lists it. */
export interface ListedConnection {
  /** Unique among all gateways; the `X-H8s-Connection-Id` of its messages. */
  readonly id: string;
  /** What is published there reaches the client. */
  readonly inbox: string;
  /** What its messages are published to. */
  readonly subject: string;
  /** The `Host` header, as the client sent it. */
  readonly host: string;
  /** The path, exactly as the client sent it. */
  readonly path: string;
  /** The query without `?`; empty if none. */
  readonly query: string;
  /** The client's IP address. */
  readonly remote: string;
  /** When it was established: ISO 8601, UTC, as `Date.prototype.toISOString` writes it. */
  readonly since: string;
  /** The subprotocol that was agreed on; empty if none. */
  readonly protocol: string;
  /** The session it belongs to, where sessions are enabled. */
  readonly session?: string;
}

/** One page of one gateway's connections. */
export interface Listing {
  /** Who answers: the token in `_INBOX.h8s.<gateway>.<id>`. */
  readonly gateway: string;
  readonly connections: readonly ListedConnection[];
  /** Present when there are more: to be sent back to {@link toListSubject} of this gateway. */
  readonly cursor?: string;
  /** What the gateway tells of itself; absent where it is older. */
  readonly about?: About;
}

/**
 * Where lists are asked for.
 *
 * @returns `<prefix>.control.ws.conn.list` or `<prefix>.control.ws.conn.list.<gateway>`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toListSubject } from "./listing.ts";
 *
 * assert.equal(toListSubject("h8s"), "h8s.control.ws.conn.list");
 * assert.equal(toListSubject("h8s", "G1"), "h8s.control.ws.conn.list.G1");
 * ```
 */
export function toListSubject(prefix: string, gateway?: string): string {
  return toOwnSubject(prefix, "list", ...(gateway === undefined ? [] : [gateway]));
}

/** A request's JSON. */
export function renderListRequest({ subject, host, limit, cursor }: ListRequest): string {
  return JSON.stringify({ subject, host, limit, cursor });
}

/**
 * Reads a request. Keys that it does not know are ignored.
 *
 * @param payload The message's; an empty one asks for everything.
 * @throws {ContractError} when it is no such request.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseListRequest } from "./listing.ts";
 *
 * const payload = new TextEncoder().encode('{"host":"example.com","limit":10}');
 * assert.deepEqual(parseListRequest(payload), { host: "example.com", limit: 10 });
 * ```
 */
export function parseListRequest(payload: Uint8Array): ListRequest {
  if (payload.length === 0) return {};
  const json = parseJsonObject(payload, LIST_REQUEST);
  const { limit } = json;
  if (limit !== undefined && !(Number.isSafeInteger(limit) && Number(limit) >= 1)) {
    throw refuse(LIST_REQUEST, "limit", "a whole number of at least 1");
  }
  return {
    ...toOptionalText(json, { key: "subject", what: LIST_REQUEST }),
    ...toOptionalText(json, { key: "host", what: LIST_REQUEST }),
    ...(limit === undefined ? {} : { limit: Number(limit) }),
    ...toOptionalText(json, { key: "cursor", what: LIST_REQUEST }),
  };
}

/**
 * A reply's JSON.
 *
 * @param listing One page of one gateway's connections.
 * @returns JSON, keys in the order of the contract.
 */
export function renderListing({ gateway, connections, cursor, about }: Listing): string {
  return JSON.stringify({ gateway, connections: connections.map(toOrdered), cursor, about });
}

/**
 * Reads a reply. Keys that it does not know are ignored.
 *
 * @returns One page of one gateway's connections.
 * @throws {ContractError} when it is none.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseListing } from "./listing.ts";
 *
 * const payload = new TextEncoder().encode('{"gateway":"G1","connections":[]}');
 * assert.deepEqual(parseListing(payload), { gateway: "G1", connections: [] });
 * ```
 */
export function parseListing(payload: Uint8Array): Listing {
  const json = parseJsonObject(payload, LISTING);
  const { connections } = json;
  if (!Array.isArray(connections)) throw refuse(LISTING, "connections", "a list");
  const gateway = toText(json, { key: "gateway", what: LISTING });
  if (!TOKEN.test(gateway)) throw refuse(LISTING, "gateway", "a token");
  return {
    gateway,
    connections: connections.map((value) => toListed(value, LISTING)),
    ...toOptionalText(json, { key: "cursor", what: LISTING }),
    ...toOptionalAbout(json),
  };
}

const LIST_REQUEST = "a list request";
const LISTING = "a list of connections";
const TOKEN = /^[^\s.*>]+$/;
/** What can be published to: `send` would throw on anything else, or worse. */
const LITERAL_SUBJECT = /^[^\s.*>]+(?:\.[^\s.*>]+)*$/;

/**
 * Reads a connection as a gateway lists it.
 *
 * @param what It is part of, for the error text.
 * @throws {ContractError} when it is none.
 */
export function toListed(value: unknown, what: string): ListedConnection {
  if (typeof value !== "object" || value === null) {
    throw refuse(what, "connections", "a list of objects");
  }
  const json = value as JsonObject;
  const text = (key: string) => toText(json, { key, what });
  const inbox = text("inbox");
  if (!LITERAL_SUBJECT.test(inbox)) throw refuse(what, "inbox", "a subject");
  return {
    id: text("id"),
    inbox,
    subject: text("subject"),
    host: text("host"),
    path: text("path"),
    query: text("query"),
    remote: text("remote"),
    since: text("since"),
    protocol: text("protocol"),
    ...toOptionalText(json, { key: "session", what }),
  };
}

function toOrdered(
  { id, inbox, subject, host, path, query, remote, since, protocol, session }: ListedConnection,
): JsonObject {
  return { id, inbox, subject, host, path, query, remote, since, protocol, session };
}

/** A property that has to be text. */
export function toText(json: JsonObject, { key, what }: { key: string; what: string }): string {
  const value = json[key];
  if (typeof value !== "string") throw refuse(what, key, "a string");
  return value;
}

function toOptionalText<Key extends string>(
  json: JsonObject,
  { key, what }: { key: Key; what: string },
): { [name in Key]?: string } {
  if (json[key] === undefined) return {};
  return { [key]: toText(json, { key, what }) } as { [name in Key]?: string };
}

function toOptionalAbout({ about }: JsonObject): Pick<Listing, "about"> {
  const told = typeof about === "object" && about !== null
    ? toAbout(about as JsonObject)
    : undefined;
  return told === undefined ? {} : { about: told };
}

function refuse(what: string, key: string, expected: string): ContractError {
  return new ContractError(`Cannot read ${what}: "${key}" is not ${expected}`);
}
