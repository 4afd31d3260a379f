/**
 * Keys that stand in a file, so that they stand in no list of processes.
 *
 * @module
 */
import { readText, toFileName } from "./files.ts";
import { ConfigError } from "./options.ts";
import { KEY } from "./options/identity.ts";

const OPTION = "authorizationKeyFile";

/**
 * Reads the keys, once.
 *
 * @param path A file with one key a line, which needs `--allow-read` of it; `-` for standard input, which
 * needs no permission; undefined for none.
 * @throws {ConfigError} when they cannot be read, or there are none; it names no key.
 */
export function readKeys(path: string | undefined): readonly string[] {
  if (path === undefined) return [];
  const lines = readText(path, { option: OPTION }).split(/\r?\n/);
  const keys = lines.map((line) => line.trim()).filter((line) => line !== "");
  if (keys.length === 0) throw new ConfigError([OPTION], `there is no key in ${toFileName(path)}`);
  const bad = keys.findIndex((key) => !KEY.test(key));
  if (bad === -1) return keys;
  const reason = "expected letters, digits and signs, no comma";
  throw new ConfigError([OPTION], `cannot use key ${bad + 1} of ${toFileName(path)}: ${reason}`);
}
