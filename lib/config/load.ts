/**
 * Options from a YAML file or from standard input.
 *
 * @module
 */
import process from "node:process";
import { type Document, isNode, LineCounter, parseDocument } from "yaml";
import { ConfigError, type GatewayOptions } from "./options.ts";
import { parseConfig } from "./schema.ts";

/** A file of options that cannot be used; the message is one line that says where and why. */
export class ConfigFileError extends Error {
  /** Always `"ConfigFileError"`. */
  override readonly name = "ConfigFileError";
}

/**
 * Loads options.
 *
 * @param source The path of a YAML 1.2 file, which needs `--allow-read` of it; `-` for standard input,
 * which needs no permission.
 * @returns The options, checked.
 * @throws {ConfigFileError} when it cannot be read or used.
 */
export async function loadOptions(source: string): Promise<GatewayOptions> {
  const name = source === "-" ? "standard input" : source;
  return parseOptions(await read(source), name);
}

/**
 * Reads options from YAML.
 *
 * @param text YAML 1.2; empty for no options.
 * @param name What the text is called in errors.
 * @returns The options, checked.
 * @throws {ConfigFileError} that names line and column.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseOptions } from "./load.ts";
 *
 * assert.deepEqual(parseOptions("requestTimeout: 5s", "h8s.yaml"), { requestTimeout: "5s" });
 * assert.throws(
 *   () => parseOptions("prefix: h8s\nrequestTimout: 5s", "h8s.yaml"),
 *   /h8s\.yaml:2:16: requestTimout: there is no such option; did you mean "requestTimeout"\?/,
 * );
 * ```
 */
export function parseOptions(text: string, name: string): GatewayOptions {
  const lines = new LineCounter();
  const document = withoutEnvironment(() =>
    parseDocument(text, { lineCounter: lines, prettyErrors: false })
  );
  const at = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return `${name}:${line}:${col}`;
  };
  const [error] = document.errors;
  if (error !== undefined) throw new ConfigFileError(`${at(error.pos[0])}: ${error.message}`);
  const options: unknown = document.toJS() ?? {};
  try {
    parseConfig(options);
    return options as GatewayOptions;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const where = at(toOffset(document, error.path));
    throw new ConfigFileError(`${where}: ${error.path.join(".")}: ${error.reason}`);
  }
}

/** Where the value is, or what is nearest to it. */
function toOffset(document: Document, path: readonly string[]): number {
  for (let length = path.length; length > 0; length--) {
    const keys = path.slice(0, length).map((key) => /^\d+$/.test(key) ? Number(key) : key);
    const node = document.getIn(keys, true);
    if (isNode(node) && node.range) return node.range[0];
  }
  return 0;
}

/**
 * The parser asks the environment whether it should trace itself; the program has no permission to
 * look, so it finds an empty environment instead.
 */
function withoutEnvironment<T>(parse: () => T): T {
  const { env } = process;
  process.env = {};
  try {
    return parse();
  } finally {
    process.env = env;
  }
}

async function read(source: string): Promise<string> {
  try {
    if (source === "-") return await new Response(Deno.stdin.readable).text();
    return await Deno.readTextFile(source);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new ConfigFileError(`Cannot read ${source}: there is no such file`, { cause: error });
    }
    if (error instanceof Deno.errors.NotCapable) {
      const hint = `run with --allow-read=${source}, or pipe it in: --config - < ${source}`;
      throw new ConfigFileError(`Cannot read ${source}: ${hint}`, { cause: error });
    }
    throw new ConfigFileError(`Cannot read ${source}: ${String(error)}`, { cause: error });
  }
}
