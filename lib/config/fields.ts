/**
 * The kinds of values that options have, each with the text that says what would be right.
 *
 * @module
 */
import { z } from "zod";
import { type Address, parseAddress, parseDurationMs, parseSizeBytes } from "./units.ts";

/** A longer wait would make a timer ring at once. */
const LONGEST_TIMER_MS = 24 * 86_400_000;
const DURATION = `a duration such as "500ms", "5s" or "1m"`;
const SIZE = `a size such as "500B", "64KiB" or "2MiB"`;
const ADDRESS = `HOST:PORT, e.g. "0.0.0.0:8080" or "[::1]:8080"`;

/** What is said of an option besides its type. */
export interface FieldMeta {
  /** One line, for the help and for editors. */
  readonly description?: string;
  /** How its value is called in the help; a switch has none. */
  readonly placeholder?: string;
  /** Has no flag, since no flag could say it. */
  readonly isFileOnly?: boolean;
  /** Text, or the path of a file that holds it. */
  readonly isFile?: boolean;
  /** What is shown instead of a secret. */
  readonly mask?: (value: unknown) => unknown;
}

/**
 * Marks what is never shown, in no error and no `config show`.
 *
 * @param mask What is shown instead.
 */
export function secret<T extends z.ZodType>(schema: T, mask: FieldMeta["mask"] = hide): T {
  return schema.meta({ mask } satisfies FieldMeta) as T;
}

/**
 * A URL as it may be shown. Up to the last `@`, since a password that should be percent-encoded may hold
 * one; a query may be a secret, too.
 *
 * @param url Perhaps none at all.
 * @returns The same without a login and a query.
 */
export function withoutLogin(url: unknown): string {
  return String(url).replace(/\?.*$/s, "").replace(/^([a-z][a-z0-9+.-]*:\/+)?.*@/is, "$1");
}

function hide(value: unknown): unknown {
  // Empty text is what an unset variable leaves.
  return Array.isArray(value) ? value.map(hide) : value === "" ? "" : "***";
}

/**
 * Text that mostly stands in a file: a certificate, a key. The option has the text itself, which needs no
 * permission, or the file's path.
 *
 * @param options `isSecret`: the text is never shown.
 */
export function fileText(description: string, { isSecret = false } = {}) {
  const expected = "expected the path of a file, or its text";
  const text = z.string({ error: () => expected }).min(1, expected);
  const hideText = (value: unknown) => isShownPath(String(value)) ? value : hide(value);
  return (isSecret ? secret(text, hideText) : text).optional()
    .meta({ placeholder: "FILE", description, isFile: true });
}

/**
 * Tells the path of a file from its text.
 *
 * @param text Of an option that {@link fileText} made.
 * @returns True for what could be a path; not for PEM, credentials or the seed of an nkey.
 */
export function isPath(text: string): boolean {
  return !/-----BEGIN|\n|^\s*S[A-Z2-7]{57}\s*$/.test(text);
}

/**
 * Tells whether the path of a file that holds a secret may be shown: what has no separator and no suffix,
 * or is a token or half a seed, may be the secret itself, put where a path was expected.
 *
 * @param text Of an option that {@link fileText} made.
 */
export function isShownPath(text: string): boolean {
  return text === "-" ||
    isPath(text) && /[./\\]/.test(text) && !/^\s*(eyJ|S[A-Z2-7]{20})/.test(text);
}

/**
 * What is said of an option.
 *
 * @returns All that {@link secret} and `meta()` said.
 */
export function toMeta(schema: z.core.$ZodType): FieldMeta {
  return (z.globalRegistry.get(schema) ?? {}) as FieldMeta;
}

/**
 * Text that means something else.
 *
 * @param expected What would be right, as it stands behind "expected".
 * @param parse Gives what the text means, or undefined.
 */
export function parsed<T>(
  expected: string,
  parse: (text: string) => T | undefined,
) {
  return z.string({ error: () => `expected ${expected}` }).transform((text, context) => {
    const value = parse(text);
    if (value !== undefined) return value;
    context.addIssue({ code: "custom", message: `expected ${expected}` });
    return z.NEVER;
  });
}

/**
 * Text of some form.
 *
 * @param expected What would be right, as it stands behind "expected".
 */
export function matching(pattern: RegExp, expected: string) {
  const toReason = (value: unknown) => {
    const isBare = (typeof value === "number" || typeof value === "boolean") &&
      pattern.test(String(value));
    return `expected ${expected}${isBare ? "; put it between quotes" : ""}`;
  };
  return z.string({ error: ({ input }) => toReason(input) }).regex(pattern, `expected ${expected}`);
}

