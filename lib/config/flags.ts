/**
 * The command line: which command, with which options.
 *
 * @module
 */
import { type Environment, readEnvironment } from "./environment.ts";
import { z } from "zod";
import { checkFlags } from "./explain.ts";
import {
  type Flag,
  type FlagGroup,
  listFileOnly,
  listFlags,
  readFlags,
  renderFlags,
  UsageError,
} from "./flag_table.ts";
import { isQuestion, type Question, type QuestionName, QUESTIONS } from "./questions.ts";
import { CONFIG_GROUPS, configSchema, parseWith, reverseSchema } from "./schema.ts";
import { type ConfigSource, parseSource } from "./source.ts";
import { suggest } from "./suggest.ts";

export { UsageError };

/** What runs: the gateway, or the reverse daemon. */
export type Program = "gateway" | "reverse";

/** What the command line asks for. */
export type Command =
  | {
    /** To run it, to say what is wrong with its options, or to print those that would be in effect. */
    readonly kind: "run" | "config-check" | "config-show";
    readonly program: Program;
    /** From flags and environment. */
    readonly flags: Readonly<Record<string, unknown>>;
    /** Where more options come from; the flags win. */
    readonly configSource: ConfigSource | undefined;
  }
  | {
    /** To answer a question, and to end. */
    readonly kind: "ask";
    readonly program: "gateway";
    readonly question: Question;
    readonly flags: Readonly<Record<string, unknown>>;
    readonly configSource: ConfigSource | undefined;
  }
  | { readonly kind: "config-schema"; readonly program: Program }
  | { readonly kind: "help"; readonly program: Program | QuestionName }
  | { readonly kind: "version" };

/** What there is to be configured. */
export const SCHEMAS = { gateway: configSchema, reverse: reverseSchema } as const;

const CONFIG_FLAG = {
  option: "config",
  placeholder: "FILE",
  byDefault: undefined,
  isRepeatable: false,
} as const;
const CONFIG_FLAGS: Readonly<Record<Program, Flag>> = {
  gateway: { ...CONFIG_FLAG, description: "YAML: FILE, - or nats-kv://BUCKET/KEY; flags win" },
  reverse: { ...CONFIG_FLAG, description: "YAML: FILE or -; flags win" },
};

const COMMANDS = ["reverse", "config", ...Object.keys(QUESTIONS)];

/**
 * Reads the command line.
 *
 * @param environment What stands there for the flags that are not given.
 * @throws {UsageError} that names the flags and what would be right.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseFlags } from "./flags.ts";
 *
 * const command = parseFlags(["--listen", "127.0.0.1:9000", "--request-timeout=5s"]);
 * assert.ok(command.kind === "run");
 * assert.deepEqual(command.flags, { listen: "127.0.0.1:9000", requestTimeout: "5s" });
 * ```
 */
export function parseFlags(
  args: readonly string[],
  environment: Environment = () => undefined,
): Command {
  const [first = "", ...others] = args;
  if (isQuestion(first)) return parseQuestion(others, first, environment);
  if (/^[a-z]/i.test(first) && !COMMANDS.includes(first)) {
    const closest = suggest(first, COMMANDS);
    const hint = closest === undefined ? "see --help" : `did you mean ${closest}?`;
    throw new UsageError(`Unknown command ${JSON.stringify(first)}: ${hint}`);
  }
  const program = first === "reverse" ? "reverse" : "gateway";
  const rest = program === "reverse" ? args.slice(1) : args;
  return rest[0] === "config"
    ? parseConfigCommand(rest.slice(1), { program, environment })
    : parseOptions(rest, { kind: "run", program, environment });
}

function parseQuestion(
  args: readonly string[],
  name: QuestionName,
  environment: Environment,
): Command {
  const { fields, operands: [fewest, most], usage } = QUESTIONS[name];
  const own = listFlags(fields);
  const others = [CONFIG_FLAGS.gateway, ...listFlags(configSchema)]
    .filter(({ option }) => !Object.hasOwn(fields.shape, option));
  const read = readFlags(args, [...own, ...others], most);
  if (read.kind === "help") return { kind: "help", program: name };
  if (read.kind === "version") return read;
  const { operands } = read;
  if (operands.length < fewest) throw new UsageError(`Cannot tell what to do: expected ${usage}`);
  const [ofQuestion, ofGateway] = split(read.values, own.map(({ option }) => option));
  const check = ({ config: _, ...values }: Readonly<Record<string, unknown>>) =>
    checkFlags(configSchema, values);
  const wrong = [...checkFlags(fields, ofQuestion), ...check(ofGateway)];
  if (wrong.length > 0) throw new UsageError(wrong.join("\n"));
  if (operands.length > 0 && name === "connections" && ofQuestion["close"] === undefined) {
    throw new UsageError(
      `Cannot use ${JSON.stringify(operands[0])}: expected --close CODE before it`,
    );
  }
  const fileOnly = listFileOnly(configSchema);
  const { config, ...flags } = {
    ...readEnvironment(others, { environment, check, fileOnly }),
    ...ofGateway,
  };
  return {
    ...{ kind: "ask", program: "gateway", flags },
    question: { name, operands, options: parseWith<unknown>(fields, ofQuestion) } as Question,
    configSource: typeof config === "string" ? parseSource(config) : undefined,
  };
}

