/**
 * The command line: which command, with which options.
 *
 * @module
 */
import type { z } from "zod";
import {
  type Flag,
  listFlags,
  readFlags,
  renderFlags,
  toFlagName,
  UsageError,
} from "./flag_table.ts";
import { ConfigError, type GatewayOptions, type ReverseOptions } from "./options.ts";
import { configSchema, parseWith, reverseSchema } from "./schema.ts";
import { type ConfigSource, parseSource, type TextSource } from "./source.ts";
import { present } from "./walk.ts";

export { UsageError };

/** What the command line asks for. */
export type Command =
  | {
    /** To run it, or to print what would be in effect. */
    readonly kind: "run" | "config-show";
    /** From the flags alone. */
    readonly options: GatewayOptions;
    /** Where more options come from; the flags win. */
    readonly configSource: ConfigSource | undefined;
  }
  | { readonly kind: "reverse"; readonly options: ReverseOptions }
  | { readonly kind: "config-check"; readonly configSource: TextSource }
  | { readonly kind: "config-schema" }
  | { readonly kind: "help"; readonly of: "run" | "reverse" }
  | { readonly kind: "version" };

const CONFIG_FLAG: Flag = {
  option: "config",
  placeholder: "FILE",
  description: "YAML: FILE, -, https://… or nats-kv://BUCKET/KEY; flags win",
  byDefault: undefined,
  isRepeatable: false,
};

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
  if (args[0] === "reverse") return parseReverse(args.slice(1));
  if (args[0] === "config") return parseConfigCommand(args.slice(1));
  return parseRun(args, "run");
}

function parseRun(args: readonly string[], kind: "run" | "config-show"): Command {
  const flags = readFlags(args, [CONFIG_FLAG, ...listFlags(configSchema)]);
  switch (flags.kind) {
    case "help":
      return { kind: "help", of: "run" };
    case "version":
      return flags;
    case "values": {
      const { config, ...values } = flags.values;
      const configSource = typeof config === "string" ? parseSource(config) : undefined;
      return { kind, options: check<GatewayOptions>(configSchema, values), configSource };
    }
  }
}

/**
 * The text of `--help`.
 *
 * @param program How the program is called, e.g. `"deno run --allow-net main.ts"`.
 * @param of Which command's.
 * @returns Several lines.
 */
export function renderHelp(program: string, of: "run" | "reverse" = "run"): string {
  switch (of) {
    case "run":
      return [
        "h8s: HTTP and WebSocket clients in, NATS messages out; workloads need no inbound port.",
        "",
        `Usage: ${program} [FLAGS]`,
        `       ${program} reverse --help   (the other end: NATS in, a local server out)`,
        `       ${program} config check FILE | config show [FLAGS] | config schema`,
        "",
        ...renderFlags([CONFIG_FLAG, ...listFlags(configSchema)]),
        "",
        "Durations: 500ms, 5s, 1m. Sizes: 2097152, 64KiB, 2MiB. Defaults stand in [brackets].",
      ].join("\n");
    case "reverse":
      return [
        "h8s reverse: what the gateway publishes in NATS goes to a local HTTP and WebSocket server.",
        "",
        `Usage: ${program} reverse --hostname HOST --backend-url URL [FLAGS]`,
        "",
        ...renderFlags(listFlags(reverseSchema)),
      ].join("\n");
  }
}

function parseConfigCommand([action, ...args]: readonly string[]): Command {
  if (action === "show") return parseRun(args, "config-show");
  const [source, ...others] = args;
  if (others.length === 0) {
    if (action === "schema" && source === undefined) return { kind: "config-schema" };
    const isSource = source === "-" || source?.startsWith("-") === false;
    if (action === "check" && isSource) return parseCheck(source);
  }
  const expected = "config check FILE|-|URL, config show [FLAGS] or config schema";
  throw new UsageError(`Cannot tell what to do: expected ${expected}`);
}

function parseCheck(source: string): Command {
  const configSource = parseSource(source);
  if (configSource.kind !== "nats-kv") return { kind: "config-check", configSource };
  const hint = "expected FILE, - or a URL; `config show --config nats-kv://…` looks into a bucket";
  throw new UsageError(`Cannot check ${source}: ${hint}`);
}

function parseReverse(args: readonly string[]): Command {
  const flags = readFlags(args, listFlags(reverseSchema));
  switch (flags.kind) {
    case "help":
      return { kind: "help", of: "reverse" };
    case "version":
      return flags;
    case "values":
      return { kind: "reverse", options: check<ReverseOptions>(reverseSchema, flags.values) };
  }
}

/** The values as they are, since whoever runs the command reads them again. */
function check<Options>(schema: z.ZodObject, values: Readonly<Record<string, unknown>>): Options {
  try {
    parseWith(schema, values);
    return values as Options;
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const [option = ""] = error.path;
    const flag = `--${toFlagName(option)}`;
    if (values[option] === undefined) {
      throw new UsageError(`Cannot do without ${flag}: ${error.reason}`);
    }
    const shown = JSON.stringify(present(schema.shape[option]!, values[option]));
    throw new UsageError(`Cannot use ${flag} ${shown}: ${error.reason}`);
  }
}
