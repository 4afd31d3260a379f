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

interface HostNode {
  readonly literals: Map<string, HostNode>;
  isHost: boolean;
  isAbove: boolean;
}

/**
 * Hosts that are meant: a look-up walks the host, not all patterns.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { HostSet, toHostPattern } from "./host_pattern.ts";
 *
 * const hosts = new HostSet(["*.example.com", "example.org"].map(toHostPattern));
 * assert.ok(hosts.has(["com", "example", "shop"], 3));
 * assert.ok(!hosts.has(["com", "example", "shop"], 2));
 * ```
 */
export class HostSet {
  readonly #root: HostNode = { literals: new Map(), isHost: false, isAbove: false };

  constructor(patterns: readonly HostPattern[]) {
    for (const { tokens, isBelow } of patterns) {
      let node = this.#root;
      for (const token of tokens) {
        let next = node.literals.get(token);
        if (next === undefined) {
          node.literals.set(token, next = { literals: new Map(), isHost: false, isAbove: false });
        }
        node = next;
      }
      if (isBelow) node.isAbove = true;
      else node.isHost = true;
    }
  }

  /**
   * Says whether a host is meant, as {@link isHostMatch} says it of one pattern.
   *
   * @param tokens Of which the first `length` are the host's.
   */
  has(tokens: readonly string[], length: number): boolean {
    let node = this.#root;
    for (let depth = 0; depth < length; depth++) {
      if (node.isAbove) return true;
      const next = node.literals.get(tokens[depth]!);
      if (next === undefined) return false;
      node = next;
    }
    return node.isHost;
  }
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