/** An address to listen on. */
export function address() {
  return parsed<Address>(ADDRESS, parseAddress);
}

/**
 * A duration: text with a unit.
 *
 * @param byDefault What it is when nothing is said.
 */
export function duration(byDefault: string, description: string) {
  return lasting()
    .refine(
      (ms) => ms <= LONGEST_TIMER_MS,
      `expected at most ${LONGEST_TIMER_MS / 86_400_000} days, ${LONGEST_TIMER_MS / 3_600_000}h`,
    )
    .prefault(byDefault).meta({ placeholder: "DURATION", description });
}

/** A duration that no timer waits for, so that it may be a year. */
export function lasting() {
  return quantity(DURATION, { parse: parseDurationMs, units: ["s", "ms"] });
}

/**
 * A size: text with a unit.
 *
 * @param byDefault What it is when nothing is said.
 */
export function size(byDefault: string, description: string) {
  return quantity(SIZE, { parse: parseSizeBytes, units: ["B", "MiB"] }).prefault(byDefault)
    .meta({ placeholder: "SIZE", description });
}

/** A whole number: text on the command line. */
export function wholeNumber(min: number, max: number) {
  const expected = `expected a whole number from ${min} to ${max}`;
  const text = z.string({ error: () => expected }).regex(/^\d{1,15}$/, expected).transform(Number);
  return z.union([z.number({ error: () => expected }), text], { error: () => expected })
    .refine((n) => Number.isInteger(n) && n >= min && n <= max, expected);
}

/**
 * How many of something there may be.
 *
 * @param byDefault What it is when nothing is said.
 */
export function count(byDefault: number, description: string) {
  return wholeNumber(0, 1e9).prefault(byDefault).meta({ placeholder: "N", description });
}

/**
 * Several values of one kind; each text may hold some between commas.
 *
 * @param expected What would be right, as it stands behind "expected".
 * @param parse Gives what one text means, or undefined.
 */
export function list<T>(expected: string, parse: (text: string) => T | undefined) {
  return listOf(
    parsed(expected, (text) => {
      const values = text.split(",").map((item) => parse(item.trim()));
      return values.includes(undefined) ? undefined : values as T[];
    }),
    expected,
  ).transform((lists) => lists.flat());
}

/**
 * Several values.
 *
 * @param expected What would be right, as it stands behind "expected".
 */
export function listOf<T extends z.ZodType>(item: T, expected: string) {
  return z.array(item, {
    error: () => `expected a list of ${expected}: in [ ], or each behind a dash`,
  });
}

/** One of several words. */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  return z.enum(words, { error: () => `expected one of ${words.join(", ")}` });
}

/**
 * A check of options that have to fit together. It is made where each of them can be used by itself, so
 * that all that is wrong is told at once.
 *
 * @param check Told of the whole configuration, of which no more than these options can be relied upon.
 * @returns What a schema's `check()` takes.
 */
export function together<T>(
  options: readonly (string & keyof T)[],
  check: (config: T, context: z.RefinementCtx<T>) => void,
) {
  const names: readonly PropertyKey[] = options;
  return z.superRefine<T>(check, {
    when: ({ issues }) =>
      issues.every(({ code, path: [name] = [] }) =>
        name === undefined ? code === "unrecognized_keys" : !names.includes(name)
      ),
  });
}

/** Text with a unit. A bare number would be read as one thing by the one, as another by the other. */
function quantity(
  expected: string,
  { parse, units: [one, other] }: {
    readonly parse: (text: string) => number | undefined;
    readonly units: readonly [one: string, other: string];
  },
) {
  const toReason = (value: unknown) => {
    const bare = typeof value === "number" && value >= 0 ? String(value) : value;
    if (typeof bare !== "string" || !/^\d+(\.\d+)?$/.test(bare)) return `expected ${expected}`;
    const hint = Number(bare) === 0 ? `0${one}` : `${bare}${one} or ${bare}${other}`;
    return `expected ${expected}; write ${hint}`;
  };
  return z.string({ error: ({ input }) => toReason(input) }).transform((text, context) => {
    const value = parse(text);
    if (value !== undefined && Number.isFinite(value)) return value;
    context.addIssue({ code: "custom", message: toReason(text) });
    return z.NEVER;
  });
}
