/**
 * Identity: one of a few shared keys.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { findCredential, type Identify, type Identity, unauthorized } from "./identity.ts";

/** Keys have no names. */
const HOLDER: Identity = {};

/**
 * The client shows a key that is known.
 *
 * @param keys Several while one replaces another.
 * @returns What finds out; the time it takes tells nothing of the keys.
 */
export function keyIdentity(keys: readonly string[]): Identify {
  const digests = keys.map(digest);
  return (candidate) => {
    const shown = findCredential(candidate);
    if (shown === undefined) throw unauthorized("A key is needed: Authorization: Bearer <key>");
    const own = digest(shown);
    let isKnown = false;
    for (const digest of digests) isKnown = timingSafeEqual(digest, own) || isKnown;
    if (!isKnown) throw unauthorized("The key is not known");
    return HOLDER;
  };
}

/** Of one length, as the comparison needs it. */
function digest(key: string): Uint8Array {
  return createHash("sha256").update(key).digest();
}
