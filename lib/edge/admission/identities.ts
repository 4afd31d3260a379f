/**
 * Which way of finding out who asks is for which request.
 *
 * @module
 */
import type { JwtConfig } from "../../config/options/identity.ts";
import type { Demands } from "../../mapping/route_table.ts";
import type { EdgeParts } from "../parts.ts";
import { authorizedIdentity, type AuthorizerParts } from "./authorize.ts";
import type { Candidate } from "./check.ts";
import { ANYBODY, type Identify, type Identity } from "./identity.ts";
import { jwtIdentity } from "./jwt.ts";
import { keyIdentity } from "./key.ts";

/** What it takes. */
export type IdentityParts = AuthorizerParts & Pick<EdgeParts, "fileKeys" | "log">;

/** The ways that are configured. */
export class Identities {
  readonly #parts: IdentityParts;
  readonly #authorize: Identify;
  #key: { readonly of: readonly string[]; readonly identify: Identify } | undefined;
  /** Kept as long as its configuration stays the same: it holds fetched keys. */
  #jwt: { readonly of: JwtConfig; readonly identify: Identify } | undefined;

  constructor(parts: IdentityParts) {
    this.#parts = parts;
    this.#authorize = authorizedIdentity(parts);
  }

  /**
   * Finds out who is asking.
   *
   * @param demands What it has to show: each of these.
   * @returns Who it is, at once where that can be known at once.
   * @throws {GatewayError} when it is nobody who may.
   */
  identify(candidate: Candidate, demands: Demands): Identity | Promise<Identity> {
    if (demands.length === 0) return ANYBODY;
    if (demands.length === 1) return this.#toIdentify(demands[0]!)(candidate);
    return this.#identifyAll(candidate, demands.map((kind) => this.#toIdentify(kind)));
  }

  async #identifyAll(candidate: Candidate, all: readonly Identify[]): Promise<Identity> {
    let whole: Identity = {};
    for (const identify of all) whole = merge(whole, await identify(candidate));
    return whole;
  }

  #toIdentify(kind: Demands[number]): Identify {
    switch (kind) {
      case "key":
        return this.#toKey();
      case "jwt":
        return this.#toJwt();
      case "authorize":
        return this.#authorize;
    }
  }

  #toKey(): Identify {
    const { config, fileKeys } = this.#parts;
    const { authorizationKey: keys } = config();
    if (this.#key?.of !== keys) {
      this.#key = { of: keys, identify: keyIdentity([...keys, ...fileKeys]) };
    }
    return this.#key.identify;
  }

  #toJwt(): Identify {
    const { config, log } = this.#parts;
    const { jwt } = config();
    if (jwt === undefined) throw new TypeError("Cannot check tokens: no section jwt");
    if (this.#jwt?.of !== jwt) {
      const onError = (error: unknown) =>
        log.warn("the keys for tokens cannot be fetched again", { error: String(error) });
      this.#jwt = { of: jwt, identify: jwtIdentity(jwt, onError) };
    }
    return this.#jwt.identify;
  }
}

/** The later one knows better, of what it says at all. */
function merge(one: Identity, other: Identity): Identity {
  const said = Object.entries(other).filter(([, value]) => value !== undefined);
  return { ...one, ...Object.fromEntries(said) };
}
