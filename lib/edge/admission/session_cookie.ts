/**
 * The cookie that tells clients apart across requests and connections.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { stringifySetCookie } from "cookie";
import { readCookie, withoutCookie } from "../../mapping/cookies.ts";
import { type HeaderEntry, valueOf } from "../../mapping/headers.ts";
import type { SessionConfig } from "../../config/options/routing.ts";

/** A client's session. */
export interface ClientSession {
  /** One subject token: nothing that needs encoding. */
  readonly id: string;
  /** The client came without one, or with one that is not taken. */
  readonly isNew: boolean;
  /** A `Set-Cookie` value for a client whose cookie is none, or signed with an old key. */
  readonly setCookie: string | undefined;
}

/** What we make, and so all that we take: the id becomes a subject token and a header value. */
const SESSION_ID = /^[A-Za-z0-9_-]{16,64}$/;
/** Behind TLS, so that no other host of the domain can set it (RFC 6265bis §4.1.3.2). */
const HOST_PREFIX = "__Host-";

/**
 * Finds a request's session, or begins one.
 *
 * @param headers The request's, names in lower case.
 * @param options `config`: how the cookie is called, signed and for how long it lives; `isSecure`: whether
 * the client speaks TLS; `newId`: makes an id.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toClientSession } from "./session_cookie.ts";
 *
 * const options = { cookie: "clientId", maxAge: 3_600_000, keys: [] };
 * const config = { ...options, sameSite: "lax" as const };
 * const newId = () => "0123456789abcdef";
 * const session = toClientSession([], { config, isSecure: false, newId });
 * assert.match(session.setCookie ?? "", /^clientId=0123456789abcdef; Max-Age=3600; Path=\/; HttpOnly/);
 * ```
 */
export function toClientSession(
  headers: readonly HeaderEntry[],
  { config, isSecure, newId }: { config: SessionConfig; isSecure: boolean; newId: () => string },
): ClientSession {
  const name = toCookieName(config, isSecure);
  const known = readValue(readCookie(valueOf(headers, "cookie") ?? "", name), config);
  const id = known?.id ?? newId();
  return {
    id,
    isNew: known === undefined,
    setCookie: known?.isCurrent ? undefined : stringifySetCookie({
      name,
      value: toValue(id, config),
      maxAge: Math.floor(config.maxAge / 1000),
      path: "/",
      httpOnly: true,
      sameSite: config.sameSite,
      secure: isSecure,
    }),
  };
}

/** A request's cookies without the session's own, which the first answer gives to a client. */
export function withoutSession(
  cookies: string,
  { config, isSecure }: { config: SessionConfig; isSecure: boolean },
): string {
  return withoutCookie(cookies, toCookieName(config, isSecure));
}

function toCookieName({ cookie }: SessionConfig, isSecure: boolean): string {
  return isSecure && !cookie.startsWith("__") ? HOST_PREFIX + cookie : cookie;
}

/** The id alone, or `<id>.<signature>` with the first key. */
function toValue(id: string, { cookie, keys }: SessionConfig): string {
  const [key] = keys;
  return key === undefined ? id : `${id}.${sign(`${cookie}=${id}`, key).toString("base64url")}`;
}

/** Where there are keys, only what one of them signed is taken; signed with an old one, it is renewed. */
function readValue(
  value: string | undefined,
  { cookie, keys }: SessionConfig,
): { id: string; isCurrent: boolean } | undefined {
  if (value === undefined) return undefined;
  const [id = "", signature = "", ...more] = value.split(".");
  if (!SESSION_ID.test(id) || more.length > 0) return undefined;
  if (keys.length === 0) return value === id ? { id, isCurrent: true } : undefined;
  const shown = Buffer.from(signature, "base64url");
  const index = keys.findIndex((key) => {
    const own = sign(`${cookie}=${id}`, key);
    return own.length === shown.length && timingSafeEqual(own, shown);
  });
  return index === -1 ? undefined : { id, isCurrent: index === 0 };
}

/** Not `crypto.subtle`: that takes five times as long, and a promise. */
function sign(text: string, key: string): Buffer {
  return createHmac("sha256", key).update(text).digest();
}
