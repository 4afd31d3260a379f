/**
 * Where clients put what proves who they are, and how a request looks without it.
 *
 * @module
 */
import { readCookie, withoutCookie } from "./cookies.ts";
import type { HeaderEntry } from "./headers.ts";

/** Places besides `Authorization` and the subprotocols, by name; undefined for none. */
export interface CredentialPlaces {
  /** A cookie. */
  readonly cookie?: string | undefined;
  /** A parameter of the query. */
  readonly query?: string | undefined;
}

/**
 * The token of `Authorization: Bearer` (RFC 6750 §2.1).
 *
 * @param headers The client's, names in lower case.
 * @returns The token; undefined where there is none, or anything else than exactly one.
 */
export function findBearer(headers: readonly HeaderEntry[]): string | undefined {
  const value = headers.find(([name]) => name === "authorization")?.[1];
  return /^Bearer +([\x21-\x2b\x2d-\x7e]+)$/i.exec(value ?? "")?.[1];
}

/**
 * A cookie's value as the client sent it.
 *
 * @param headers The client's, names in lower case.
 * @returns The value; undefined without one.
 */
export function findCookie(headers: readonly HeaderEntry[], cookie: string): string | undefined {
  for (const [name, value] of headers) {
    if (name !== "cookie") continue;
    const found = readCookie(value, cookie);
    if (found !== undefined) return found;
  }
  return undefined;
}

/**
 * Headers without credentials.
 *
 * @param headers The client's, names in lower case.
 * @param secrets `authorization`: whether that header goes; `cookie`: which cookie does; `query`: which
 * parameter of the page that led here, as browsers tell it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { withoutCredentials } from "./credentials.ts";
 *
 * const headers = [["authorization", "Bearer x"], ["cookie", "a=1; token=x"]] as const;
 * const rest = withoutCredentials(headers, { authorization: true, cookie: "token" });
 * assert.deepEqual(rest, [["cookie", "a=1"]]);
 * ```
 */
export function withoutCredentials(
  headers: readonly HeaderEntry[],
  { authorization, cookie, query }: CredentialPlaces & { readonly authorization: boolean },
): readonly HeaderEntry[] {
  return headers.flatMap(([name, value]): HeaderEntry[] => {
    if (authorization && name === "authorization") return [];
    if (query !== undefined && name === "referer") return [[name, toURLWithout(query, value)]];
    if (name !== "cookie" || cookie === undefined) return [[name, value]];
    const rest = withoutCookie(value, cookie);
    return rest === "" ? [] : [[name, rest]];
  });
}

/**
 * The value of a query's parameter.
 *
 * @param query Without `?`.
 * @returns The first value, decoded; undefined without one.
 */
export function findParameter(query: string, name: string): string | undefined {
  return new URLSearchParams(query).get(name) ?? undefined;
}

/**
 * A query without a parameter; all else stays as the client wrote it.
 *
 * @param query Without `?`.
 */
export function withoutParameter(query: string, name: string): string {
  return query.split("&").filter((pair) => !new URLSearchParams(pair).has(name)).join("&");
}

function toURLWithout(parameter: string, url: string): string {
  const at = url.indexOf("?");
  if (at === -1) return url;
  const rest = withoutParameter(url.slice(at + 1), parameter);
  return rest === "" ? url.slice(0, at) : `${url.slice(0, at)}?${rest}`;
}
