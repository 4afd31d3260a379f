/**
 * What of a configuration is not as it would be without one.
 *
 * @module
 */
import { z } from "zod";
import { present } from "./walk.ts";

/** A table of routes may be long; a line of a log is not. */
const LONGEST = 200;

/**
 * The options that differ from their defaults, as they may be shown: secrets masked.
 *
 * @param options As they were written; all can be used.
 * @returns By name; what is no plain value is JSON, cut where it is long.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { listDifferences } from "./differences.ts";
 * import { configSchema } from "./schema.ts";
 *
 * assert.deepEqual(
 *   listDifferences(configSchema, { requestTimeout: "5s", drainTimeout: "10s", natsToken: "x" }),
 *   { requestTimeout: "5s", natsToken: "***" },
 * );
 * ```
 */
export function listDifferences(
  schema: z.ZodObject,
  options: object,
): Record<string, string | number | boolean> {
  const written: Readonly<Record<string, unknown>> = { ...options };
  const differing = Object.entries(schema.shape)
    .filter(([name, part]) => toMeaning(part, written[name]) !== toMeaning(part, undefined));
  return Object.fromEntries(
    differing.map(([name, part]) => [name, toShort(present(part, written[name]))]),
  );
}

/** The same for `60s` and `1m`. */
function toMeaning(schema: z.core.$ZodType, value: unknown): string | undefined {
  return JSON.stringify(z.safeParse(schema, value).data);
}

function toShort(value: unknown): string | number | boolean {
  if (typeof value === "number" || typeof value === "boolean") return value;
  const text = typeof value === "string" ? value : JSON.stringify(value) ?? "";
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}...`;
}
