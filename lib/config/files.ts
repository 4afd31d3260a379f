/**
 * What stands in files: certificates, keys, credentials.
 *
 * @module
 */
import type { z } from "zod";
import { toError } from "../errors.ts";
import { isPath, isShownPath } from "./fields.ts";
import { toFlagName } from "./flag_table.ts";
import { ConfigError, type ConfigProblem } from "./options.ts";
import { unwrap } from "./walk.ts";

/**
 * Reads the files that a configuration names, as far as it can be done; once, at start.
 *
 * @returns The configuration with the texts of those files that can be read in place of their paths, and why
 * the rest cannot be used, and which permission is missing for all of them together; no text is quoted.
 */
export function tryFiles<T extends object>(
  schema: z.ZodObject,
  config: T,
): { readonly config: T; readonly problems: readonly ConfigProblem[] } {
  const paths = Object.entries(config).filter((entry): entry is [string, string] => {
    const [option, value] = entry;
    const field = schema.shape[option];
    if (field === undefined || typeof value !== "string") return false;
    return unwrap(field).meta.isFile === true && isPath(value);
  });
  const files = [...new Set(paths.map(([, path]) => path))].filter((path) => path !== "-");
  const texts: Record<string, string> = {};
  const problems = ConfigError.collect(paths.map(([option, path]) => () => {
    const isSecret = unwrap(schema.shape[option]!).meta.mask !== undefined;
    const name = !isSecret || isShownPath(path) ? toFileName(path) : "***";
    const text = readText(path, { option, files, name });
    if (isPath(text)) {
      const expected = "expected PEM, the text of a .creds file or the seed of an nkey";
      throw new ConfigError([option], `cannot use ${name}: ${expected}`);
    }
    texts[option] = text;
  }));
  return { config: { ...config, ...texts }, problems };
}

/**
 * Reads a file at start.
 *
 * @param path Needs `--allow-read` of it; `-` is standard input, which needs no permission.
 * @param options `option`: which names it; `files`: all that are needed, if there are more; `name`: what it
 * is called in errors, if not as it is.
 * @throws {ConfigError} that says what to do.
 */
export function readText(
  path: string,
  { option, files = [path], name = toFileName(path) }: {
    readonly option: string;
    readonly files?: readonly string[];
    readonly name?: string;
  },
): string {
  try {
    return path === "-" ? readStandardInput() : Deno.readTextFileSync(path);
  } catch (error) {
    const flag = `--${toFlagName(option)}`;
    const reason = explainReadError(error, {
      flag,
      path: name,
      files: name === path ? files : [name],
    });
    throw new ConfigError([option], `cannot read ${name}: ${reason}`);
  }
}

/**
 * Says why a file cannot be read, and what to do.
 *
 * @param options `flag`: which names the file; `path`: its path; `files`: all that are needed, if there are
 * more.
 */
export function explainReadError(
  error: unknown,
  { flag, path, files = [path] }: {
    readonly flag: string;
    readonly path: string;
    readonly files?: readonly string[];
  },
): string {
  if (error instanceof Deno.errors.NotCapable) {
    return `run with --allow-read=${files.join(",")}, or pipe it in: ${flag} - < ${path}`;
  }
  if (error instanceof Deno.errors.NotFound) return "there is no such file";
  if (error instanceof Deno.errors.IsADirectory) return "it is a directory, expected a file";
  if (error instanceof Deno.errors.PermissionDenied) {
    return "the system does not let this user read it";
  }
  return toError(error).message.replace(/: \w+ '.*'$/, "");
}

/**
 * Standard input can be read once.
 *
 * @param by What has read it already; undefined for nothing yet.
 * @returns What reads it although something else does.
 */
export function findSecondReaders(
  schema: z.ZodObject,
  options: Readonly<Record<string, unknown>>,
  by?: string,
): ConfigProblem[] {
  const readers = Object.keys(schema.shape).filter((option) =>
    options[option] === "-" && unwrap(schema.shape[option]!).meta.placeholder === "FILE"
  );
  const first = by ?? readers.shift();
  return readers.map((option) => ({
    path: [option],
    reason: `standard input can be read once, and ${first} reads it already`,
  }));
}

/**
 * What a file is called in messages.
 *
 * @param path `-` for standard input.
 */
export function toFileName(path: string): string {
  return path === "-" ? "standard input" : path;
}

function readStandardInput(): string {
  const decoder = new TextDecoder();
  const buffer = new Uint8Array(4096);
  let text = "";
  for (;;) {
    const length = Deno.stdin.readSync(buffer);
    if (length === null) return text + decoder.decode();
    text += decoder.decode(buffer.subarray(0, length), { stream: true });
  }
}
