/**
 * Watching: who asks to see the heads of what gateways publish, and what each gateway shows.
 *
 * Whoever subscribed to the subjects themselves would be somebody who listens: then a request that nobody
 * serves gets no answer instead of NATS's word that nobody is there. So it is the gateways who show it.
 *
 * @module
 */
import { ContractError, parseJsonObject } from "./contract_error.ts";
import { findHeader, type HeaderEntry } from "./headers.ts";
import { MASK, maskHeader, maskValue, toVisible } from "./masking.ts";
import { toOwnSubject } from "./names.ts";

/** How often whoever watches says so again, in milliseconds. */
export const WATCH_BEAT_MS = 5000;
/** How long a gateway shows what passes after that was said, in milliseconds. */
export const WATCH_MS = 3 * WATCH_BEAT_MS;
/** Of one who watches. */
const MOST_SUBJECTS = 16;
const LONGEST_SUBJECT = 1024;
/** Of each message: a client can send a hundred. */
const MOST_HEADERS = 40;
const LONGEST_VALUE = 500;
const SUBJECT = /^[^\s.]+(?:\.[^\s.]+)*$/;

/** The head of one message, as it may be shown. */
export interface TapHead {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly subject: string;
  readonly headers: readonly HeaderEntry[];
  /** Of the payload, in bytes. */
  readonly size: number;
}

/** What one gateway has published in a moment. */
export interface TapReport {
  readonly gateway: string;
  readonly heads: readonly TapHead[];
  /** How many more there were. */
  readonly missed: number;
  /** Why this gateway shows nothing. */
  readonly refused?: string;
}

/**
 * Where is said what is watched; the reports go to the reply subject.
 *
 * @returns `<prefix>.control.tap`.
 */
export function toTapSubject(prefix: string): string {
  return toOwnSubject(prefix, "tap");
}

/** Says which subjects are watched, with wildcards; none ends it. */
export function renderTapRequest(subjects: readonly string[]): string {
  return JSON.stringify({ subjects });
}

/**
 * Reads which subjects are watched.
 *
 * @throws {ContractError} when it does not say that.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseTapRequest } from "./tap.ts";
 *
 * const payload = new TextEncoder().encode('{"subjects":["h8s.http.>"]}');
 * assert.deepEqual(parseTapRequest(payload), ["h8s.http.>"]);
 * ```
 */
export function parseTapRequest(payload: Uint8Array): string[] {
  const { subjects } = parseJsonObject(payload, "what to watch");
  const isMeant = Array.isArray(subjects) && subjects.length <= MOST_SUBJECTS &&
    subjects.every((one) =>
      typeof one === "string" && one.length <= LONGEST_SUBJECT && SUBJECT.test(one)
    );
  if (isMeant) return subjects;
  throw new ContractError(
    `Cannot read what to watch: "subjects" is not a list of at most ${MOST_SUBJECTS} subjects`,
  );
}

/** What may be shown of a message. */
export function toTapHead(
  { subject, headers, size }: Omit<TapHead, "at">,
  at: number,
): TapHead {
  // Routes put the session into subjects, and whoever knows it is that client where it is not signed.
  const session = findHeader(headers, "client-id");
  const mask = (text: string) => session ? text.replaceAll(session, MASK) : text;
  return {
    at,
    subject: toVisible(mask(maskValue(subject))),
    headers: headers.slice(0, MOST_HEADERS).map(maskHeader).map(([name, value]) => [
      name.slice(0, LONGEST_VALUE),
      mask(value).slice(0, LONGEST_VALUE),
    ]),
    size,
  };
}

/** A report's JSON. */
export function renderTapReport(report: TapReport): string {
  return JSON.stringify(report);
}

/**
 * Reads a report.
 *
 * @throws {ContractError} when it is none.
 */
export function parseTapReport(payload: Uint8Array): TapReport {
  const { gateway, heads, missed, refused } = parseJsonObject(payload, "what was watched");
  const isMeant = typeof gateway === "string" && Array.isArray(heads) && heads.every(isHead);
  if (!isMeant) throw new ContractError('Cannot read what was watched: expected "heads"');
  return {
    ...{ gateway, heads, missed: Number(missed) || 0 },
    ...(typeof refused === "string" ? { refused } : {}),
  };
}

function isHead(value: unknown): value is TapHead {
  const { at, subject, headers, size } = (value ?? {}) as Partial<Record<keyof TapHead, unknown>>;
  return typeof at === "number" && typeof subject === "string" && typeof size === "number" &&
    Array.isArray(headers) &&
    headers.every((entry) =>
      Array.isArray(entry) && typeof entry[0] === "string" && typeof entry[1] === "string"
    );
}
