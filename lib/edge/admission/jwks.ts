/**
 * The keys that sign tokens, fetched and kept.
 *
 * @module
 */
import { createLocalJWKSet, createRemoteJWKSet, customFetch, type JWTVerifyGetKey } from "jose";

const FETCH_TIMEOUT_MS = 5000;

/** How keys are kept. */
export interface JwksOptions {
  /** After how many milliseconds they are fetched again. */
  readonly maxAge: number;
  /** How many milliseconds lie between two fetches for a key that is not there, or from a server that fails. */
  readonly cooldown: number;
  /** Told when fetching again failed; the keys that are there stay. */
  readonly onError: (error: unknown) => void;
  /** The time in milliseconds, for tests. */
  readonly now?: () => number;
}

/**
 * Keys from a URL. They are fetched when the first token comes, when a token names a key that is not
 * there, and in the background when they are old: a server that is down hurts only whoever comes with a
 * new key. It is then asked once per cooldown, whatever tokens come: they are for anybody to make up.
 *
 * @param url Of a JSON Web Key Set (RFC 7517 §5).
 */
export function remoteKeys(
  url: URL,
  { maxAge, cooldown, onError, now = () => performance.now() }: JwksOptions,
): JWTVerifyGetKey {
  let failedAt = Number.NEGATIVE_INFINITY;
  const keys = createRemoteJWKSet(url, {
    timeoutDuration: FETCH_TIMEOUT_MS,
    cooldownDuration: cooldown,
    // By itself it would wait for the new keys, and fail without them.
    cacheMaxAge: Number.POSITIVE_INFINITY,
    // Its own cooldown begins when keys have come; one that fails would be asked again for each token.
    [customFetch]: async (url, init) => {
      if (now() - failedAt < cooldown) throw new Error("The key server failed a moment ago");
      failedAt = now();
      const response = await fetch(url, init);
      const body = await response.text();
      if (response.ok) {
        createLocalJWKSet(JSON.parse(body));
        failedAt = Number.NEGATIVE_INFINITY;
      }
      return new Response(body, { status: response.status });
    },
  });
  let askedAt = now();
  return (header, token) => {
    if (keys.jwks() === undefined) {
      askedAt = now();
    } else if (now() - askedAt > maxAge) {
      askedAt = now();
      keys.reload().catch(onError);
    }
    return keys(header, token);
  };
}
