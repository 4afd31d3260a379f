/**
 * By what a stream knows a message that comes again: `Nats-Msg-Id`.
 *
 * A stream compares ids across all its subjects and clients. So each id says who speaks, and where: one
 * client's `1` is not another's, nor that of another path, host or tab.
 *
 * @module
 */
import { createHash } from "node:crypto";
import { GatewayError } from "../errors.ts";
import type { NumberedMessage } from "./ack.ts";

/** Printable ASCII; as a quoted string or bare. */
const IDEMPOTENCY_KEY = /^(?:"([\x20-\x21\x23-\x7e]{1,255})"|([\x21\x23-\x7e]{1,255}))$/;

/** Whose key it is: all that two requests must have in common to be one. */
export interface KeyScope {
  /** Who asks, as one text; empty where that is not known. */
  readonly who: string;
  readonly method: string;
  /** Where the message goes. A template may send two paths, or two hosts, to one subject. */
  readonly subject: string;
  readonly hostTokens: string;
  readonly pathTokens: string;
}

/**
 * The message id of a request that says by which key it can be recognised when it comes again.
 *
 * @param key The value of `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header): quoted, or bare.
 * @returns The id; it ends with the key.
 * @throws {GatewayError} `malformed_request` when the key is none.
 */
export function toKeyId(
  key: string,
  { who, method, subject, hostTokens, pathTokens }: KeyScope,
): string {
  const match = IDEMPOTENCY_KEY.exec(key);
  if (match === null) {
    const detail = "Cannot accept the Idempotency-Key: expected 1 to 255 printable characters";
    throw new GatewayError("malformed_request", detail);
  }
  const scope = digest(JSON.stringify([who, method, subject, hostTokens, pathTokens]));
  return `key:${scope}:${match[1] ?? match[2]}`;
}

/**
 * By what a request is known to be the same one: the rest of what it says besides its {@link KeyScope}.
 *
 * @param query Without `?`.
 */
export function toFingerprint(query: string, body: Uint8Array): string {
  const hash = createHash("sha256").update(JSON.stringify(query)).update("\n").update(body);
  return hash.digest("base64url");
}

/** Whose number it is. */
export interface NumberScope {
  /** How the client names itself. */
  readonly ackClient: string;
  /** Who it was found to be, as one text. */
  readonly who: string;
  readonly subject: string;
  readonly hostTokens: string;
  readonly pathTokens: string;
}

/**
 * What the ids of a client's numbered messages begin with, where it names itself: the same on a later
 * connection. Where it does not, its numbers hold for one connection, whose id takes the place.
 *
 * @returns The text; nobody can read in it who it is.
 */
export function toNumberScope(
  { ackClient, who, subject, hostTokens, pathTokens }: NumberScope,
): string {
  return `client:${digest(JSON.stringify([ackClient, who, subject, hostTokens, pathTokens]))}`;
}

/**
 * The id of a numbered message. It holds what is said as well: so that an acknowledgement is always of this
 * message, whatever else was said under its number before.
 *
 * @param scope From {@link toNumberScope}, or of one connection.
 * @param message Number, kind and bytes.
 */
export function toNumberedId(scope: string, { id, kind, bytes }: NumberedMessage): string {
  return `${scope}:${id}:${kind}:${digest(bytes)}`;
}

/**
 * A digest in characters that a subject token and a header can have.
 *
 * @param data Text or bytes.
 * @returns 43 characters of base64url.
 */
export function digest(data: string | Uint8Array): string {
  return createHash("sha256").update(data).digest("base64url");
}
