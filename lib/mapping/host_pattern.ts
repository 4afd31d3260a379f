/**
 * Which hosts a filter or a route means, as tokens of subjects.
 *
 * @module
 */
import { isIPv4 } from "node:net";
import { toHostTokens } from "./subject.ts";

/** A host, or all below it. */
export interface HostPattern {
  /** As `toHostTokens` gives them, split. */
  readonly tokens: readonly string[];
  /** Whether it means those below, and not the host itself. */
  readonly isBelow: boolean;
}

/**
 * Reads a pattern.
 *
 * @param text A name or an IP address, or `*.example.com` for all below it.
 * @throws {GatewayError} `malformed_request` when it is neither.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toHostPattern } from "./host_pattern.ts";
 *
 * assert.deepEqual(toHostPattern("*.Example.com"), { tokens: ["com", "example"], isBelow: true });
 * ```
 */
export function toHostPattern(text: string): HostPattern {
  const isBelow = text.startsWith("*.");
  return { tokens: toHostTokens(isBelow ? text.slice(2) : text).split("."), isBelow };
}

/**
 * Says whether a host is meant. Tokens and not names are compared: `[2001:db8::1]` and a host that is
 * called `2001_db8__1` have the same subjects.
 *
 * @param pattern From {@link toHostPattern}.
 */
export function isHostMatch(
  pattern: HostPattern,
  tokens: readonly string[],
  length: number,
): boolean {
  const { tokens: own, isBelow } = pattern;
  if (isBelow ? length <= own.length : length !== own.length) return false;
  return own.every((token, index) => token === tokens[index]);
}

/**
 * A pattern as one would write it.
 *
 * @param pattern From {@link toHostPattern}.
 * @returns E.g. `"*.example.com"`; an IPv6 address has `_` for `:`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { renderHostPattern, toHostPattern } from "./host_pattern.ts";
 *
 * assert.equal(renderHostPattern(toHostPattern("*.Example.com")), "*.example.com");
 * assert.equal(renderHostPattern(toHostPattern("127.0.0.1")), "127.0.0.1");
 * ```
 */
export function renderHostPattern({ tokens, isBelow }: HostPattern): string {
  return (isBelow ? "*." : "") + fromHostTokens(tokens);
}

/**
 * A host as one would write it.
 *
 * @param tokens As `toHostTokens` gives them, split.
 */
export function fromHostTokens(tokens: readonly string[]): string {
  const address = tokens.join(".");
  return isIPv4(address) ? address : tokens.toReversed().join(".");
}
