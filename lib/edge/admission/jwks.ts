/**
 * The keys that sign tokens, fetched and kept.
 *
 * @module
 */
import { createRemoteJWKSet, type JWTVerifyGetKey } from "jose";

const FETCH_TIMEOUT_MS = 5000;

/** How keys are kept. */
export interface JwksOptions {
  /** After how many milliseconds they are fetched again. */
  readonly maxAge: number;
  /** How many milliseconds lie between two fetches for a key that is not there. */
  readonly cooldown: number;
  /** Told when fetching again failed; the keys that are there stay. */
  readonly onError: (error: unknown) => void;
}

/**
 * Keys from a URL. They are fetched when the first token comes, when a token names a key that is not
 * there, and in the background when they are old: a server that is down hurts only whoever comes with a
 * new key.
 *
 * @param url Of a JSON Web Key Set (RFC 7517 §5).
 * @param options How they are kept.
 * @returns What finds a token's key.
 */
export function remoteKeys(url: URL, { maxAge, cooldown, onError }: JwksOptions): JWTVerifyGetKey {
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: FETCH_TIMEOUT_MS,
    cooldownDuration: cooldown,
    // By itself it would wait for the new keys, and fail without them.
    cacheMaxAge: Number.POSITIVE_INFINITY,
  });
  let askedAt = performance.now();
  return (header, token) => {
    const now = performance.now();
    if (keys.jwks() === undefined) {
      askedAt = now;
    } else if (now - askedAt > maxAge) {
      askedAt = now;
      keys.reload().catch(onError);
    }
    return keys(header, token);
  };
}
