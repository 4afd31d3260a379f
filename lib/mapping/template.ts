/**
 * Route templates → subjects.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import { touchesPush, touchesReserved } from "./reserved.ts";
import { MAX_SUBJECT_LENGTH, readSubject, type Subject } from "./subject.ts";

/** A template that cannot be used; the message says why. */
export class TemplateError extends Error {
  /** Always `"TemplateError"`. */
  override readonly name = "TemplateError";

  /**
   * @param message What is wrong, and what would be right.
   * @param options `path`: which part of a route it is, where that is known.
   */
  constructor(
    message: string,
    { path = [], ...options }: ErrorOptions & { readonly path?: readonly (string | number)[] } = {},
  ) {
    super(message, options);
    this.path = path;
  }

  /** Which part of a route it is, e.g. `["subscribe", 0]`; empty where that is not known. */
  readonly path: readonly (string | number)[];
}

/** A subject template, checked. */
export interface Template {
  readonly text: string;
  /** Literal text and names, in turn. */
  readonly pieces: readonly Piece[];
  /** Whether it is to be subscribed to, and not published on. */
  readonly isPattern: boolean;
}

type Piece =
  | { readonly kind: "literal"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string };

/** What the gateway knows of a request besides the path's own parameters. */
export const BUILT_IN_VARIABLES = [
  "prefix",
  "scheme",
  "method",
  "method:lower",
  "host",
  "path",
  "session",
  "connection",
  "gateway",
] as const;

/** The name of a built-in variable. */
export type BuiltInVariable = typeof BUILT_IN_VARIABLES[number];

/** Built-in variables of which the client has no say. */
const FIXED_VARIABLES: ReadonlySet<string> = new Set(
  ["prefix", "scheme", "gateway"] satisfies BuiltInVariable[],
);

/** Values for a template. */
export interface TemplateValues {
  /** Already legal tokens; several where they are joined by dots; undefined where unknown. */
  readonly builtIn:
    & Readonly<Partial<Record<BuiltInVariable, string>>>
    & { readonly prefix: string };
  /** The path's parameters, one token each. */
  readonly params: Readonly<Record<string, string>>;
  /** Whether there are sessions, so that something is heard on their `push`. */
  readonly hasSessions: boolean;
}

const VARIABLE = /\{([^{}]*)\}/g;
/** What a literal may hold besides dots; wildcards are looked at separately. */
const LITERAL = /^[A-Za-z0-9\-_~$&+:=@%.*>]*$/;

/**
 * Checks a template.
 *
 * @param text E.g. `"{prefix}.{room}.in"`.
 * @param options `params`: the names that the route's path has; `wildcards`: whether `*` and `>` may
 * stand for whole tokens, as in a subscription.
 * @throws {TemplateError} when a variable is unknown or the result could not be a subject.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseTemplate, renderTemplate } from "./template.ts";
 *
 * const template = parseTemplate("{prefix}.{room}.>", { params: ["room"], wildcards: true });
 * const values = { builtIn: { prefix: "h8s" }, params: { room: "a%2Eb" }, hasSessions: false };
 * assert.equal(renderTemplate(template, values), "h8s.a%2Eb.>");
 * ```
 */
export function parseTemplate(
  text: string,
  { params, wildcards }: { params: readonly string[]; wildcards: boolean },
): Template {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of text.matchAll(VARIABLE)) {
    const [whole, name = ""] = match;
    if (!isBuiltIn(name) && !params.includes(name)) {
      const known = [...BUILT_IN_VARIABLES, ...params].map((name) => `{${name}}`).join(" ");
      throw new TemplateError(`unknown variable ${whole}, expected one of ${known}`);
    }
    pieces.push({ kind: "literal", text: text.slice(end, match.index) }, {
      kind: "variable",
      name,
    });
    end = match.index + whole.length;
  }
  pieces.push({ kind: "literal", text: text.slice(end) });
  checkTokens(text, wildcards);
  return {
    text,
    pieces: pieces.filter((piece) => piece.kind === "variable" || piece.text !== ""),
    isPattern: wildcards,
  };
}

