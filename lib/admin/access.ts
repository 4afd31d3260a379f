/**
 * Who may look at the page, and who may do something there.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { createHmac, timingSafeEqual } from "node:crypto";
import { BlockList, isIP } from "node:net";
import { parseCookie, stringifySetCookie } from "cookie";

/** As long as a day at work. */
const SESSION_MS = 12 * 3_600_000;
const COOKIE = "h8s-admin";
/** Of the names that a browser may have looked up before it came, those that no other machine can have. */
const LOOPBACK_NAMES = /^(?:localhost|(?:[a-z0-9-]+\.)+localhost)$/;
/** Whoever is behind a proxy on this machine is not on this machine. */
const PROXY_HEADERS = ["forwarded", "via", "x-forwarded-for", "x-forwarded-host", "x-real-ip"];

/** Why somebody is not let in. */
export interface AccessDenied {
  readonly status: 401 | 403;
  /** For whoever runs the gateway. */
  readonly reason: string;
}

/**
 * The door of the page. With a key, whoever shows it comes in: with a cookie that the form of the page gives,
 * or with `Authorization: Bearer`. Without one, only who is on this machine, directly and under one of its own
 * names: else a page of anybody's, whose name suddenly means 127.0.0.1, could read along.
 */
export class Access {
  readonly #readKey: () => string | undefined;
  readonly #now: () => number;

  /**
   * @param readKey The key as it is configured now.
   * @param now The time of day, in milliseconds.
   */
  constructor(readKey: () => string | undefined, now: () => number = Date.now) {
    this.#readKey = readKey;
    this.#now = now;
  }

  /**
   * Looks at who asks.
   *
   * @returns Why not; undefined for who may look.
   */
  refuse(request: Request, remoteAddress: string): AccessDenied | undefined {
    const site = request.headers.get("sec-fetch-site");
    const isNavigation = request.headers.get("sec-fetch-mode") === "navigate";
    if (site !== null && site !== "same-origin" && site !== "none" && !isNavigation) {
      return { status: 403, reason: "Pages of other origins have no business here" };
    }
    const key = this.#readKey();
    if (key === undefined) return refuseStranger(request, remoteAddress);
    if (this.#showsKey(request, key) || this.#showsCookie(request, key)) return undefined;
    return { status: 401, reason: "A key is needed: log in, or send Authorization: Bearer <key>" };
  }

  /**
   * Looks at whether a request that changes something comes from the page itself. A cookie comes with what any
   * page has the browser send; `Origin` says which page it was. Who shows the key by hand is no browser.
   *
   * @param request Of somebody who may look.
   * @returns Why not; undefined for who may.
   */
  refuseChange(request: Request): AccessDenied | undefined {
    const origin = request.headers.get("origin");
    if (origin === null && request.headers.has("authorization")) return undefined;
    if (origin !== null && isOriginOf(origin, request)) return undefined;
    return { status: 403, reason: "Only the page itself may do that" };
  }

  /**
   * Lets somebody in.
   *
   * @param shown What was typed.
   * @returns The cookie; undefined where that is not the key.
   */
  logIn(shown: string, request: Request): string | undefined {
    const key = this.#readKey();
    if (key === undefined || !isSame(shown, key)) return undefined;
    const until = String(this.#now() + SESSION_MS);
    const isSecure = request.headers.get("origin")?.startsWith("https:") === true;
    return renderCookie(`${until}.${sign(until, key)}`, { seconds: SESSION_MS / 1000, isSecure });
  }

  /** The cookie that takes the other one back. */
  logOut(): string {
    return renderCookie("", { seconds: 0, isSecure: false });
  }

  #showsKey(request: Request, key: string): boolean {
    const [, shown] = /^Bearer +(\S+)$/i.exec(request.headers.get("authorization") ?? "") ?? [];
    return shown !== undefined && isSame(shown, key);
  }

  /** What it holds is signed with the key: other gateways with the same key know it, and no table is kept. */
  #showsCookie(request: Request, key: string): boolean {
    const [until = "", signature = ""] =
      (parseCookie(request.headers.get("cookie") ?? "")[COOKIE] ?? "").split(".");
    return isSame(signature, sign(until, key)) && Number(until) > this.#now();
  }
}

function refuseStranger(request: Request, remoteAddress: string): AccessDenied | undefined {
  const isDirect = PROXY_HEADERS.every((name) => !request.headers.has(name));
  const { hostname } = new URL(request.url);
  const isLocal = isLoopback(remoteAddress) &&
    (LOOPBACK_NAMES.test(hostname) || isLoopback(hostname.replace(/^\[(.*)\]$/, "$1")));
  if (isDirect && isLocal) return undefined;
  const reason = "Without --admin-key this page is for http://localhost, on this machine, alone";
  return { status: 403, reason };
}

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet("127.0.0.0", 8, "ipv4");
LOOPBACK.addAddress("::1", "ipv6");

function isLoopback(address: string): boolean {
  const version = isIP(address);
  return version !== 0 && LOOPBACK.check(address, version === 4 ? "ipv4" : "ipv6");
}

/** The scheme is the proxy's business, which speaks TLS for this address where anybody does. */
function isOriginOf(origin: string, request: Request): boolean {
  return URL.canParse(origin) && new URL(origin).host === new URL(request.url).host;
}

function sign(until: string, key: string): string {
  return createHmac("sha256", key).update(`h8s admin page until ${until}`).digest("base64url");
}

/** Takes as long whatever is shown. */
function isSame(shown: string, expected: string): boolean {
  const digest = (text: string): Buffer =>
    createHmac("sha256", "of one length").update(text).digest();
  return timingSafeEqual(digest(shown), digest(expected));
}

function renderCookie(
  value: string,
  { seconds: maxAge, isSecure: secure }: { seconds: number; isSecure: boolean },
): string {
  const rules = { path: "/", maxAge, httpOnly: true, sameSite: "strict", secure } as const;
  return stringifySetCookie({ name: COOKIE, value, ...rules });
}
