/**
 * Host, method and path ↔ NATS subject tokens. Nothing that a client controls reaches a subject
 * unless it was validated or encoded here.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import type { Branded } from "./branded.ts";
import { isIPv4, isIPv6 } from "./ip.ts";

const METHOD = /^[A-Z][A-Z0-9-]{0,31}$/;
/** Labels between dots. */
const HOST_NAME = /^[A-Za-z0-9_-]{1,63}(?:\.[A-Za-z0-9_-]{1,63})*$/;
const MAX_HOST_LENGTH = 253;
/** `name`, `name:port`, `[v6]` or `[v6]:port`; a bare IPv6 address is looked at separately. */
const AUTHORITY = /^(?:\[([^\]]*)\]|([^:[\]]*))(?::(\d{0,5}))?$/;
/** Segments that need neither decoding nor encoding nor dot-segment removal. */
const PLAIN_PATH = /^[A-Za-z0-9\-_~$&+:=@/]*$/;
const NOT_TOKEN_SAFE = /[^A-Za-z0-9\-_~$&+:=@]/gu;
/** `%` and two digits, or any character that has to be encoded; `%` alone is neither. */
const OCTET_OR_UNSAFE = /%([0-9A-Fa-f]{2})|[^A-Za-z0-9\-_~$&+:=@%]/g;
/** What each octet is in a token. */
const OCTET_TOKENS: readonly string[] = Array.from({ length: 256 }, (_, octet) => {
  const character = String.fromCharCode(octet);
  return octet < 128 && PLAIN_PATH.test(character) && character !== "/"
    ? character
    : `%${octet.toString(16).toUpperCase().padStart(2, "0")}`;
});
const BROKEN_ENCODING = /%(?![0-9A-Fa-f]{2})/;

/** A host as tokens. */
export type HostTokens = Branded<"HostTokens">;

/** A path as tokens. */
export type PathTokens = Branded<"PathTokens">;

/** Where a request goes. */
export type Subject = Branded<"Subject">;

/**
 * The longest subject that is published, in bytes. nats-server cuts a connection whose control
 * line (`HPUB <subject> <reply> <sizes>`) is longer than `max_control_line`, 4096 by default.
 */
export const MAX_SUBJECT_LENGTH = 3800;

/**
 * Says whether a method may become a token: `[A-Z][A-Z0-9-]{0,31}`.
 *
 * @returns `method`, unchanged.
 * @throws {GatewayError} `malformed_request` when it could not be a token, `method_not_allowed`
 * for CONNECT and TRACE.
 */
export function toMethodToken(method: string): string {
  if (!METHOD.test(method)) {
    throw new GatewayError("malformed_request", `Cannot accept the method ${quote(method)}`);
  }
  if (method === "CONNECT" || method === "TRACE") {
    throw new GatewayError("method_not_allowed", `The method ${method} is not served here`);
  }
  return method;
}

/**
 * Splits the port and the brackets off an authority.
 *
 * @param authority A `Host` header or the authority of a URL, e.g. `"[2001:db8::1]:443"`.
 * @returns The bare host in lower case without a trailing dot, e.g. `"2001:db8::1"`.
 * @throws {GatewayError} `malformed_request` when it is neither an IP address nor a name of labels
 * `[A-Za-z0-9_-]{1,63}`, 253 characters in all.
 */
export function toHostName(authority: string): string {
  if (isBareIpv6(authority)) return authority.toLowerCase();
  const parts = AUTHORITY.exec(authority);
  if (parts !== null) {
    const [, bracketed, name, port] = parts;
    if (port === undefined || Number(port) <= 65535) {
      if (bracketed !== undefined) {
        if (isBareIpv6(bracketed)) return bracketed.toLowerCase();
      } else if (name !== undefined) {
        const host = name.endsWith(".") ? name.slice(0, -1) : name;
        if (host.length <= MAX_HOST_LENGTH && HOST_NAME.test(host)) return host.toLowerCase();
      }
    }
  }
  throw new GatewayError("malformed_request", `Cannot accept the host ${quote(authority)}`);
}

