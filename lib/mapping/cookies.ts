/**
 * Cookies that clients send.
 *
 * @module
 */
import { parseCookie } from "cookie";

/** A cookie's value as it was sent, but for quotes around it; of several of the name the first. */
export function readCookie(cookies: string, name: string): string | undefined {
  return parseCookie(cookies, { decode: (value) => value })[name]?.replace(/^"(.*)"$/, "$1");
}

/** The cookies without one; empty where no other is left. */
export function withoutCookie(cookies: string, name: string): string {
  return cookies.split(";").map((pair) => pair.trim())
    .filter((pair) => pair !== "" && pair.split("=", 1)[0]!.trim() !== name)
    .join("; ");
}
