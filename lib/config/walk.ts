/**
 * The way into a schema: what is known of a part of a configuration.
 *
 * @module
 */
import { z } from "zod";
import { type FieldMeta, toMeta } from "./fields.ts";

/** A part of a schema without what is wrapped around it. */
export interface Part {
  /** The innermost schema: an object, an array, a string … */
  readonly schema: z.core.$ZodType;
  /** What any layer says of it. */
  readonly meta: FieldMeta;
  /** What stands for it when nothing is said, as people write it; undefined for nothing. */
  readonly byDefault: unknown;
}

/** Takes off what wraps a schema: that it may be left out, its default, what becomes of it. */
export function unwrap(schema: z.core.$ZodType): Part {
  const meta = toMeta(schema);
  if (schema instanceof z.ZodPrefault || schema instanceof z.ZodDefault) {
    const inner = unwrap(schema.def.innerType);
    return { ...inner, meta: { ...inner.meta, ...meta }, byDefault: schema.def.defaultValue };
  }
  const next = schema instanceof z.ZodOptional
    ? schema.def.innerType
    : schema instanceof z.ZodPipe
    ? schema.def.in
    : undefined;
  if (next === undefined) return { schema, meta, byDefault: undefined };
  const inner = unwrap(next);
  return { ...inner, meta: { ...inner.meta, ...meta } };
}

/**
 * The names that are known at a place.
 *
 * @param path The way to the place, e.g. `["routes", "0", "match"]`.
 * @returns The names; none where the place is no object.
 */
export function listKeys(schema: z.core.$ZodType, path: readonly string[]): string[] {
  const inner = unwrap(schema).schema;
  const [key, ...rest] = path;
  if (inner instanceof z.ZodUnion) return inner.options.flatMap((option) => listKeys(option, path));
  if (inner instanceof z.ZodArray && key !== undefined) return listKeys(inner.element, rest);
  if (!(inner instanceof z.ZodObject)) return [];
  if (key === undefined) return Object.keys(inner.shape);
  const next = inner.shape[key];
  return next === undefined ? [] : listKeys(next, rest);
}

/**
 * A configuration that may be shown: its defaults filled in, its secrets masked.
 *
 * @param value As it was written; undefined for nothing.
 * @returns The same, as it may be written again.
 */
export function present(schema: z.core.$ZodType, value: unknown): unknown {
  const { schema: inner, meta, byDefault } = unwrap(schema);
  const written = value ?? byDefault;
  if (written === undefined || written === null) return undefined;
  if (meta.mask !== undefined) return meta.mask(written);
  if (inner instanceof z.ZodUnion) {
    const fitting = inner.options.find((option) => z.safeParse(option, written).success);
    return fitting === undefined ? written : present(fitting, written);
  }
  if (inner instanceof z.ZodArray && Array.isArray(written)) {
    return written.map((item) => present(inner.element, item));
  }
  if (inner instanceof z.ZodObject && typeof written === "object") {
    const entries = Object.entries(inner.shape)
      .map(([key, part]) => [key, present(part, (written as Record<string, unknown>)[key])])
      .filter(([, shown]) => shown !== undefined);
    return Object.fromEntries(entries);
  }
  return written;
}
