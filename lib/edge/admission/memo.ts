/**
 * Who showed which token: checking a signature costs more than all the rest of a request.
 *
 * @module
 */
import type { Identity } from "./identity.ts";

/** Some megabytes; whoever was found out first is forgotten first. */
const MAX_TOKENS = 10_000;

/** Identities that were found out, for a while. */
export class IdentityMemo {
  readonly #known = new Map<string, { readonly identity: Identity; readonly until: number }>();
  readonly #keepMs: number;

  /**
   * @param keepMs How long an identity is believed without being found out again, in milliseconds; never
   * beyond its own end.
   */
  constructor(keepMs: number) {
    this.#keepMs = keepMs;
  }

  /**
   * Whose token it is.
   *
   * @param now In milliseconds since 1970.
   * @returns The identity; undefined when it has to be found out.
   */
  find(token: string, now: number = Date.now()): Identity | undefined {
    const known = this.#known.get(token);
    if (known === undefined) return undefined;
    if (known.until > now) return known.identity;
    this.#known.delete(token);
    return undefined;
  }

  /**
   * Remembers what was found out.
   *
   * @param now In milliseconds since 1970.
   */
  keep(token: string, identity: Identity, now: number = Date.now()): void {
    const until = Math.min(now + this.#keepMs, identity.expiresAt ?? Number.POSITIVE_INFINITY);
    this.#known.set(token, { identity, until });
    if (this.#known.size <= MAX_TOKENS) return;
    const [oldest] = this.#known.keys();
    this.#known.delete(oldest!);
  }
}
