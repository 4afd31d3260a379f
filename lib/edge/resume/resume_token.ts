/**
 * Whether a client that comes back is the one that left.
 *
 * @module
 */
import { createHmac, timingSafeEqual } from "node:crypto";
import { withoutParameter } from "../../mapping/credentials.ts";
import type { Admitted } from "../admission.ts";
import { toWho } from "../admission/identity.ts";

/**
 * What has to be the same when a client comes back: its secret, who it is, and what it asks for. It is a MAC
 * under the secret, so that nobody who reads the records learns or guesses any of that.
 *
 * @param options `secret`: the client's; `tokenParameter`: of the query, in which tokens change.
 * @returns SHA-256 in base64url.
 */
export function toProof(
  { identity, session, target: { hostTokens, path, query }, protocol }: Admitted,
  { secret, tokenParameter }: { secret: string; tokenParameter: string | undefined },
): string {
  const asked = tokenParameter === undefined ? query : withoutParameter(query, tokenParameter);
  const parts = [toWho(identity), session?.id ?? null, hostTokens, path, asked, protocol];
  return createHmac("sha256", secret).update(JSON.stringify(parts)).digest("base64url");
}

/** Compares without telling by its time where they differ. */
export function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => new TextEncoder().encode(text));
  return a!.length === b!.length && timingSafeEqual(a!, b!);
}
