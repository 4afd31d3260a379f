/**
 * What a workload serves → the subjects that it subscribes to, and which of their messages are its own.
 *
 * @module
 */
import type { Destination } from "./incoming.ts";
import { ANY_HOST_TOKEN } from "./interest.ts";
import {
  type HostTokens,
  type PathTokens,
  toHostName,
  toHostTokens,
  toPathTokens,
} from "./subject.ts";

/** A host that a workload serves, or all of them. */
export type ServedHost =
  | { readonly kind: "any" }
  | { readonly kind: "one"; readonly name: string; readonly tokens: HostTokens };

/** A path that a workload serves: alone, or with everything below it. */
export interface ServedPath {
  /** As it was written, without a final `/*`. */
  readonly path: string;
  /** From `toPathTokens`; empty for the root. */
  readonly tokens: PathTokens;
  readonly match: "exact" | "prefix";
}

/**
 * Reads a host.
 *
 * @param host A name or an IP address, a port does not count; `*` for any.
 * @throws {TypeError} when it is none.
 */
export function toServedHost(host: string): ServedHost {
  if (host === "*") return { kind: "any" };
  try {
    return { kind: "one", name: toHostName(host), tokens: toHostTokens(host) };
  } catch (cause) {
    throw refuse("host", host, { expected: "a name or an IP address", cause });
  }
}

/**
 * Reads a path.
 *
 * @param path Starts with `/`; a final `/*` means everything below it, too.
 * @param match What it means without that.
 * @throws {TypeError} when it does not start with `/`, or is not percent-encoded UTF-8.
 */
export function toServedPath(path: string, match: ServedPath["match"]): ServedPath {
  if (!path.startsWith("/")) {
    throw refuse("path", path, { expected: 'a path that starts with "/"' });
  }
  const isBelow = path.endsWith("/*");
  const parent = isBelow ? path.slice(0, -2) : path;
  try {
    const tokens = toPathTokens(parent);
    return { path: parent === "" ? "/" : parent, tokens, match: isBelow ? "prefix" : match };
  } catch (cause) {
    throw refuse("path", path, { expected: "a path as in a URL", cause });
  }
}

/**
 * The name of a host in subjects and queue groups.
 *
 * @param host From {@link toServedHost}.
 * @returns Its tokens, or a literal one for any host.
 */
export function toHostLabel(host: ServedHost): string {
  return host.kind === "any" ? ANY_HOST_TOKEN : host.tokens;
}

/**
 * The subjects of a host and a path.
 *
 * @param root What comes before the host, e.g. `h8s.http.*` or `h8s.ws.ws`.
 * @param options Host and path. Since nobody knows how many tokens any host has, the path is no part of
 * the subject with `any`.
 * @returns One subject for an exact path, two for a prefix.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toServedHost, toServedPath, toServedSubjects } from "./served.ts";
 *
 * const host = toServedHost("example.com");
 * const path = toServedPath("/api/*", "exact");
 * assert.deepEqual(
 *   toServedSubjects("h8s.http.*", { host, path }),
 *   ["h8s.http.*.com.example.api", "h8s.http.*.com.example.api.>"],
 * );
 * ```
 */
export function toServedSubjects(
  root: string,
  { host, path }: { host: ServedHost; path: ServedPath },
): string[] {
  if (host.kind === "any") return [`${root}.>`];
  const subject = `${root}.${host.tokens}${path.tokens === "" ? "" : `.${path.tokens}`}`;
  return path.match === "exact" ? [subject] : [subject, `${subject}.>`];
}

/**
 * Says whether a message is for a host: a subject that fits may still be a subdomain's.
 *
 * @param host From {@link toServedHost}.
 * @param destination From `toDestination`.
 */
export function servesHost(
  host: ServedHost,
  { hostTokens }: Pick<Destination, "hostTokens">,
): boolean {
  return host.kind === "any" || host.tokens === hostTokens;
}

/**
 * Says whether a path is served.
 *
 * @param path From {@link toServedPath}.
 * @param pathTokens From `toPathTokens`.
 */
export function servesPath({ tokens, match }: ServedPath, pathTokens: PathTokens): boolean {
  if (tokens === pathTokens) return true;
  return match === "prefix" && (tokens === "" || pathTokens.startsWith(`${tokens}.`));
}

/**
 * The most specific of several paths: an exact one, else the longest prefix.
 *
 * @param pathTokens From `toPathTokens`.
 * @returns The item whose path serves it best, or undefined.
 */
export function findServed<Item extends { readonly path: ServedPath }>(
  items: readonly Item[],
  pathTokens: PathTokens,
): Item | undefined {
  let best: Item | undefined;
  for (const item of items) {
    if (servesPath(item.path, pathTokens) && (best === undefined || isNarrower(item, best))) {
      best = item;
    }
  }
  return best;
}

function isNarrower(
  { path: a }: { readonly path: ServedPath },
  { path: b }: { readonly path: ServedPath },
): boolean {
  if (a.match !== b.match) return a.match === "exact";
  return a.tokens.length > b.tokens.length;
}

function refuse(
  what: string,
  value: string,
  { expected, cause }: { expected: string; cause?: unknown },
): TypeError {
  const text = `Cannot serve the ${what} ${JSON.stringify(value)}: it is not ${expected}`;
  return new TypeError(text, { cause });
}
