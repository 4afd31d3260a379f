/**
 * CORS: which pages of other origins may read an answer (the Fetch standard, §3.3).
 *
 * @module
 */
import { type HeaderEntry, HTTP_TOKEN, toCanonicalName } from "./headers.ts";

/** Who answers pages of other origins: the gateway, or the workload by itself. */
export type CorsKind = "gateway" | "workload";

/** All that there are. */
export const CORS_KINDS = ["gateway", "workload"] as const satisfies readonly CorsKind[];

/** What pages of other origins are told. */
export interface CorsRules {
  /** Exact origins in lower case, `*` or `null`. */
  readonly origins: readonly string[];
  /** Headers of an answer that a page may read besides those that it always may. */
  readonly exposed: readonly string[];
  /** How long a browser may remember what a preflight said. */
  readonly maxAgeSeconds: number;
}

/** What pages mostly want to read of an answer. */
export const USUALLY_EXPOSED: readonly string[] = [
  ...["Content-Disposition", "Content-Range", "ETag", "Link", "Location", "Retry-After"],
  "WWW-Authenticate",
];

/** The parts of a request that matter here. */
export interface CorsRequest {
  readonly method: string;
  readonly headers: Headers;
}

const METHOD = "access-control-request-method";
const HEADERS = "access-control-request-headers";
const PRIVATE_NETWORK = "access-control-request-private-network";
/** All that answers may say of it; a workload's own are taken out where the gateway answers. */
const ANSWERS = [
  ...["origin", "credentials", "methods", "headers", "private-network"].map((name) =>
    `allow-${name}`
  ),
  ...["expose-headers", "max-age"],
].map((name) => `access-control-${name}`);

/**
 * Says whether a browser asks if it may ask. What has a body is no such question, whatever else it says.
 *
 * @returns The method that is meant; undefined for any other request.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toPreflightMethod } from "./cors.ts";
 *
 * const headers = new Headers({
 *   "Origin": "https://shop.example",
 *   "Access-Control-Request-Method": "PUT",
 * });
 * assert.equal(toPreflightMethod({ method: "OPTIONS", headers }), "PUT");
 * ```
 */
export function toPreflightMethod(request: CorsRequest): string | undefined {
  if (request.method !== "OPTIONS") return undefined;
  // Whoever looks at a request's `Headers` makes the platform read all of them once more, when it is answered.
  const { headers } = request;
  if (!headers.has("origin")) return undefined;
  if (headers.has("transfer-encoding") || (headers.get("content-length") ?? "0") !== "0") {
    return undefined;
  }
  const meant = headers.get(METHOD);
  return meant !== null && HTTP_TOKEN.test(meant) ? meant : undefined;
}

/**
 * Says whether an origin is listed. Browsers write origins in lower case and leave out a port that the
 * scheme has anyway, so they are compared as they are.
 *
 * @param origin The `Origin` header; several, which no browser sends, are no listed one.
 * @param origins Those that are listed, in lower case.
 * @returns True when it is, or all are.
 */
export function isListed(origin: string, origins: readonly string[]): boolean {
  return origins.includes("*") || origins.includes(origin.toLowerCase());
}

/**
 * What an answer says to the page that asked.
 *
 * @returns Headers; none for an origin that is not listed.
 */
export function toCorsHeaders(request: CorsRequest, rules: CorsRules): HeaderEntry[] {
  const allowed = toAllowed(request, rules);
  if (allowed.length === 0 || rules.exposed.length === 0) return allowed;
  return [...allowed, ["access-control-expose-headers", rules.exposed.join(", ")]];
}

/**
 * What the answer to a preflight says: that what is asked for may be asked for, and no more, so that no
 * browser remembers for one method what another route says of it.
 */
export function toPreflightHeaders(request: CorsRequest, rules: CorsRules): HeaderEntry[] {
  const { headers } = request;
  const vary: HeaderEntry = [
    "vary",
    `Origin, ${toCanonicalName(METHOD)}, ${toCanonicalName(HEADERS)}`,
  ];
  const allowed = toAllowed(request, rules);
  const method = toPreflightMethod(request);
  if (allowed.length === 0 || method === undefined) return [vary];
  const names = (headers.get(HEADERS) ?? "").split(",").map((name) => name.trim())
    .filter((name) => HTTP_TOKEN.test(name));
  const isPrivate = isExact(request, rules) && headers.get(PRIVATE_NETWORK) === "true";
  return [
    ...allowed,
    ["access-control-allow-methods", method],
    ...(names.length === 0 ? [] : [["access-control-allow-headers", names.join(", ")] as const]),
    ...(isPrivate ? [["access-control-allow-private-network", "true"] as const] : []),
    ["access-control-max-age", String(rules.maxAgeSeconds)],
    vary,
  ];
}

/**
 * Puts what an answer says to the page in place of what the workload says, so that nothing stands there
 * twice.
 *
 * @param answer The answer's headers; changed.
 * @param cors From {@link toCorsHeaders}.
 */
export function setCorsHeaders(answer: Headers, cors: readonly HeaderEntry[]): void {
  for (const name of ANSWERS) answer.delete(name);
  for (const [name, value] of cors) answer.set(name, value);
  const vary = answer.get("vary")?.toLowerCase().split(",").map((name) => name.trim()) ?? [];
  // Without it, a cache would hand what is for one origin to another.
  if (!vary.includes("origin") && !vary.includes("*")) answer.append("vary", "Origin");
}

function toAllowed(request: CorsRequest, rules: CorsRules): HeaderEntry[] {
  const origin = request.headers.get("origin");
  if (origin === null || !isListed(origin, rules.origins)) return [];
  if (isExact(request, rules)) {
    return [
      ["access-control-allow-origin", origin],
      ["access-control-allow-credentials", "true"],
    ];
  }
  const isNamed = rules.origins.includes(origin.toLowerCase());
  return [["access-control-allow-origin", isNamed ? origin : "*"]];
}

/** Anybody's sandboxed page is `null`, so that this is nobody to trust with a cookie. */
function isExact({ headers }: CorsRequest, { origins }: CorsRules): boolean {
  const origin = headers.get("origin")?.toLowerCase() ?? "";
  return origin !== "null" && origin !== "*" && origins.includes(origin);
}
