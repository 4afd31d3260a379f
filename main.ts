/**
 * The program: arguments → configuration → run → exit code.
 *
 * ```sh
 * deno run --allow-net main.ts --help
 * ```
 *
 * @module
 */
import { toCommand } from "./lib/config/command.ts";
import { explained } from "./lib/config/explain.ts";
import { type Command, parseFlags, renderHelp, SCHEMAS, UsageError } from "./lib/config/flags.ts";
import { ConfigError, ConfigFileError, type ReverseOptions } from "./lib/config/options.ts";
import { logFields } from "./lib/config/options/log.ts";
import { natsLoginFields } from "./lib/config/options/nats_login.ts";
import { listRouteWarnings } from "./lib/config/route_warnings.ts";
import { parseWith, toJsonSchema } from "./lib/config/schema.ts";
import type { Written } from "./lib/config/load.ts";
import type { KvSource, TextSource } from "./lib/config/source.ts";
import { type Gateway, ListenError, startGateway } from "./lib/gateway.ts";
import { StreamError } from "./lib/nats/jetstream/stream.ts";
import { prepareGateway, prepareReverse } from "./lib/prepare.ts";
import { createLog } from "./lib/telemetry/log.ts";
import { VERSION } from "./lib/version.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;
/** As a shell tells of whoever SIGINT has ended. */
const EXIT_INTERRUPTED = 130;

/**
 * Runs the program until it is told to stop. What only some commands need is loaded there: a gateway is to be
 * ready soon.
 *
 * @param args The command line without the program's name.
 * @returns The exit code.
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const command = parseFlags(args, readVariable);
    switch (command.kind) {
      case "help":
        console.log(renderHelp(toCommand(import.meta.url), command.program));
        return 0;
      case "version":
        console.log(`h8s ${VERSION}`);
        return 0;
      case "config-schema":
        console.log(JSON.stringify(toJsonSchema(SCHEMAS[command.program]), null, 2));
        return 0;
      case "config-show": {
        await using config = await openConfig(command);
        const { renderOptions } = await import("./lib/config/load.ts");
        const schema = SCHEMAS[command.program];
        config.use((options) => {
          parseWith<unknown>(schema, options);
          console.log(renderOptions(schema, options).trimEnd());
        });
        return 0;
      }
      case "config-check": {
        await using config = await openConfig(command);
        if (command.program === "reverse") config.use(prepareReverse);
        else warn(listRouteWarnings(config.use(prepareGateway).config));
        console.log("ok");
        return 0;
      }
      case "ask": {
        Deno.addSignalListener("SIGINT", () => Deno.exit(EXIT_INTERRUPTED));
        await using config = await openConfig(command);
        const { config: prepared, login } = config.use(prepareGateway);
        const { ask } = await import("./lib/commands/mod.ts");
        return await ask(command.question, { config: prepared, login, output: OUTPUT });
      }
      case "run": {
        await using config = await openConfig(command);
        return await (command.program === "reverse" ? runReverse : runGateway)(config);
      }
    }
  } catch (error) {
    const isUsage = error instanceof UsageError || error instanceof ConfigFileError ||
      error instanceof ConfigError;
    if (isUsage) return complain(error, EXIT_USAGE);
    if (error instanceof ListenError || error instanceof StreamError) {
      return complain(error, EXIT_FAILURE);
    }
    throw error;
  }
}

const OUTPUT = {
  isTerminal: Deno.stdout.isTerminal() && !Deno.noColor,
  write: (line: string) => console.log(line),
  note: (line: string) => console.error(line),
};

/** Never prompts: without `--allow-env` the environment counts for nothing. */
function readVariable(variable: string): string | undefined {
  const { state } = Deno.permissions.querySync({ name: "env", variable });
  return state === "granted" ? Deno.env.get(variable) : undefined;
}

function warn(warnings: readonly string[]): void {
  for (const warning of warnings) console.error(`h8s: warning: ${warning}`);
}

async function runGateway(config: OpenConfig): Promise<number> {
  await using gateway = config.use(startGateway);
  catchAll(gateway);
  config.follow((options) => gateway.reconfigure(options));
  await Promise.race([untilSignal(), unlessItCannotRun(gateway)]);
  await gateway.stop();
  return 0;
}

