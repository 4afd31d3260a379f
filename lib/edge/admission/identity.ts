/**
 * Who is asking: what the ways to find out have in common.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { GatewayError } from "../../errors.ts";
import { type HeaderLines, joinLines, NO_LINES, toHeaderLine } from "../../mapping/headers.ts";
import {
  type CredentialPlaces,
  findBearer,
  findCookie,
  findParameter,
} from "../../mapping/credentials.ts";
import { HEADER } from "../../mapping/names.ts";
import type { Candidate } from "./check.ts";

/** What is known of whoever asks. */
export interface Identity {
  /** Who it is, for workloads; bytes as latin-1. */
  readonly subject?: string | undefined;
  /** More of who it is, for workloads: JSON in base64url. */
  readonly claims?: string | undefined;
  /** What it has shown, as a digest, where nothing else says who it is. */
  readonly credential?: string | undefined;
  /** When it ends, in milliseconds since 1970; undefined for never. */
  readonly expiresAt?: number | undefined;
  /** The session that an authorizer gives it. */
  readonly sessionId?: string | undefined;
  /** The subprotocol that an authorizer picks. */
  readonly protocol?: string | undefined;
  /** `Set-Cookie` values that an authorizer gives it. */
  readonly setCookies?: readonly string[];
}

/**
 * A way to find out who is asking.
 *
 * @throws {GatewayError} when it is nobody who may.
 */
export type Identify = (candidate: Candidate) => Identity | Promise<Identity>;

/** Where nobody is asked who they are. */
export const ANYBODY: Identity = {};

/**
 * Finds the credential that a client shows: `Authorization: Bearer`, else the subprotocol `bearer.<token>`,
 * else the cookie, which is for WebSockets since other pages' requests bring it along, else the query.
 *
 * @returns The credential; undefined without one.
 */
export function findCredential(
  { headers, offer, target, kind }: Candidate,
  { cookie, query }: CredentialPlaces = {},
): string | undefined {
  const token = findBearer(headers) ?? offer?.asides.bearer;
  if (token !== undefined) return token;
  const inCookie = cookie !== undefined && kind === "websocket"
    ? findCookie(headers, cookie)
    : undefined;
  return inCookie ?? (query === undefined ? undefined : findParameter(target.query, query));
}

/** What workloads are told of an identity. */
export function toIdentityLines({ subject, claims }: Identity): HeaderLines {
  return joinLines(
    subject === undefined ? NO_LINES : toHeaderLine(HEADER.subject, subject),
    claims === undefined ? NO_LINES : toHeaderLine(HEADER.claims, claims),
  );
}

/** Says whether anything tells this client from others. */
export function isKnown({ subject, claims, credential, sessionId }: Identity): boolean {
  return (subject ?? claims ?? credential ?? sessionId) !== undefined;
}

/** What a renewed token changes, and nobody is another one for (RFC 7519 §4.1). */
const CLAIMS_OF_ONE_TOKEN: ReadonlySet<string> = new Set(["exp", "iat", "nbf", "jti"]);

/**
 * Tells one client from another, whatever token of the same kind it shows.
 *
 * @returns The same text for the same client; no credential can be read in it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toWho } from "./identity.ts";
 *
 * const of = (claims: unknown) => toWho({ claims: btoa(JSON.stringify(claims)) });
 * assert.equal(of({ sub: "ann", exp: 1 }), of({ exp: 2, sub: "ann" }));
 * assert.notEqual(of({ sub: "ann", role: "admin" }), of({ sub: "ann" }));
 * ```
 */
export function toWho({ subject, claims, credential, sessionId }: Identity): string {
  const lasting = claims === undefined ? undefined : toLastingClaims(claims);
  return JSON.stringify([subject, lasting, credential, sessionId].map((part) => part ?? null));
}

/** An authorizer may say what it likes: what is no JSON object is compared as it is. */
function toLastingClaims(claims: string): string {
  let json: unknown;
  try {
    json = JSON.parse(Buffer.from(claims, "base64url").toString());
  } catch {
    return claims;
  }
  if (!isObject(json)) return claims;
  const lasting = Object.entries(json).filter(([name]) => !CLAIMS_OF_ONE_TOKEN.has(name));
  return JSON.stringify(lasting.toSorted(byName), (_, value) => {
    return isObject(value) ? { of: Object.entries(value).toSorted(byName) } : value;
  });
}

function byName([one]: [string, unknown], [other]: [string, unknown]): number {
  return one < other ? -1 : 1;
}

function isObject(json: unknown): json is Record<string, unknown> {
  return typeof json === "object" && json !== null && !Array.isArray(json);
}

/**
 * The refusal of a client that does not show what is asked for.
 *
 * @param options `cause` for the log.
 */
export function unauthorized(detail: string, options: ErrorOptions = {}): GatewayError {
  return new GatewayError("unauthorized", detail, options);
}
