/**
 * The program: arguments → configuration → run → exit code.
 *
 * ```sh
 * deno run --allow-net main.ts --help
 * ```
 *
 * @module
 */
import manifest from "./deno.json" with { type: "json" };
import { readFiles } from "./lib/config/files.ts";
import { parseFlags, renderHelp, UsageError } from "./lib/config/flags.ts";
import { ConfigFileError, loadOptions, renderOptions } from "./lib/config/load.ts";
import { ConfigError, type GatewayOptions } from "./lib/config/options.ts";
import { configSchema, parseConfig, toJsonSchema } from "./lib/config/schema.ts";
import type { ConfigSource } from "./lib/config/source.ts";
import { type Gateway, ListenError, startGateway } from "./lib/gateway.ts";
import { ConfigWatch } from "./lib/nats/config_watch.ts";
import { toLogin } from "./lib/nats/login.ts";
import { StreamError } from "./lib/nats/stream.ts";
import { ReverseDaemon } from "./lib/reverse/daemon.ts";
import { createLog } from "./lib/telemetry/log.ts";

const EXIT_FAILURE = 1;
const EXIT_USAGE = 2;

/**
 * Runs the program until it is told to stop.
 *
 * @param args The command line without the program's name.
 * @returns The exit code.
 */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const command = parseFlags(args);
    switch (command.kind) {
      case "help":
        console.log(renderHelp("deno run --allow-net main.ts", command.of));
        return 0;
      case "version":
        console.log(`h8s ${manifest.version}`);
        return 0;
      case "config-show": {
        await using source = await openConfig(command.configSource, command.options);
        const all = { ...source.options, ...command.options };
        parseConfig(all);
        console.log(renderOptions(all).trimEnd());
        return 0;
      }
      case "config-check":
        await loadOptions(command.configSource);
        console.log("ok");
        return 0;
      case "config-schema":
        console.log(JSON.stringify(toJsonSchema(), null, 2));
        return 0;
      case "run": {
        // Standard input can be read once, and there may be two who want to log in.
        const flags = readFiles(configSchema, command.options);
        await using source = await openConfig(command.configSource, flags);
        await using gateway = startGateway({ ...source.options, ...flags });
        source.follow((options) => gateway.reconfigure({ ...options, ...flags }));
        await Promise.race([untilSignal(), unlessItCannotRun(gateway)]);
        await gateway.stop();
        return 0;
      }
      case "reverse": {
        await using daemon = new ReverseDaemon(command.options);
        await untilSignal();
        await daemon.stop();
        return 0;
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

/** Options that stand elsewhere, and what becomes of them while the gateway runs. */
interface OpenConfig extends AsyncDisposable {
  readonly options: GatewayOptions;
  follow(apply: (options: GatewayOptions) => void): void;
}

/** Where NATS is cannot come from NATS, so that much the flags have to say. */
async function openConfig(
  source: ConfigSource | undefined,
  flags: GatewayOptions,
): Promise<OpenConfig> {
  if (source?.kind === "nats-kv") {
    const config = readFiles(configSchema, parseConfig(flags));
    const log = createLog({ level: config.logLevel, format: config.logFormat });
    return ConfigWatch.open(source, { login: toLogin(config), log });
  }
  const options = source === undefined ? {} : await loadOptions(source);
  return { options, follow: () => {}, [Symbol.asyncDispose]: () => Promise.resolve() };
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

/** Never resolves; rejects when the gateway finds that it cannot do what it was asked to. */
async function unlessItCannotRun({ connected }: Gateway): Promise<never> {
  await connected;
  return await new Promise<never>(() => {});
}

function complain(error: Error, exitCode: number): number {
  console.error(`h8s: ${error.message}`);
  return exitCode;
}

if (import.meta.main) Deno.exit(await main(Deno.args));
