/**
 * Flags, made from a schema: `requestTimeout` is `--request-timeout`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { z } from "zod";
import { findRenamed, suggest } from "./suggest.ts";
import { unwrap } from "./walk.ts";

/** A command line that cannot be understood; the message is one line for the user. */
export class UsageError extends Error {
  /** Always `"UsageError"`. */
  override readonly name = "UsageError";
}

/** One flag of a command. */
export interface Flag {
  /** As in the configuration, e.g. `requestTimeout`. */
  readonly option: string;
  /** Undefined for a switch. */
  readonly placeholder: string | undefined;
  readonly description: string;
  readonly byDefault: string | undefined;
  readonly isRepeatable: boolean;
}

/** What flags say: values by the name of their option, or that something else is asked for. */
export type FlagValues =
  | { readonly kind: "help" }
  | { readonly kind: "version" }
  | {
    readonly kind: "values";
    readonly values: Readonly<Record<string, unknown>>;
    /** What stands beside them. */
    readonly operands: readonly string[];
  };

/**
 * Reads flags, without looking at what their values mean.
 *
 * @param args Without the program's name and the command's.
 * @throws {UsageError} that names the flag and what would be right.
 */
export function readFlags(
  args: readonly string[],
  flags: readonly Flag[],
  mostOperands = 0,
): FlagValues {
  const { tokens } = parseArgs({
    args: [...args],
    strict: false,
    tokens: true,
    options: Object.fromEntries(
      flags.map((flag) => [toFlagName(flag.option), {
        type: flag.placeholder === undefined ? "boolean" : "string",
        multiple: flag.isRepeatable,
      }]),
    ),
  });
  const values: Record<string, unknown> = {};
  const operands: string[] = [];
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      if (operands.push(token.value) <= mostOperands) continue;
      throw new UsageError(
        `Cannot use ${JSON.stringify(token.value)}: expected ${
          mostOperands === 0 ? "flags only" : "no more than that"
        }, see --help`,
      );
    }
    if (token.name === "help" || token.rawName === "-h") return { kind: "help" };
    if (token.name === "version") return { kind: "version" };
    const flag = flags.find(({ option }) => toFlagName(option) === token.name);
    if (flag === undefined) throw unknownFlag(token.rawName, flags);
    const value = token.inlineValue || !isFlag(token.value) ? token.value : undefined;
    values[flag.option] = addValue(flag, value, values[flag.option]);
  }
  return { kind: "values", values, operands };
}

/** `--request-timeout --listen` lacks a value; a single `-` is one, and so is `-5s`, though a bad one. */
function isFlag(value: string | undefined): boolean {
  return value !== undefined && /^-(-|[A-Za-z])/.test(value);
}

/** Flags that belong together, under a title. */
export type FlagGroup = readonly [title: string, flags: readonly Flag[]];

/**
 * Flags as lines of a help text.
 *
 * @param groups Those that there are; `--help` and `--version` are added to the last.
 * @returns For each group its title, where it has one, and one line a flag: what it is called, what it does,
 * its default.
 */
export function renderFlags(groups: readonly FlagGroup[]): string[] {
  const blocks = groups.map(([title, flags]) => ({ title, rows: flags.map(toRow) }));
  blocks.at(-1)?.rows.push(["--help", "Print this"], ["--version", "Print the version"]);
  const width = Math.max(...blocks.flatMap(({ rows }) => rows.map(([flag]) => flag.length)));
  return blocks.flatMap(({ title, rows }, index) => [
    ...(index === 0 ? [] : [""]),
    ...(title === "" ? [] : [`${title}:`]),
    ...rows.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`),
  ]);
}

function toRow(flag: Flag): [flag: string, text: string] {
  const value = flag.placeholder === undefined ? "" : ` ${flag.placeholder}`;
  const byDefault = flag.byDefault === undefined ? "" : ` [${flag.byDefault}]`;
  return [`--${toFlagName(flag.option)}${value}`, flag.description + byDefault];
}

/**
 * The flags of a schema's options; those that are marked `isFileOnly` have none.
 *
 * @param schema Its properties' metadata say what their values are called and what they are for.
 */
export function listFlags({ shape }: z.ZodObject): Flag[] {
  return Object.entries(shape).flatMap(([option, schema]) => {
    const { schema: inner, meta, byDefault } = unwrap(schema);
    const { placeholder, description = "", isFileOnly = false } = meta;
    if (isFileOnly) return [];
    return [{
      option,
      placeholder,
      description,
      byDefault: renderDefault(byDefault),
      isRepeatable: inner instanceof z.ZodArray,
    }];
  });
}

/** The names of those options that have no flag. */
export function listFileOnly({ shape }: z.ZodObject): string[] {
  return Object.keys(shape).filter((option) => unwrap(shape[option]!).meta.isFileOnly);
}

function renderDefault(value: unknown): string | undefined {
  if (value === undefined || value === false) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.join(", ");
  return String(value);
}

function addValue(flag: Flag, value: string | undefined, before: unknown): unknown {
  const name = `--${toFlagName(flag.option)}`;
  if (flag.placeholder === undefined) {
    if (value === undefined || value === "true") return true;
    if (value === "false") return false;
    throw new UsageError(
      `Cannot use ${name}=${value}: it is a switch, expected no value, true or false`,
    );
  }
  if (value === undefined) throw new UsageError(`Cannot use ${name}: expected ${flag.placeholder}`);
  return flag.isRepeatable ? [...(Array.isArray(before) ? before : []), value] : value;
}

function unknownFlag(rawName: string, flags: readonly Flag[]): UsageError {
  const name = rawName.replace(/^-+/, "");
  const renamed = findRenamed(toOptionName(name))
    ?.filter((option) => flags.some((flag) => flag.option === option)) ?? [];
  if (renamed.length > 0) {
    const now = renamed.map((option) => `--${toFlagName(option)}`).join(" and ");
    return new UsageError(`Unknown flag ${rawName}: it is now ${now}`);
  }
  const closest = suggest(name, [
    ...flags.map(({ option }) => toFlagName(option)),
    "help",
    "version",
  ]);
  const hint = closest === undefined ? "see --help" : `did you mean --${closest}?`;
  return new UsageError(`Unknown flag ${rawName}: ${hint}`);
}

/**
 * An option's name on the command line.
 *
 * @param option E.g. `"requestTimeout"`.
 * @returns E.g. `"request-timeout"`.
 */
export function toFlagName(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

function toOptionName(flag: string): string {
  return flag.replace(/-([a-z])/g, (_, letter: string) => letter.toUpperCase());
}
