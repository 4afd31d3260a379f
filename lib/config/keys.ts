/**
 * Keys that stand in a file, so that they stand in no list of processes.
 *
 * @module
 */
import { ConfigError } from "./options.ts";
import { KEY } from "./options/identity.ts";

const OPTION = ["authorizationKeyFile"];

/**
 * Reads the keys, once.
 *
 * @param path A file with one key a line, which needs `--allow-read` of it; `-` for standard input, which
 * needs no permission; undefined for none.
 * @returns The keys.
 * @throws {ConfigError} when they cannot be read, or there are none; it names no key.
 */
export function readKeys(path: string | undefined): readonly string[] {
  if (path === undefined) return [];
  const keys = readText(path).split(/\r?\n/).map((line) => line.trim()).filter((line) =>
    line !== ""
  );
  if (keys.length === 0) throw new ConfigError(OPTION, `there is no key in ${toName(path)}`);
  const bad = keys.findIndex((key) => !KEY.test(key));
  if (bad === -1) return keys;
  const reason = "expected letters, digits and signs, no comma";
  throw new ConfigError(OPTION, `cannot use key ${bad + 1} of ${toName(path)}: ${reason}`);
}

function readText(path: string): string {
  try {
    return path === "-" ? readStandardInput() : Deno.readTextFileSync(path);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound
      ? "there is no such file"
      : error instanceof Deno.errors.NotCapable
      ? `run with --allow-read=${path}, or pipe it in: --authorization-key-file - < ${path}`
      : String(error);
    throw new ConfigError(OPTION, `cannot read ${toName(path)}: ${reason}`);
  }
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

function toName(path: string): string {
  return path === "-" ? "standard input" : path;
}
