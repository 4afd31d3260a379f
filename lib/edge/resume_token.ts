/**
 * Whether a client that comes back is the one that left.
 *
 * @module
 */
import { createHash, timingSafeEqual } from "node:crypto";
import type { ResumeRecord } from "../mapping/resume_record.ts";
import type { Admitted } from "./admission.ts";

/** Who has the token has to ask for the same thing as before, in the same session. */
export function isMeant(
  { connection, info }: ResumeRecord,
  { target, session }: Admitted,
): boolean {
  return connection.hostTokens === target.hostTokens && info.path === target.path &&
    info.query === target.query && info.session === session?.id;
}

/** What is kept of a secret: its SHA-256 in base64url. */
export function toHash(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}

/** Compares without telling by its time where they differ. */
export function isSame(one: string, other: string): boolean {
  const [a, b] = [one, other].map((text) => new TextEncoder().encode(text));
  return a!.length === b!.length && timingSafeEqual(a!, b!);
}
