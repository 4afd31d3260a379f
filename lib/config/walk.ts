/**
 * The way into a schema: which names are known where.
 *
 * @module
 */
import { z } from "zod";

/**
 * The names that are known at a place.
 *
 * @param schema The whole.
 * @param path The way to the place, e.g. `["routes", "0", "match"]`.
 * @returns The names; none where the place is no object.
 */
export function listKeys(schema: z.core.$ZodType, path: readonly string[]): string[] {
  const inner = unwrap(schema);
  const [key, ...rest] = path;
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => listKeys(option, path));
  if (inner instanceof z.ZodArray && key !== undefined) return listKeys(inner.element, rest);
  if (!(inner instanceof z.ZodObject)) return [];
  if (key === undefined) return Object.keys(inner.shape);
  const next = inner.shape[key];
  return next === undefined ? [] : listKeys(next, rest);
}

/** Takes off that it may be left out, its default, and what becomes of it. */
function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  if (schema instanceof z.ZodPipe) return unwrap(schema.def.in);
  const isWrapped = schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault ||
    schema instanceof z.ZodOptional;
  return isWrapped ? unwrap(schema.def.innerType) : schema;
}
