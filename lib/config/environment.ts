/**
 * Options in environment variables: `requestTimeout` is `H8S_REQUEST_TIMEOUT`.
 *
 * @module
 */
import { type Flag, readFlags, toFlagName, UsageError } from "./flag_table.ts";

/** Reads one variable; undefined where it is not set, or may not be read. */
export type Environment = (variable: string) => string | undefined;

/**
 * Reads options from the environment. Names that belong to no option are not looked at: Kubernetes sets
 * `H8S_PORT` and its like for a service that is called `h8s`.
 *
 * @param options `environment`: where from; `check`: says what is wrong with values; `fileOnly`: options that
 * no variable can hold.
 * @returns What they say, by option; those of a repeatable flag are separated by commas or spaces.
 * @throws {UsageError} with a line for everything that is wrong, each with its variable.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { readEnvironment } from "./environment.ts";
 *
 * const flag = { option: "natsUrl", placeholder: "URL", description: "", byDefault: "", isRepeatable: true };
 * const variables: Record<string, string> = { H8S_NATS_URL: "nats://a, nats://b" };
 * const environment = (name: string) => variables[name];
 * assert.deepEqual(readEnvironment([flag], { environment, check: () => [] }), {
 *   natsUrl: ["nats://a", "nats://b"],
 * });
 * ```
 */
export function readEnvironment(
  flags: readonly Flag[],
  { environment, check, fileOnly = [] }: {
    environment: Environment;
    check: (values: Readonly<Record<string, unknown>>) => readonly string[];
    fileOnly?: readonly string[];
  },
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  const wrong: string[] = [];
  for (const flag of flags) {
    const variable = toVariable(flag.option);
    const text = read(variable, environment);
    if (text === undefined) continue;
    const texts = flag.isRepeatable ? text.split(/[\s,]+/).filter((part) => part !== "") : [text];
    try {
      const given = readFlags(texts.map((text) => `--${toFlagName(flag.option)}=${text}`), [flag]);
      const values = given.kind === "values" ? given.values : {};
      wrong.push(...check(values).map((reason) => `${variable}: ${reason}`));
      Object.assign(options, values);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      wrong.push(`${variable}: ${error.message}`);
    }
  }
  for (const option of fileOnly) {
    const variable = toVariable(option);
    if (read(variable, environment) === undefined) continue;
    wrong.push(`Cannot use ${variable}: ${option} stands in the file of --config alone`);
  }
  if (wrong.length > 0) throw new UsageError(wrong.join("\n"));
  return options;
}

/** Compose and Kubernetes set what is left out to nothing. */
function read(variable: string, environment: Environment): string | undefined {
  const text = environment(variable);
  return text?.trim() === "" ? undefined : text;
}

function toVariable(option: string): string {
  return `H8S_${toFlagName(option).replaceAll("-", "_").toUpperCase()}`;
}
