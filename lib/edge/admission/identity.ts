/**
 * Who is asking: what the ways to find out have in common.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import { toHeaderLine } from "../../mapping/headers.ts";
import {
  type CredentialPlaces,
  findBearer,
  findCookie,
  findParameter,
} from "../../mapping/credentials.ts";
import type { Candidate } from "./check.ts";

/** What is known of whoever asks. */
export interface Identity {
  /** Who it is, for workloads; bytes as latin-1. */
  readonly subject?: string | undefined;
  /** More of who it is, for workloads: JSON in base64url. */
  readonly claims?: string | undefined;
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
 * @param candidate Who wants to get in.
 * @param places Where else to look.
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

/**
 * What workloads are told of an identity.
 *
 * @param identity Who it is.
 * @returns Lines for a NATS header block.
 */
export function toIdentityLines({ subject, claims }: Identity): string {
  return (subject === undefined ? "" : toHeaderLine("X-H8s-Subject", subject)) +
    (claims === undefined ? "" : toHeaderLine("X-H8s-Claims", claims));
}

/**
 * The refusal of a client that does not show what is asked for.
 *
 * @param detail For the client.
 * @param options `cause` for the log.
 * @returns The error.
 */
export function unauthorized(detail: string, options: ErrorOptions = {}): GatewayError {
  return new GatewayError("unauthorized", detail, options);
}
