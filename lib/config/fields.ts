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
const SIZE = `a size such as "2097152", "64KiB" or "2MiB"`;
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
 * @param schema Of the option or of a part of it.
 * @param mask What is shown instead.
 * @returns The schema, marked.
 */
export function secret<T extends z.ZodType>(schema: T, mask: FieldMeta["mask"] = hide): T {
  return schema.meta({ mask } satisfies FieldMeta) as T;
}

function hide(value: unknown): unknown {
  // Empty text is what an unset variable leaves.
  return Array.isArray(value) ? value.map(hide) : value === "" ? "" : "***";
}

/**
 * Text that mostly stands in a file: a certificate, a key. The option has the text itself, which needs no
 * permission, or the file's path.
 *
 * @param description For the help.
 * @param options `isSecret`: the text is never shown.
 * @returns The schema of an option.
 */
export function fileText(description: string, { isSecret = false } = {}) {
  const expected = "expected the path of a file, or its text";
  const text = z.string({ error: () => expected }).min(1, expected);
  const hideText = (value: unknown) => isPath(String(value)) ? value : hide(value);
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
 * What is said of an option.
 *
 * @param schema The option's.
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
 * @returns The schema.
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
 * An address to listen on.
 *
 * @returns The schema.
 */
export function address() {
  return parsed<Address>(ADDRESS, parseAddress);
}

/**
 * A duration: text with a unit, or milliseconds.
 *
 * @param byDefault What it is when nothing is said.
 * @param description For the help.
 * @returns The schema of an option.
 */
export function duration(byDefault: string, description: string) {
  return lasting()
    .refine(
      (ms) => ms <= LONGEST_TIMER_MS,
      `expected at most ${LONGEST_TIMER_MS / 86_400_000} days`,
    )
    .prefault(byDefault).meta({ placeholder: "DURATION", description });
}

/**
 * A duration that no timer waits for, so that it may be a year.
 *
 * @returns The schema.
 */
export function lasting() {
  return quantity(DURATION, parseDurationMs);
}

/**
 * A size: text with a unit, or bytes.
 *
 * @param byDefault What it is when nothing is said.
 * @param description For the help.
 * @returns The schema of an option.
 */
export function size(byDefault: string, description: string) {
  return quantity(SIZE, parseSizeBytes).prefault(byDefault)
    .meta({ placeholder: "SIZE", description });
}

/**
 * A whole number: text on the command line.
 *
 * @param min The least.
 * @param max The most.
 * @returns The schema.
 */
export function wholeNumber(min: number, max: number) {
  const expected = `a whole number from ${min} to ${max}`;
  return quantity(expected, (text) => /^\d{1,15}$/.test(text) ? Number(text) : undefined)
    .refine((n) => Number.isInteger(n) && n >= min && n <= max, `expected ${expected}`);
}

/**
 * How many of something there may be.
 *
 * @param byDefault What it is when nothing is said.
 * @param description For the help.
 * @returns The schema of an option.
 */
export function count(byDefault: number, description: string) {
  return wholeNumber(0, 1e9).prefault(byDefault).meta({ placeholder: "N", description });
}

/**
 * Several values of one kind; each text may hold some between commas.
 *
 * @param expected What would be right, as it stands behind "expected".
 * @param parse Gives what one text means, or undefined.
 * @returns The schema.
 */
export function list<T>(expected: string, parse: (text: string) => T | undefined) {
  return z.array(parsed(expected, (text) => {
    const values = text.split(",").map((item) => parse(item.trim()));
    return values.includes(undefined) ? undefined : values as T[];
  })).transform((lists) => lists.flat());
}

/**
 * One of several words.
 *
 * @param words All that there are.
 * @returns The schema.
 */
export function oneOf<const Words extends readonly string[]>(words: Words) {
  return z.enum(words, { error: () => `expected one of ${words.join(", ")}` });
}

/** Text with a unit, or a number that is in the smallest unit already. */
function quantity(expected: string, parse: (text: string) => number | undefined) {
  const number = z.number({ error: () => `expected ${expected}` }).nonnegative();
  return z.union([number, parsed(expected, parse)], { error: () => `expected ${expected}` });
}