async function runReverse(config: OpenConfig): Promise<number> {
  const { ReverseDaemon } = await import("./lib/reverse/daemon.ts");
  await using daemon = config.use((options) =>
    // What it is given has been written by hand; it looks at it itself.
    new ReverseDaemon(options as unknown as ReverseOptions)
  );
  await untilSignal();
  await daemon.stop();
  return 0;
}

type Sourced = Extract<Command, { readonly flags: unknown }>;

/** Enough to reach NATS, and to tell of it. */
const WATCH_OPTIONS = [...Object.keys(natsLoginFields), ...Object.keys(logFields)];

/** Options of flags and of elsewhere, and what becomes of them while the gateway runs. */
interface OpenConfig extends AsyncDisposable {
  /** Does something with them; what is wrong with them is told in the words of where they stand. */
  use<T>(work: (options: Record<string, unknown>) => T): T;
  follow(apply: (options: Record<string, unknown>) => void): void;
}

async function openConfig({ program, flags, configSource }: Sourced): Promise<OpenConfig> {
  const schema = SCHEMAS[program];
  if (configSource?.kind === "nats-kv") return await openWatched(configSource, flags);
  const written = configSource && await load(configSource);
  const isStdinTaken = configSource?.kind === "stdin";
  return {
    use: (work) => explained({ schema, flags, written, isStdinTaken }, work),
    follow: () => {},
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** Without a file, YAML need not be understood. */
async function load(source: TextSource): Promise<Written> {
  const { loadOptions } = await import("./lib/config/load.ts");
  return await loadOptions(source);
}

/** Where NATS is cannot come from NATS, so that much the flags have to say. */
async function openWatched(source: KvSource, given: Sourced["flags"]): Promise<OpenConfig> {
  const schema = SCHEMAS.gateway;
  const { config, login } = explained(
    { schema, flags: given, written: undefined },
    // Nobody asks for keys or tokens before it is known what else there is.
    (options) => prepareGateway(pick(options, WATCH_OPTIONS)),
  );
  // Standard input can be read once, and there are two who want to log in.
  const flags = { ...given, ...pick(config, WATCH_OPTIONS.filter((option) => option in given)) };
  const log = createLog({ level: config.logLevel, format: config.logFormat });
  const { ConfigWatch } = await import("./lib/nats/jetstream/config_watch.ts");
  const watch = await ConfigWatch.open(source, { login, log });
  return {
    use: (work) => explained({ schema, flags, written: watch.written }, work),
    follow: (apply) => watch.follow((written) => explained({ schema, flags, written }, apply)),
    [Symbol.asyncDispose]: () => watch[Symbol.asyncDispose](),
  };
}

/** Resolves at the first signal to stop; the second one ends the process at once. */
function untilSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const signals: Deno.Signal[] = Deno.build.os === "windows" ? ["SIGINT"] : ["SIGINT", "SIGTERM"];
  let isFirst = true;
  for (const signal of signals) {
    Deno.addSignalListener(signal, () => {
      if (!isFirst) Deno.exit(EXIT_FAILURE);
      isFirst = false;
      resolve();
    });
  }
  return promise;
}

/** The last net: whatever was thrown where nobody looks, the clients of all others stay connected. */
function catchAll(gateway: Gateway): void {
  addEventListener("error", (event) => {
    event.preventDefault();
    gateway.onUncaught(event.error);
  });
  addEventListener("unhandledrejection", (event) => {
    event.preventDefault();
    gateway.onUncaught(event.reason);
  });
}

/** Never resolves; rejects when the gateway finds that it cannot do what it was asked to. */
async function unlessItCannotRun({ connected }: Gateway): Promise<never> {
  await connected;
  return await new Promise<never>(() => {});
}

function pick(from: object, names: readonly string[]): Record<string, unknown> {
  return Object.fromEntries(Object.entries(from).filter(([name]) => names.includes(name)));
}

function complain(error: Error, exitCode: number): number {
  for (const line of error.message.split("\n")) console.error(`h8s: ${line}`);
  return exitCode;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