/**
 * Fills a template in.
 *
 * @param template From {@link parseTemplate}.
 * @returns The subject; tokens that came out empty, such as the path of the root, are left out.
 * @throws {GatewayError} `malformed_request` when a parameter is missing, or when the client's part of
 * the subject leads to where the gateway itself speaks; `uri_too_long` when the subject is longer than
 * NATS takes.
 */
export function renderTemplate(template: Template, values: TemplateValues): Subject {
  const { pieces, text } = template;
  const tokens = fillIn(pieces, values);
  if (tokens.length > MAX_SUBJECT_LENGTH) {
    const detail = `The path makes a subject of ${tokens.length} bytes`;
    throw new GatewayError("uri_too_long", `${detail}; at most ${MAX_SUBJECT_LENGTH} fit`);
  }
  if (tokens === "") {
    throw new GatewayError("malformed_request", `The route ${text} gives no subject`);
  }
  const { prefix } = values.builtIn;
  if (touchesReserved(tokens, prefix) && !touchesReserved(toFixedHead(pieces, values), prefix)) {
    throw new GatewayError("malformed_request", "The path leads to a reserved subject");
  }
  if (reachesOthers(tokens, { template, values })) {
    throw new GatewayError("malformed_request", "The path leads to another client's subject");
  }
  return readSubject(tokens);
}

/** A client has no say in whose `push` it speaks on or hears; its own it may. */
function reachesOthers(
  subject: string,
  { template: { pieces, isPattern }, values }: { template: Template; values: TemplateValues },
): boolean {
  const { prefix, session } = values.builtIn;
  if (!touchesPush(subject, prefix) || (isPattern && !values.hasSessions)) return false;
  const length = prefix.split(".").length;
  if (subject.split(".")[length] === session) return false;
  const fixed = toFixedHead(pieces, values);
  return fixed === "" || fixed.split(".").length <= length;
}

function fillIn(pieces: readonly Piece[], values: TemplateValues): string {
  let subject = "";
  for (const piece of pieces) {
    subject += piece.kind === "literal" ? piece.text : toValue(piece.name, values);
  }
  return subject.split(".").filter((token) => token !== "").join(".");
}

/** The whole tokens before the first variable that the client has a say of. */
function toFixedHead(pieces: readonly Piece[], values: TemplateValues): string {
  const end = pieces.findIndex((piece) =>
    piece.kind === "variable" && (Object.hasOwn(values.params, piece.name) ||
      !FIXED_VARIABLES.has(piece.name))
  );
  if (end === -1) return fillIn(pieces, values);
  // What stands before that variable within its token is no whole token.
  const head = fillIn([...pieces.slice(0, end), { kind: "literal", text: "?" }], values);
  return head.slice(0, Math.max(0, head.lastIndexOf(".")));
}

function toValue(name: string, { builtIn, params }: TemplateValues): string {
  if (Object.hasOwn(params, name)) {
    const value = params[name] ?? "";
    if (value !== "") return value;
    throw new GatewayError("malformed_request", `The path's part "${name}" is empty`);
  }
  return (isBuiltIn(name) ? builtIn[name] : undefined) ?? "";
}

function checkTokens(text: string, wildcards: boolean): void {
  const tokens = text.replaceAll(VARIABLE, "v").split(".");
  for (const [index, token] of tokens.entries()) {
    if (token === "") throw new TemplateError("an empty token");
    if (!LITERAL.test(token)) {
      throw new TemplateError(`the token "${token}" has a character that no subject may have`);
    }
    if (!/[*>]/.test(token)) continue;
    if (!wildcards) throw new TemplateError("a wildcard, where a message is published");
    if (token.length > 1) throw new TemplateError(`a wildcard inside the token "${token}"`);
    if (token === ">" && index < tokens.length - 1) {
      throw new TemplateError("> that is not the last token");
    }
  }
}

function isBuiltIn(name: string): name is BuiltInVariable {
  return (BUILT_IN_VARIABLES as readonly string[]).includes(name);
}
