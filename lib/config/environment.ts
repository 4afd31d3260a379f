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
 * @param options `environment`: where from; `check`: says what is wrong with values.
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
  { environment, check }: {
    environment: Environment;
    check: (values: Readonly<Record<string, unknown>>) => readonly string[];
  },
): Record<string, unknown> {
  const options: Record<string, unknown> = {};
  const wrong: string[] = [];
  for (const flag of flags) {
    const variable = `H8S_${toFlagName(flag.option).replaceAll("-", "_").toUpperCase()}`;
    const text = environment(variable);
    // Compose and Kubernetes set what is left out to nothing.
    if (text === undefined || text.trim() === "") continue;
    const texts = flag.isRepeatable ? text.split(/[\s,]+/).filter((part) => part !== "") : [text];
    try {
      const read = readFlags(texts.map((text) => `--${toFlagName(flag.option)}=${text}`), [flag]);
      const values = read.kind === "values" ? read.values : {};
      wrong.push(...check(values).map((reason) => `${variable}: ${reason}`));
      Object.assign(options, values);
    } catch (error) {
      if (!(error instanceof UsageError)) throw error;
      wrong.push(`${variable}: ${error.message}`);
    }
  }
  if (wrong.length > 0) throw new UsageError(wrong.join("\n"));
  return options;
}
