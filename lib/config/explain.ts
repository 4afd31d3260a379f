/**
 * What is wrong with a configuration, for whoever wrote it: which flag, or which line of which file.
 *
 * @module
 */
import { z } from "zod";
import { findSecondReaders } from "./files.ts";
import { toFlagName } from "./flag_table.ts";
import { valueAt } from "./issues.ts";
import type { Written } from "./load.ts";
import { ConfigError, ConfigFileError, type ConfigProblem } from "./options.ts";
import { findProblems } from "./schema.ts";
import { present } from "./walk.ts";

/** Where a configuration comes from. */
export interface Origin {
  readonly schema: z.ZodObject;
  /** As they stand on the command line; they win. */
  readonly flags: Readonly<Record<string, unknown>>;
  /** As it stands in a file; undefined for none. */
  readonly written: Written | undefined;
  /** True where that file was standard input. */
  readonly isStdinTaken?: boolean;
}

/**
 * Does something with a configuration, and tells of what is wrong with it in the words of its origin. What
 * a flag overrides has to be right, too.
 *
 * @param work Is handed the options of file and flags together.
 * @returns What `work` does.
 * @throws {ConfigFileError} with a line for everything that is wrong.
 */
export function explained<T>(origin: Origin, work: (options: Record<string, unknown>) => T): T {
  const { schema, flags, written, isStdinTaken = false } = origin;
  const options: Record<string, unknown> = { ...written?.options, ...flags };
  const overridden = written === undefined ? [] : findProblems(toFields(schema), written.options)
    .filter(({ path: [option = ""] }) => Object.hasOwn(flags, option));
  const inFile = overridden.map((problem) => renderInFile(problem, written!));
  for (const problem of isStdinTaken ? findSecondReaders(schema, options, "--config") : []) {
    inFile.push(render(problem, origin));
    // Whoever reads it would find it empty.
    delete options[problem.path[0]!];
  }
  try {
    const result = work(options);
    if (inFile.length === 0) return result;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    inFile.push(...error.problems.map((problem) => render(problem, origin)));
  }
  inFile.sort((a, b) => a.line - b.line || a.col - b.col);
  throw new ConfigFileError([...new Set(inFile.map(({ text }) => text))].join("\n"));
}

/** Checks flags by themselves: each for what it says, not for what else it takes. */
export function checkFlags(
  schema: z.ZodObject,
  flags: Readonly<Record<string, unknown>>,
): string[] {
  return findProblems(toFields(schema), flags)
    .filter(({ path: [option = ""] }) => Object.hasOwn(flags, option))
    .map((problem) => renderFlag(problem, { schema, flags }));
}

/** The options one by one, without what they have to be together. */
function toFields(schema: z.ZodObject): z.ZodObject {
  return z.strictObject(schema.shape);
}

interface Line {
  readonly line: number;
  readonly col: number;
  readonly text: string;
}

function render(problem: ConfigProblem, { schema, flags, written }: Origin): Line {
  const [option = ""] = problem.path;
  if (written !== undefined && !Object.hasOwn(flags, option)) return renderInFile(problem, written);
  return { line: 0, col: 0, text: renderFlag(problem, { schema, flags }) };
}

function renderInFile(
  { path, reason, isUnknown = false }: ConfigProblem,
  { name, locate, options }: Written,
): Line {
  const { line, col } = locate(path, isUnknown ? "name" : undefined);
  const missing = isUnknown || valueAt(options, path) !== undefined ? "" : "it is missing, ";
  const what = path.length === 0 ? "" : `${path.join(".")}: ${missing}`;
  return { line, col, text: `${name}:${line}:${col}: ${what}${reason}` };
}

function renderFlag(
  { path: [option = ""], reason }: ConfigProblem,
  { schema, flags }: Pick<Origin, "schema" | "flags">,
): string {
  const flag = `--${toFlagName(option)}`;
  const part = Object.hasOwn(schema.shape, option) ? schema.shape[option] : undefined;
  if (flags[option] === undefined || part === undefined) {
    return `Cannot do without ${flag}: ${reason}`;
  }
  const given = [present(part, flags[option])].flat().map((value) => JSON.stringify(value));
  return `Cannot use ${flag} ${given.join(", ")}: ${reason}`;
}
