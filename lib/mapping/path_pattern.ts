/**
 * Which paths a route means. Its path is written in the syntax of URLPattern, and matched against the
 * tokens of a request's subject, never against the spelling that the client chose.
 *
 * @module
 */
import { toPathSegment, toSegmentToken } from "./subject.ts";
import { TemplateError } from "./template.ts";

/** One token: this one, one of these, any, or one that the pattern has to look at. */
export type PathStep =
  | { readonly kind: "literal"; readonly token: string }
  | {
    readonly kind: "among";
    readonly name: string | undefined;
    readonly tokens: readonly string[];
  }
  | { readonly kind: "any"; readonly name: string }
  | { readonly kind: "some" };

/** A route's path, checked. */
export interface PathPattern {
  readonly text: string;
  /** What the first tokens have to be. */
  readonly steps: readonly PathStep[];
  /** Whether others may follow. */
  readonly isOpen: boolean;
  /** What else is asked of a path, where tokens cannot say it. */
  readonly rest: URLPattern | undefined;
  /** The names of its parameters. */
  readonly params: readonly string[];
}

/** A path's parameters: one token each. */
export type PathParams = Readonly<Record<string, string>>;

/** No character that URLPattern gives a meaning. */
const LITERAL = /^[^:{}()*+?\\]+$/;
const NAMED = /^:([A-Za-z_]\w*)$/;
/** A regular expression with nothing in it that could take a slash, or no character at all. */
const ATOM = /(?:[\w-]|\\[dw]|\[(?:\w(?:-\w)?|\\[dw])+-?\])(?:\+|\{[1-9]\d*(?:,\d*)?\})?/.source;
const ONE_TOKEN = new RegExp(`^(?::([A-Za-z_]\\w*))?\\(((?:${ATOM})+(?:\\|(?:${ATOM})+)*)\\)$`);
const WORDS = /^[\w|-]+$/;
/** Groups at the end that begin with a slash each: what is before them is whole segments. */
const GROUPS = /(?:(?<!\\)\{\/[^{}]*\}[?*+]?)+$/;
const MEANINGFUL = /[:()*+]/;

/**
 * Reads a pattern: segments, `:name` for any one, `:name(one|another)`, and `/*` at the end for all below
 * are matched token by token. Whatever else URLPattern knows (`:id(\\d+)`, `{/:page}?`, `*` in the middle)
 * is left to it, once the tokens that are known of it fit.
 *
 * @param text As it is configured, e.g. `"/rooms/:room/*"`.
 * @throws {TemplateError} when it is none.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parsePath } from "./path_pattern.ts";
 *
 * const { steps, isOpen, params } = parsePath("/rooms/:room/*");
 * assert.deepEqual(steps, [{ kind: "literal", token: "rooms" }, { kind: "any", name: "room" }]);
 * assert.deepEqual([isOpen, params], [true, ["room"]]);
 * ```
 */
export function parsePath(text: string): PathPattern {
  if (/%(?![0-9A-Fa-f]{2})/.test(text)) {
    throw refuse(text, "has a % without two hexadecimal digits");
  }
  if (!/^[/*({]/.test(text)) {
    throw refuse(text, "does not begin with /");
  }
  if (/\/(?:\.|%2e){1,2}(?:\/|$)/i.test(text)) {
    throw refuse(text, "has a segment of dots, which no request has");
  }
  const params = [...text.matchAll(/(?<!\\):([A-Za-z_]\w*)/g)].map(([, name]) => name!);
  if (new Set(params).size < params.length) {
    throw refuse(text, "has two parameters of one name");
  }
  const head = text.replace(GROUPS, "");
  const segments = text === "*" ? ["*"] : head.split("/").filter((segment) => segment !== "");
  const steps: PathStep[] = [];
  for (const segment of segments) {
    const step = toStep(segment);
    if (step === undefined) break;
    steps.push(step);
  }
  const rest = segments.slice(steps.length);
  const isPlain = head === text && (rest.length === 0 || rest.length === 1 && rest[0] === "*") &&
    steps.every(({ kind }) => kind !== "some");
  return {
    ...{ text, steps, params },
    isOpen: rest.length > 0 || head !== text,
    rest: isPlain ? undefined : toURLPattern(text),
  };
}

/**
 * Matches a path that is known to begin as the steps say.
 *
 * @param pattern From {@link parsePath}.
 * @returns The parameters; undefined when it does not match.
 */
export function fromSteps(
  { steps, rest, params: names }: PathPattern,
  tokens: readonly string[],
): PathParams | undefined {
  if (rest !== undefined) return matchRest(rest, { tokens, names });
  const params: Record<string, string> = {};
  for (const [index, step] of steps.entries()) {
    const token = tokens[index]!;
    if (step.kind === "among" && !step.tokens.includes(token)) return undefined;
    if ("name" in step && step.name !== undefined) params[step.name] = token;
  }
  return params;
}

function toStep(segment: string): PathStep | undefined {
  const [, name] = NAMED.exec(segment) ?? [];
  if (name !== undefined) return { kind: "any", name };
  const [, label, expression] = ONE_TOKEN.exec(segment) ?? [];
  if (expression !== undefined) {
    if (!WORDS.test(expression)) return { kind: "some" };
    const tokens = [...new Set(expression.split("|").map(toSegmentToken))];
    return { kind: "among", name: label, tokens };
  }
  return LITERAL.test(segment) ? { kind: "literal", token: toSegmentToken(segment) } : undefined;
}

/** A percent-encoded octet means the same however it is written, and never a sign of the syntax. */
function toURLPattern(text: string): URLPattern {
  const pathname = text.replace(/%[0-9A-Fa-f]{2}/g, (octet) => {
    const character = toPathSegment(toSegmentToken(octet));
    return MEANINGFUL.test(character) ? `\\${character}` : character;
  });
  try {
    return new URLPattern({ pathname });
  } catch (cause) {
    throw refuse(text, "is no URLPattern", { cause });
  }
}

/** With and without a final slash is one path; a pattern that takes either takes it. */
function matchRest(
  pattern: URLPattern,
  { tokens, names }: { tokens: readonly string[]; names: readonly string[] },
): PathParams | undefined {
  const path = `/${tokens.map(toPathSegment).join("/")}`;
  const found = pattern.exec({ pathname: path }) ??
    (path === "/" ? null : pattern.exec({ pathname: `${path}/` }));
  if (found === null) return undefined;
  const params: Record<string, string> = {};
  for (const name of names) {
    const value = found.pathname.groups[name];
    if (value) params[name] = value.split("/").map(toSegmentToken).join("%2F");
  }
  return params;
}

function refuse(text: string, why: string, options: ErrorOptions = {}): TemplateError {
  return new TemplateError(`the path "${text}" ${why}`, { ...options, path: ["match", "path"] });
}
