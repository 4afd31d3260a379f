/**
 * What can be configured: one schema gives types, defaults, validation, the command line and its
 * help.
 *
 * @module
 */
import { z } from "zod";
import { together } from "./fields.ts";
import { explainIssue, toProblems } from "./issues.ts";
import { ConfigError, type ConfigProblem } from "./options.ts";
import { accessLogFields } from "./options/access_log.ts";
import { adminFields } from "./options/admin.ts";
import { admissionFields } from "./options/admission.ts";
import { corsFields } from "./options/cors.ts";
import { checkIdentity, identityFields } from "./options/identity.ts";
import { checkAddresses, listenFields } from "./options/listen.ts";
import { logFields } from "./options/log.ts";
import { natsFields } from "./options/nats.ts";
import { natsLoginFields } from "./options/nats_login.ts";
import { checkPersistence, persistenceFields } from "./options/persistence.ts";
import { requestFields } from "./options/requests.ts";
import { backendFields } from "./options/reverse.ts";
import { routingFields } from "./options/routing.ts";
import { checkResume, socketFields } from "./options/sockets.ts";
import { collectorFields, tracingFields } from "./options/tracing.ts";
import { checkTemplates } from "./route_checks.ts";

/** Every option with its default, what it is for, and how its value is called in the help. */
export const configSchema = z.strictObject({
  ...natsFields,
  ...listenFields,
  ...adminFields,
  ...requestFields,
  ...socketFields,
  ...admissionFields,
  ...corsFields,
  ...identityFields,
  ...routingFields,
  ...persistenceFields,
  ...logFields,
  ...accessLogFields,
  ...tracingFields,
})
  .check(together(["persist", "prefix", "routes"], checkPersistence))
  .check(together(["resume", "connectionRecords", "routes"], checkResume))
  .check(
    together(["auth", "authorizationKey", "authorizationKeyFile", "jwt", "routes"], checkIdentity),
  )
  .check(together(["prefix", "session", "auth", "routes"], checkTemplates))
  .check(together(["listen", "admin"], checkAddresses));

/** Those that have flags, as a reader looks for them. */
export const CONFIG_GROUPS: Readonly<Record<string, z.ZodRawShape>> = {
  "NATS": natsFields,
  "Where it listens": { ...listenFields, ...adminFields },
  "Requests": requestFields,
  "WebSockets": socketFields,
  "Who gets in, and how much": { ...admissionFields, ...corsFields, ...identityFields },
  "Kept in streams": persistenceFields,
  "What is told of it": { ...logFields, ...accessLogFields, ...tracingFields },
};

/** The gateway's configuration, complete. Durations are milliseconds, sizes bytes. */
export type GatewayConfig = Readonly<z.output<typeof configSchema>>;

/** The options of the reverse daemon. */
export const reverseSchema = z.strictObject({
  ...backendFields,
  ...natsLoginFields,
  prefix: natsFields.prefix,
  ...logFields,
  ...collectorFields,
});

/** The reverse daemon's configuration, complete. */
export type ReverseConfig = Readonly<z.output<typeof reverseSchema>>;

/**
 * Checks options and fills in the defaults.
 *
 * @param options From the command line, a file or a program.
 * @returns The complete configuration.
 * @throws {ConfigError} that names all options that cannot be used, and what would be right.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseConfig } from "./schema.ts";
 *
 * assert.equal(parseConfig({ requestTimeout: "5s" }).requestTimeout, 5000);
 * assert.throws(() => parseConfig({ listen: "nowhere" }), /expected HOST:PORT/);
 * ```
 */
export function parseConfig(options: unknown): GatewayConfig {
  return parseWith(configSchema, options);
}

/**
 * Checks options against a schema and fills in its defaults.
 *
 * @param options From the command line, a file or a program.
 * @returns What the schema makes of them.
 * @throws {ConfigError} that names all options that cannot be used, and what would be right.
 */
export function parseWith<T>(schema: z.ZodType<T>, options: unknown): T {
  const result = schema.safeParse(options, { error: explainIssue });
  if (result.success) return result.data;
  ConfigError.throwIfAny(toProblems(result.error.issues, { schema, options }));
  throw result.error;
}

/**
 * Looks for all that is wrong.
 *
 * @param options From the command line, a file or a program.
 * @returns Where, and what would be right; nothing where all is right.
 */
export function findProblems(schema: z.ZodType, options: unknown): readonly ConfigProblem[] {
  const result = schema.safeParse(options, { error: explainIssue });
  return result.success ? [] : toProblems(result.error.issues, { schema, options });
}

/**
 * The schema for editors.
 *
 * @param schema The gateway's, if nothing else is said.
 * @returns JSON Schema, draft 2020-12, of what one may write in the YAML file.
 */
export function toJsonSchema(schema: z.ZodObject = configSchema): Record<string, unknown> {
  return z.toJSONSchema(schema, {
    io: "input",
    target: "draft-2020-12",
    unrepresentable: "any",
    override: ({ jsonSchema }) => {
      for (const key of ["placeholder", "isFileOnly", "isFile", "mask"]) delete jsonSchema[key];
    },
  });
}