function split(
  values: Readonly<Record<string, unknown>>,
  names: readonly string[],
): [Record<string, unknown>, Record<string, unknown>] {
  const entries = Object.entries(values);
  return [
    Object.fromEntries(entries.filter(([name]) => names.includes(name))),
    Object.fromEntries(entries.filter(([name]) => !names.includes(name))),
  ];
}

interface Surroundings {
  readonly environment: Environment;
}

function parseOptions(
  args: readonly string[],
  { kind, program, environment }:
    & { readonly kind: "run" | "config-check" | "config-show"; readonly program: Program }
    & Surroundings,
): Command {
  const schema = SCHEMAS[program];
  const known = [CONFIG_FLAGS[program], ...listFlags(schema)];
  const read = readFlags(args, known);
  switch (read.kind) {
    case "help":
      return { kind: "help", program };
    case "version":
      return read;
    case "values": {
      const check = ({ config: _, ...values }: Readonly<Record<string, unknown>>) =>
        checkFlags(schema, values);
      const { config, ...flags } = {
        ...readEnvironment(known, { environment, check, fileOnly: listFileOnly(schema) }),
        ...read.values,
      };
      const configSource = typeof config === "string" ? parseSource(config) : undefined;
      if (configSource?.kind === "nats-kv" && (program === "reverse" || kind === "config-check")) {
        const hint = program === "reverse"
          ? "expected FILE or -"
          : "expected FILE or -; `config show --config nats-kv://…` looks into a bucket";
        throw new UsageError(`Cannot use --config ${config}: ${hint}`);
      }
      const wrong = check(read.values);
      if (wrong.length > 0) throw new UsageError(wrong.join("\n"));
      return { kind, program, flags, configSource };
    }
  }
}

/**
 * The text of `--help`.
 *
 * @param program How the program is called, e.g. `"deno run --allow-net main.ts"`.
 */
export function renderHelp(program: string, of: Program | QuestionName = "gateway"): string {
  if (isQuestion(of)) {
    const { usage, text, exits, fields } = QUESTIONS[of];
    return [
      `h8s ${of}: ${text}`,
      "",
      `Usage: ${program} ${usage} [FLAGS] [FLAGS OF THE GATEWAY]`,
      "",
      ...renderFlags([["", listFlags(fields)]]),
      "",
      "The gateway's own flags, --config among them, say where NATS is: give the same ones.",
      `Exit codes: ${exits}; 2: the flags cannot be used. Where NATS cannot be asked: 1.`,
    ].join("\n");
  }
  switch (of) {
    case "gateway":
      return [
        "h8s: HTTP and WebSocket clients in, NATS messages out; workloads need no inbound port.",
        "",
        `Usage: ${program} [FLAGS]`,
        `       ${program} reverse --help   (the other end: NATS in, a local server out)`,
        `       ${program} config check FILE [FLAGS] | config show [FLAGS] | config schema`,
        ...Object.values(QUESTIONS).map(({ usage }) => `       ${program} ${usage} [FLAGS]`),
        "",
        ...renderFlags([
          ["", [CONFIG_FLAGS[of]]],
          ...Object.entries(CONFIG_GROUPS).map(([title, shape]): FlagGroup => [
            title,
            listFlags(z.object(shape)),
          ]),
        ]),
        "",
        `In the file alone: ${listFileOnly(configSchema).join(", ")}.`,
        "Durations: 500ms, 5s, 1m. Sizes: 500B, 64KiB, 2MiB. Defaults stand in [brackets].",
        "With --allow-env=H8S_* each flag may be a variable: --request-timeout is H8S_REQUEST_TIMEOUT.",
      ].join("\n");
    case "reverse":
      return [
        "h8s reverse: what the gateway publishes in NATS goes to a local HTTP and WebSocket server.",
        "",
        `Usage: ${program} reverse --hostname HOST --backend-url URL [FLAGS]`,
        `       ${program} reverse config check FILE [FLAGS] | show [FLAGS] | schema`,
        "",
        ...renderFlags([["", [CONFIG_FLAGS[of], ...listFlags(reverseSchema)]]]),
      ].join("\n");
  }
}

function parseConfigCommand(
  [action, ...args]: readonly string[],
  { program, environment }: { readonly program: Program } & Surroundings,
): Command {
  const [source, ...flags] = args;
  const isSource = source === "-" || source?.startsWith("-") === false;
  switch (action) {
    case "schema":
      if (source === undefined) return { kind: "config-schema", program };
      break;
    case "show":
      return parseOptions(args, { kind: "config-show", program, environment });
    case "check":
      return parseOptions(isSource ? [...flags, "--config", source] : args, {
        kind: "config-check",
        program,
        environment,
      });
  }
  const expected = "config check FILE|- [FLAGS], config show [FLAGS] or config schema";
  throw new UsageError(`Cannot tell what to do: expected ${expected}`);
}
