/**
 * The command line, made from the schema: `requestTimeout` is `--request-timeout`.
 *
 * @module
 */
import { parseArgs } from "node:util";
import { ConfigError, type GatewayOptions } from "./options.ts";
import { configSchema, parseConfig } from "./schema.ts";
import { suggest } from "./suggest.ts";

/** What the command line asks for. */
export type Command =
  | {
    readonly kind: "run";
    /** From the flags alone. */
    readonly options: GatewayOptions;
    /** Where more options come from; the flags win. */
    readonly configSource: string | undefined;
  }
  | { readonly kind: "help" }
  | { readonly kind: "version" };

/** A command line that cannot be understood; the message is one line for the user. */
export class UsageError extends Error {
  /** Always `"UsageError"`. */
  override readonly name = "UsageError";
}

interface Flag {
  /** As in the configuration, e.g. `requestTimeout`. */
  readonly option: string;
  /** Undefined for a switch. */
  readonly placeholder: string | undefined;
  readonly description: string;
  readonly byDefault: string | undefined;
  readonly isRepeatable: boolean;
}

/**
 * Reads the command line.
 *
 * @param args Without the program's name.
 * @returns What it asks for.
 * @throws {UsageError} that names the flag and what would be right.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseFlags } from "./flags.ts";
 *
 * const command = parseFlags(["--listen", "127.0.0.1:9000", "--request-timeout=5s"]);
 * assert.ok(command.kind === "run");
 * assert.deepEqual(command.options, { listen: "127.0.0.1:9000", requestTimeout: "5s" });
 * ```
 */
export function parseFlags(args: readonly string[]): Command {
  const flags = [...listFlags(), CONFIG_FLAG];
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
  const options: Record<string, unknown> = {};
  for (const token of tokens) {
    if (token.kind === "option-terminator") continue;
    if (token.kind === "positional") {
      throw new UsageError(
        `Cannot use ${JSON.stringify(token.value)}: expected flags only, see --help`,
      );
    }
    if (token.name === "help" || token.rawName === "-h") return { kind: "help" };
    if (token.name === "version") return { kind: "version" };
    const flag = flags.find(({ option }) => toFlagName(option) === token.name);
    if (flag === undefined) throw unknownFlag(token.rawName, flags);
    options[flag.option] = addValue(flag, token.value, options[flag.option]);
  }
  const { config: configSource, ...rest } = options;
  return {
    kind: "run",
    options: checkOptions(rest),
    configSource: typeof configSource === "string" ? configSource : undefined,
  };
}

function checkOptions(options: Readonly<Record<string, unknown>>): GatewayOptions {
  try {
    parseConfig(options);
    return options;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [option = ""] = error.path;
    const value = JSON.stringify(options[option]);
    throw new UsageError(`Cannot use --${toFlagName(option)} ${value}: ${error.message}`);
  }
}

/**
 * The text of `--help`.
 *
 * @param program How the program is called, e.g. `"deno run --allow-net main.ts"`.
 * @returns Several lines.
 */
export function renderHelp(program: string): string {
  const rows = [CONFIG_FLAG, ...listFlags()].map((flag): [string, string] => {
    const value = flag.placeholder === undefined ? "" : ` ${flag.placeholder}`;
    const byDefault = flag.byDefault === undefined ? "" : ` [${flag.byDefault}]`;
    return [`--${toFlagName(flag.option)}${value}`, flag.description + byDefault];
  });
  rows.push(["--help", "Print this"], ["--version", "Print the version"]);
  const width = Math.max(...rows.map(([flag]) => flag.length));
  return [
    "h8s: HTTP and WebSocket clients in, NATS messages out; workloads need no inbound port.",
    "",
    `Usage: ${program} [FLAGS]`,
    "",
    ...rows.map(([flag, text]) => `  ${flag.padEnd(width)}  ${text}`),
    "",
    `Durations: 500ms, 5s, 1m. Sizes: 2097152, 64KiB, 2MiB. Defaults stand in [brackets].`,
  ].join("\n");
}

const CONFIG_FLAG: Flag = {
  option: "config",
  placeholder: "FILE",
  description: "Options in YAML; - for standard input; flags win",
  byDefault: undefined,
  isRepeatable: false,
};

function listFlags(): Flag[] {
  return Object.entries(configSchema.shape).flatMap(([option, schema]) => {
    const { placeholder, description = "", isFileOnly } = schema.meta() ?? {};
    if (isFileOnly === true) return [];
    const byDefault = schema.def.type === "optional" ? undefined : schema.def.defaultValue;
    return [{
      option,
      placeholder: typeof placeholder === "string" ? placeholder : undefined,
      description,
      byDefault: renderDefault(byDefault),
      isRepeatable: Array.isArray(byDefault),
    }];
  });
}

function renderDefault(value: unknown): string | undefined {
  if (value === undefined || value === false) return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : value.join(", ");
  if (typeof value === "object" && value !== null && "hostname" in value && "port" in value) {
    return `${value.hostname}:${value.port}`;
  }
  return String(value);
}

function addValue(flag: Flag, value: string | undefined, before: unknown): unknown {
  const name = `--${toFlagName(flag.option)}`;
  if (flag.placeholder === undefined) {
    if (value === undefined || value === "true") return true;
    if (value === "false") return false;
    throw new UsageError(`Cannot use ${name}=${value}: it is a switch, expected no value`);
  }
  if (value === undefined) throw new UsageError(`Cannot use ${name}: expected ${flag.placeholder}`);
  return flag.isRepeatable ? [...(Array.isArray(before) ? before : []), value] : value;
}

function unknownFlag(rawName: string, flags: readonly Flag[]): UsageError {
  const name = rawName.replace(/^-+/, "");
  const closest = suggest(name, [
    ...flags.map(({ option }) => toFlagName(option)),
    "help",
    "version",
  ]);
  const hint = closest === undefined ? "see --help" : `did you mean --${closest}?`;
  return new UsageError(`Unknown flag ${rawName}: ${hint}`);
}

function toFlagName(option: string): string {
  return option.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
