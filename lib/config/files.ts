/**
 * What stands in files: certificates, keys, credentials.
 *
 * @module
 */
import type { z } from "zod";
import { isPath } from "./fields.ts";
import { toFlagName } from "./flag_table.ts";
import { ConfigError } from "./options.ts";
import { unwrap } from "./walk.ts";

/**
 * Reads the files that a configuration names; done once, at start.
 *
 * @param schema Says which options may name one.
 * @param config Checked against the schema.
 * @returns The same with the files' texts in place of their paths.
 * @throws {ConfigError} that says which permission is missing for all of them together; no text is quoted.
 */
export function readFiles<T extends object>(schema: z.ZodObject, config: T): T {
  const paths = Object.entries(config).filter((entry): entry is [string, string] => {
    const [option, value] = entry;
    const field = schema.shape[option];
    if (field === undefined || typeof value !== "string") return false;
    return unwrap(field).meta.isFile === true && isPath(value);
  });
  const files = [...new Set(paths.map(([, path]) => path))].filter((path) => path !== "-");
  const texts = paths.map(([option, path]) => {
    const text = readText(path, { option, files });
    if (!isPath(text)) return [option, text];
    const expected = "expected PEM, the text of a .creds file or the seed of an nkey";
    throw new ConfigError([option], `cannot use ${toFileName(path)}: ${expected}`);
  });
  return { ...config, ...Object.fromEntries(texts) };
}

/**
 * Reads a file at start.
 *
 * @param path Needs `--allow-read` of it; `-` is standard input, which needs no permission.
 * @param options `option`: which names it; `files`: all that are needed, if there are more.
 * @returns Its text.
 * @throws {ConfigError} that says what to do.
 */
export function readText(
  path: string,
  { option, files = [path] }: { option: string; files?: readonly string[] },
): string {
  try {
    return path === "-" ? readStandardInput() : Deno.readTextFileSync(path);
  } catch (error) {
    const hint = `or pipe it in: --${toFlagName(option)} - < ${path}`;
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof Deno.errors.NotCapable
      ? `run with --allow-read=${files.join(",")}, ${hint}`
      : String(error);
    throw new ConfigError([option], `cannot read ${toFileName(path)}: ${reason}`);
  }
}

/**
 * What a file is called in messages.
 *
 * @param path `-` for standard input.
 * @returns Its path.
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