/**
 * Turns an authority into subject tokens: a DNS name is reversed, an IPv4 address stays, an IPv6
 * address has `:` → `_`.
 *
 * @param authority A `Host` header or a bare host.
 * @throws {GatewayError} `malformed_request` when {@link toHostName} refuses it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toHostTokens } from "./subject.ts";
 *
 * assert.equal(toHostTokens("foo.bar.example.com:8080"), "com.example.bar.foo");
 * assert.equal(toHostTokens("127.0.0.1"), "127.0.0.1");
 * assert.equal(toHostTokens("[2001:db8::1]:443"), "2001_db8__1");
 * ```
 */
export function toHostTokens(authority: string): HostTokens {
  const host = toHostName(authority);
  if (host.includes(":")) return host.replaceAll(":", "_") as HostTokens;
  return (isIPv4(host) ? host : host.split(".").reverse().join(".")) as HostTokens;
}

/** Asked for only where there are two colons: most hosts are names. */
function isBareIpv6(text: string): boolean {
  const colon = text.indexOf(":");
  return colon !== -1 && text.includes(":", colon + 1) && isIPv6(text);
}

/**
 * Encodes one decoded path segment, or any other client-made text, as one subject token:
 * `A–Z a–z 0–9 - _ ~ $ & + : = @` stay, everything else becomes upper-case UTF-8 `%XX`.
 *
 * @param text Any well-formed string; empty gives an empty string, which is no token.
 * @returns A token without dots, wildcards or white space.
 */
export function encodeToken(text: string): string {
  return text.replace(NOT_TOKEN_SAFE, percentEncode);
}

/**
 * Turns the path of a URL into subject tokens: the one reading of a path that everything is decided by.
 *
 * Empty segments vanish and dot segments are resolved as the URL standard says, for which `\\` is a `/`;
 * then each segment is percent-decoded once, to octets, and encoded as {@link encodeToken} does. Octets and
 * not characters, since a path need not be UTF-8: `/%E9` is an "é" in the links of latin-1 pages.
 *
 * @param path The path as the client sent it, without query, e.g. `"/.oidc//_callback"`.
 * @returns Tokens joined by dots; empty for `/`.
 * @throws {GatewayError} `malformed_request` when a `%` is not followed by two hexadecimal digits.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toPathTokens } from "./subject.ts";
 *
 * assert.equal(toPathTokens("/.oidc/_callback"), "%2Eoidc._callback");
 * assert.equal(toPathTokens("/a%2Fb"), "a%2Fb");
 * assert.equal(toPathTokens("//%61/../%e9/"), "%E9");
 * assert.equal(toPathTokens("//"), "");
 * ```
 */
export function toPathTokens(path: string): PathTokens {
  if (PLAIN_PATH.test(path)) return joinSegments(path);
  if (BROKEN_ENCODING.test(path)) {
    const detail = `Cannot decode the path ${quote(path)}: a % without two hexadecimal digits`;
    throw new GatewayError("malformed_request", detail);
  }
  return joinSegments(resolveDotSegments(path).split("/").map(fromAscii).join("/"));
}

/**
 * One segment of a path as a token; a dot segment is one like any other here.
 *
 * @param segment Percent-encoded where need be.
 * @returns The token; empty for an empty segment.
 */
export function toSegmentToken(segment: string): string {
  return fromAscii(segment.replace(/[^\x20-\x7e]+/g, encodeURIComponent));
}

/**
 * One token as a segment of a URL's path, with the characters that the URL standard leaves alone.
 *
 * @param token From {@link toPathTokens}.
 * @returns The segment; {@link toPathTokens} makes the same token of it.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toPathSegment } from "./subject.ts";
 *
 * assert.equal(toPathSegment("style%2Ecss"), "style.css");
 * assert.equal(toPathSegment("a%2Fb%20%E9"), "a%2Fb%20%E9");
 * ```
 */
export function toPathSegment(token: string): string {
  if (!token.includes("%")) return token;
  const segment = token.replace(/%(?:2[1789ACE]|3B|5B|5D|7C)/g, decodeURIComponent);
  return segment === "." || segment === ".." ? token : segment;
}

/**
 * Undoes {@link toPathTokens} as far as that can be: empty segments and dot segments are gone.
 *
 * @param tokens Tokens joined by dots; empty for the root.
 * @returns A path that starts with `/`, each segment percent-encoded for a URL.
 */
