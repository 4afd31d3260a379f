/**
 * Options in YAML, to and from.
 *
 * @module
 */
import process from "node:process";
import { type Document, isNode, LineCounter, parseDocument, stringify } from "yaml";
import { ConfigError, ConfigFileError, type GatewayOptions } from "./options.ts";
import { configSchema, parseConfig } from "./schema.ts";
import { readSource, type TextSource, toSourceName } from "./source.ts";
import { present } from "./walk.ts";

export { ConfigFileError };

/**
 * Loads options.
 *
 * @param source Where from.
 * @returns The options, checked.
 * @throws {ConfigFileError} when it cannot be read or used.
 */
export async function loadOptions(source: TextSource): Promise<GatewayOptions> {
  return parseOptions(await readSource(source), toSourceName(source));
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

/**
 * Writes options as YAML, complete: with their defaults, without their secrets.
 *
 * @param options As they were written.
 * @returns Several lines.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { renderOptions } from "./load.ts";
 *
 * const yaml = renderOptions({ natsUrl: ["nats://ann:secret@a:4222"] });
 * assert.match(yaml, /^natsUrl:\n {2}- nats:\/\/a:4222\n/);
 * ```
 */
export function renderOptions(options: GatewayOptions): string {
  return withoutEnvironment(() => stringify(present(configSchema, options)));
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
function withoutEnvironment<T>(work: () => T): T {
  const { env } = process;
  process.env = {};
  try {
    return work();
  } finally {
    process.env = env;
  }
}
