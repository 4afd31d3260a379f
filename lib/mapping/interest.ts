/**
 * Interest: how a workload says which requests it serves, so that a gateway in interest mode can
 * refuse the others.
 *
 * A workload publishes JSON `{"host","path","method"}` to `<prefix>.control.interest.register.<host>`
 * at once and every 5 s, and to `….unregister.<host>` when it stops. What h8s adds to that contract:
 *
 * - `"match":"prefix"`, a fourth key: the path and everything below it;
 * - `"host":"*"`: any host. Its subject ends with {@link ANY_HOST_TOKEN}, since `*` is no literal
 *   token; a gateway looks at the JSON, not at the subject;
 * - `"method":"*"`: any method of HTTP, but not `ws`, which is a WebSocket's;
 * - `"handshake":true`, with `ws`: the workload is asked before a client gets its 101.
 *
 * @module
 */
import { ContractError, parseJsonObject } from "./contract_error.ts";
import { toOwnSubject } from "./names.ts";
import {
  type HostTokens,
  type PathTokens,
  toHostName,
  toHostTokens,
  toPathTokens,
} from "./subject.ts";

/** What stands in a subject for "any host". */
export const ANY_HOST_TOKEN = "_any";

/** How often an interest is repeated, in milliseconds. */
export const INTEREST_INTERVAL_MS = 5000;

/** After how many milliseconds without a repetition an interest is forgotten. */
export const INTEREST_STALE_MS = 60_000;

/** What a workload serves. */
export interface Interest {
  /** A host name or IP address without port, lower case; `*` for any. */
  readonly host: string;
  /** Starts with `/`. */
  readonly path: string;
  /** An upper-case method, `*` for any, or `ws` for a WebSocket's path. */
  readonly method: string;
  /** Present when everything below the path is served, too. */
  readonly match?: "prefix";
  /** Present when the workload wants to be asked before a WebSocket's handshake is accepted. */
  readonly handshake?: true;
}

/** Whether an interest begins (or goes on), or ends. */
export type InterestChange = "register" | "unregister";

/**
 * Where an interest is published.
 *
 * @param options `host`: the interest's; `prefix`: of all subjects.
 * @returns `<prefix>.control.interest.<change>.<host>`.
 * @throws {GatewayError} `malformed_request` when the host is none.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toInterestSubject } from "./interest.ts";
 *
 * const subject = toInterestSubject("register", { prefix: "h8s", host: "shop.example.com" });
 * assert.equal(subject, "h8s.control.interest.register.com.example.shop");
 * ```
 */
export function toInterestSubject(
  change: InterestChange,
  { prefix, host }: { prefix: string; host: string },
): string {
  const tokens = host === "*" ? ANY_HOST_TOKEN : toHostTokens(host);
  return toOwnSubject(prefix, "interest", change, tokens);
}

/**
 * The subject under which a gateway hears all interests begin, or end.
 *
 * @returns `<prefix>.control.interest.<change>.>`.
 */
export function toInterestPattern(change: InterestChange, prefix: string): string {
  return toOwnSubject(prefix, "interest", change, ">");
}

/**
 * An interest's JSON.
 *
 * @returns `{"host","path","method"}`, these keys in this order, then `match` and `handshake` if
 * there are such.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { renderInterest } from "./interest.ts";
 *
 * const json = renderInterest({ host: "example.com", path: "/cart", method: "GET" });
 * assert.equal(json, '{"host":"example.com","path":"/cart","method":"GET"}');
 * ```
 */
export function renderInterest({ host, path, method, match, handshake }: Interest): string {
  return JSON.stringify({ host, path, method, ...toExtras({ match, handshake }) });
}

/**
 * Reads an interest. Keys that it does not know are ignored.
 *
 * @returns The interest; its host without port and in lower case, an empty path as `/`.
 * @throws {ContractError} when it is none.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseInterest } from "./interest.ts";
 *
 * const payload = new TextEncoder().encode('{"host":"E.com:80","path":"/","method":"ws"}');
 * assert.deepEqual(parseInterest(payload), { host: "e.com", path: "/", method: "ws" });
 * ```
 */
export function parseInterest(payload: Uint8Array): Interest {
  const interest = parseJsonObject(payload, "an interest");
  const { host, path, method, match, handshake } = interest;
  if (typeof host !== "string") throw refuse("host", "a host or *");
  if (typeof path !== "string" || !/^(?:$|\/)/.test(path)) throw refuse("path", "a path");
  if (typeof method !== "string" || !/^(?:ws|\*|[A-Z][A-Z0-9-]{0,31})$/.test(method)) {
    throw refuse("method", "an upper-case method, * or ws");
  }
  if (match !== undefined && match !== "prefix") throw refuse("match", '"prefix" or absent');
  if (handshake !== undefined && typeof handshake !== "boolean") {
    throw refuse("handshake", "true, false or absent");
  }
  return {
    host: host === "*" ? host : parseHost(host),
    path: parsePath(path === "" ? "/" : path),
    method,
    ...toExtras({ match, handshake: handshake || undefined }),
  };
}

function toExtras({ match, handshake }: {
  match: Interest["match"] | undefined;
  handshake: Interest["handshake"] | undefined;
}): Pick<Interest, "match" | "handshake"> {
  return {
    ...(match === undefined ? {} : { match }),
    ...(handshake === undefined ? {} : { handshake }),
  };
}

/** A request, as far as interests go. */
export interface InterestingRequest {
  /** From `toHostTokens`. */
  readonly hostTokens: HostTokens;
  /** From `toPathTokens`. */
  readonly pathTokens: PathTokens;
  /** An upper-case method, or `ws` for a WebSocket's handshake. */
  readonly method: string;
}

/**
 * Says whether a request is one that a workload has said it serves.
 *
 * Paths are compared as subjects do: empty segments and a trailing slash add nothing.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { matchesInterest } from "./interest.ts";
 * import { toHostTokens, toPathTokens } from "./subject.ts";
 *
 * const shop = { host: "example.com", path: "/shop", method: "*", match: "prefix" } as const;
 * const [hostTokens, pathTokens] = [toHostTokens("example.com"), toPathTokens("/shop/cart")];
 * const request = { hostTokens, pathTokens, method: "GET" };
 * assert.equal(matchesInterest(shop, request), true);
 * ```
 */
export function matchesInterest(
  { host, path, method, match }: Interest,
  request: InterestingRequest,
): boolean {
  if (host !== "*" && toHostTokens(host) !== request.hostTokens) return false;
  if (method === "*" ? request.method === "ws" : request.method !== method) return false;
  const tokens = toPathTokens(path);
  if (request.pathTokens === tokens) return true;
  return match === "prefix" && (tokens === "" || request.pathTokens.startsWith(`${tokens}.`));
}

function parseHost(host: string): string {
  try {
    return toHostName(host);
  } catch (cause) {
    throw new ContractError(`Cannot read an interest: "host" is ${JSON.stringify(host)}`, {
      cause,
    });
  }
}

function parsePath(path: string): string {
  try {
    toPathTokens(path);
    return path;
  } catch (cause) {
    throw new ContractError(`Cannot read an interest: "path" is ${JSON.stringify(path)}`, {
      cause,
    });
  }
}

function refuse(key: string, expected: string): ContractError {
  return new ContractError(`Cannot read an interest: "${key}" is not ${expected}`);
}
