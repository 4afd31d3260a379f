/**
 * The way back from a subject that a route made to the requests whose subject it is by the convention.
 *
 * @module
 */
import type { RequestKind } from "./headers.ts";
import { toUploadSubject } from "./request.ts";

/** Whose subject a subject is by the convention. */
export interface Conventional {
  /** Of host and path. */
  readonly tokens: readonly string[];
  readonly method: string;
  readonly kind: RequestKind;
}

/**
 * Finds the requests that have a subject by the convention.
 *
 * @param options `prefix`: of all subjects; `kind`: of the request that it stands for.
 * @returns None for a subject that is the route's own; the head of a large body has one of its own.
 */
export function toConventional(
  subject: string,
  { prefix, kind }: { prefix: string; kind: RequestKind },
): readonly Conventional[] {
  const subjects = kind === "http" ? [subject, toUploadSubject(subject, prefix)] : [subject];
  const found: Conventional[] = [];
  for (const subject of subjects) {
    if (!subject.startsWith(`${prefix}.`)) continue;
    const [scheme, method = "", ...tokens] = subject.slice(prefix.length + 1).split(".");
    // Even where it is no method: who subscribes to all of them hears it.
    const isHttp = scheme === "http" || scheme === "upload";
    if (tokens.length === 0) continue;
    if (scheme === "ws") found.push({ tokens, method: "GET", kind: "websocket" });
    if (isHttp) found.push({ tokens, method, kind: "http" });
  }
  return found;
}
