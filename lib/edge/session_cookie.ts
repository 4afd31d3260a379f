/**
 * The cookie that tells clients apart across requests and connections.
 *
 * @module
 */
import { parseCookie, stringifySetCookie } from "cookie";
import type { SessionConfig } from "../config/options/routing.ts";

/** A client's session. */
export interface ClientSession {
  /** One subject token: nothing that needs encoding. */
  readonly id: string;
  /** A `Set-Cookie` value for a client that had none, or one that is no session id. */
  readonly setCookie: string | undefined;
}

/** What we make, and so all that we take: the id becomes a subject token and a header value. */
const SESSION_ID = /^[A-Za-z0-9_-]{16,64}$/;

/**
 * Finds a request's session, or begins one.
 *
 * @param request Its cookies and its scheme are looked at.
 * @param options `config`: how the cookie is called and how long it lives; `newId`: makes an id.
 * @returns The session.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toClientSession } from "./session_cookie.ts";
 *
 * const config = { cookie: "clientId", maxAge: 3_600_000 };
 * const request = new Request("http://localhost/");
 * const session = toClientSession(request, { config, newId: () => "0123456789abcdef" });
 * assert.match(session.setCookie ?? "", /^clientId=0123456789abcdef; Max-Age=3600; Path=\/; HttpOnly/);
 * ```
 */
export function toClientSession(
  request: Request,
  { config, newId }: { config: SessionConfig; newId: () => string },
): ClientSession {
  const known = parseCookie(request.headers.get("cookie") ?? "")[config.cookie];
  if (known !== undefined && SESSION_ID.test(known)) return { id: known, setCookie: undefined };
  const id = newId();
  const setCookie = stringifySetCookie({
    name: config.cookie,
    value: id,
    maxAge: Math.floor(config.maxAge / 1000),
    path: "/",
    httpOnly: true,
    sameSite: "lax",
    secure: request.url.startsWith("https:"),
  });
  return { id, setCookie };
}
