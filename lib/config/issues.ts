/**
 * What the schema library complains about, in our words.
 *
 * @module
 */
import type { z } from "zod";
import type { ConfigProblem } from "./options.ts";
import { findRenamed, suggest } from "./suggest.ts";
import { listKeys } from "./walk.ts";

type Issue = z.core.$ZodIssue;

/** The text for what no option has a text of its own for. */
export function explainIssue(issue: z.core.$ZodRawIssue): string {
  if (issue.code !== "invalid_type") return "expected something else";
  switch (issue.expected) {
    case "object":
    case "record":
      return "expected options of its own, each as NAME: VALUE, or {} for none";
    case "array":
      return "expected a list: in [ ], or each behind a dash";
    case "boolean":
      return "expected true or false";
    case "string":
      return typeof issue.input === "number" || typeof issue.input === "boolean"
        ? "expected text; put it between quotes"
        : "expected text";
    default:
      return `expected a ${issue.expected}`;
  }
}

/**
 * All that is wrong, each once.
 *
 * @param options `schema`: what was expected; `options`: what there was.
 */
export function toProblems(
  issues: readonly Issue[],
  { schema, options }: { schema: z.ZodType; options: unknown },
): ConfigProblem[] {
  const problems = issues.flatMap((issue) => {
    const path = issue.path.map(String);
    if (issue.code === "unrecognized_keys") {
      return issue.keys.map((key) => toUnknown([...path, key], listKeys(schema, path)));
    }
    return [{ path, reason: toReason(issue.message, valueAt(options, path)) }];
  });
  return [...new Map(
    problems.map((problem) => [[problem.reason, ...problem.path].join("\0"), problem]),
  ).values()];
}

function toUnknown(path: readonly string[], known: readonly string[]): ConfigProblem {
  const name = path.at(-1)!;
  const renamed = findRenamed(name)?.filter((option) => known.includes(option)) ?? [];
  const closest = suggest(name, known);
  const hint = renamed.length > 0
    ? `; it is now ${renamed.map((option) => `"${option}"`).join(" and ")}`
    : closest === undefined
    ? ""
    : `; did you mean "${closest}"?`;
  return { path, reason: `there is no such option${hint}`, isUnknown: true };
}

/** Nothing behind the colon is `null` in YAML. */
function toReason(message: string, value: unknown): string {
  if (!message.startsWith("expected")) return message;
  return value === null ? `${message}; there is nothing` : message;
}

/**
 * Looks into options.
 *
 * @returns The value; undefined where there is none.
 */
export function valueAt(options: unknown, path: readonly string[]): unknown {
  return path.reduce<unknown>(
    (value, key) =>
      typeof value === "object" && value !== null && Object.hasOwn(value, key)
        ? (value as Record<string, unknown>)[key]
        : undefined,
    options,
  );
}
