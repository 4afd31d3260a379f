/**
 * Identity: one of a few shared keys.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import { createHash, timingSafeEqual } from "node:crypto";
import { findCredential, type Identify, type Identity, unauthorized } from "./identity.ts";

/**
 * The client shows a key that is known.
 *
 * @returns What finds out; the time it takes tells nothing of the keys.
 */
export function keyIdentity(keys: readonly string[]): Identify {
  const known = keys.map((key) => ({ of: digest(key), holder: toHolder(key) }));
  return (candidate) => {
    const shown = findCredential(candidate);
    if (shown === undefined) throw unauthorized("A key is needed: Authorization: Bearer <key>");
    const own = digest(shown);
    let found: Identity | undefined;
    for (const { of, holder } of known) if (timingSafeEqual(of, own)) found = holder;
    if (found === undefined) throw unauthorized("The key is not known");
    return found;
  };
}

/** Keys have no names; but who holds one is not who holds another. */
function toHolder(key: string): Identity {
  return { credential: digest(key).toString("base64url") };
}

/** Of one length, as the comparison needs it. */
function digest(key: string): Buffer {
  return createHash("sha256").update(key).digest();
}