export function fromPathTokens(tokens: string): string {
  return "/" + tokens.split(".").map(toPathSegment).join("/");
}

/** What a message's subject is made of. */
export interface SubjectParts {
  /** The first tokens, `h8s` unless configured. */
  readonly prefix: string;
  /** `http` and a method, `ws` and `ws`, `upload` and a method. */
  readonly scheme: "http" | "ws" | "upload";
  /** An upper-case method, or `ws`. */
  readonly method: string;
  /** From {@link toHostTokens}. */
  readonly host: HostTokens;
  /** From {@link toPathTokens}; empty for the root. */
  readonly path: PathTokens;
}

/**
 * Joins the parts into `<prefix>.<scheme>.<method>.<host>.<path>`.
 *
 * @param parts Tokens that were validated or encoded by this module.
 * @returns The subject; that of `/` ends with the host.
 * @throws {GatewayError} `uri_too_long` when it exceeds {@link MAX_SUBJECT_LENGTH}.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toHostTokens, toPathTokens, toSubject } from "./subject.ts";
 *
 * const [host, path] = [toHostTokens("example.com"), toPathTokens("/users/42")];
 * const subject = toSubject({ prefix: "h8s", scheme: "http", method: "GET", host, path });
 * assert.equal(subject, "h8s.http.GET.com.example.users.42");
 * ```
 */
export function toSubject({ prefix, scheme, method, host, path }: SubjectParts): Subject {
  const root = `${prefix}.${scheme}.${method}.${host}`;
  const subject = path === "" ? root : `${root}.${path}`;
  if (subject.length > MAX_SUBJECT_LENGTH) {
    throw new GatewayError(
      "uri_too_long",
      `The path makes a subject of ${subject.length} bytes; at most ${MAX_SUBJECT_LENGTH} fit`,
    );
  }
  return subject as Subject;
}

/** Reads a host's tokens where they were written: in a subject, or in what is kept of a connection. */
export function readHostTokens(text: string): HostTokens {
  return text as HostTokens;
}

/** Reads a path's tokens where they were written. */
export function readPathTokens(text: string): PathTokens {
  return text as PathTokens;
}

/** Reads a subject where it was written, or made of a template. */
export function readSubject(text: string): Subject {
  return text as Subject;
}

const MAX_PREFIX_LENGTH = 128;

/**
 * Says whether a text can be the first tokens of subjects: literal tokens joined by dots.
 *
 * @param prefix E.g. `"h8s"` or `"acme.edge"`.
 * @returns True when every token is of `A–Z a–z 0–9 - _ ~ $ & + : = @`, and there are at most 128 characters,
 * which leaves of the 4096 of a line of NATS enough for what follows.
 */
export function isSubjectPrefix(prefix: string): boolean {
  return prefix.length <= MAX_PREFIX_LENGTH &&
    prefix.split(".").every((token) => token !== "" && encodeToken(token) === token);
}

/** In place: to split is a call into the runtime. No token has a slash in it. */
function joinSegments(path: string): PathTokens {
  let tokens = "";
  for (let begin = 0; begin < path.length;) {
    const slash = path.indexOf("/", begin);
    const end = slash === -1 ? path.length : slash;
    const segment = path.slice(begin, end);
    if (segment !== "") tokens = tokens === "" ? segment : `${tokens}.${segment}`;
    begin = end + 1;
  }
  return tokens as PathTokens;
}

function fromAscii(segment: string): string {
  return segment.replace(OCTET_OR_UNSAFE, (whole, digits?: string) => {
    const octet = digits === undefined ? whole.charCodeAt(0) : parseInt(digits, 16);
    return OCTET_TOKENS[octet]!;
  });
}

/** A path alone would be read as an authority when it starts with `//`; hence the made-up host. */
function resolveDotSegments(path: string): string {
  return new URL(`http://h${path.startsWith("/") ? "" : "/"}${path}`).pathname;
}

function percentEncode(character: string): string {
  if (character === ".") return "%2E";
  const encoded = encodeURIComponent(character);
  if (encoded !== character) return encoded;
  return `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`;
}

/** Quotes what a client sent, cut short, so that an error text can hold it. */
function quote(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}
