/**
 * Options in YAML, to and from.
 *
 * @module
 */
import {
  type Document,
  isAlias,
  isMap,
  isNode,
  isScalar,
  LineCounter,
  parseDocument,
  stringify,
  visit,
  type YAMLError,
} from "yaml";
import type { z } from "zod";
import { ConfigFileError } from "./options.ts";
import { readSource, type TextSource, toSourceName } from "./source.ts";
import { withoutEnvironment } from "../without_environment.ts";
import { present } from "./walk.ts";

const MAX_ALIASES = 1000;
const TOO_MANY_ALIASES = "expected fewer aliases (*NAME): they mean too much";
const NO_TAGS = "tags (!…) are not understood here";

/** Options as they were written, and where. */
export interface Written {
  /** Not checked yet. */
  readonly options: Readonly<Record<string, unknown>>;
  /** What the text is called in errors. */
  readonly name: string;
  /**
   * Says where a value stands, or what is nearest to it.
   *
   * @param path E.g. `["routes", "0", "subject"]`.
   * @param what Its name is meant, not what stands behind it.
   * @returns Line and column, from 1.
   */
  locate(path: readonly string[], what?: "name"): TextPosition;
}

/** Where something stands in a text. */
export interface TextPosition {
  readonly line: number;
  readonly col: number;
}

/**
 * Loads options.
 *
 * @throws {ConfigFileError} when it cannot be read, or is no YAML.
 */
export async function loadOptions(source: TextSource): Promise<Written> {
  return parseOptions(await readSource(source), toSourceName(source));
}

/**
 * Reads options from YAML.
 *
 * @param text YAML 1.2, of comments alone for no options; but not empty, since that is what is left where
 * fetching or writing it went wrong.
 * @throws {ConfigFileError} when it is no YAML, or no options; a line for each thing.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseOptions } from "./load.ts";
 *
 * const written = parseOptions("prefix: h8s\nrequestTimeout: 5s", "h8s.yaml");
 * assert.deepEqual(written.options, { prefix: "h8s", requestTimeout: "5s" });
 * assert.deepEqual(written.locate(["requestTimeout"]), { line: 2, col: 17 });
 * assert.throws(() => parseOptions("prefix: [h8s", "h8s.yaml"), /^ConfigFileError: h8s\.yaml:1:13: /);
 * ```
 */
export function parseOptions(text: string, name: string): Written {
  const lines = new LineCounter();
  const locate = (offset: number): TextPosition => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), col: Math.max(col, 1) };
  };
  const fail = (problems: readonly (readonly [offset: number, reason: string])[]): never => {
    const told = problems.map(([offset, reason]) => {
      const { line, col } = locate(offset);
      return `${name}:${line}:${col}: ${reason}`;
    });
    throw new ConfigFileError([...new Set(told)].join("\n"));
  };
  if (text.trim() === "") fail([[0, "it is empty; write {} for no options"]]);
  const document = withoutEnvironment(() =>
    parseDocument(text, { lineCounter: lines, prettyErrors: false })
  );
  const errors = [...document.errors, ...document.warnings].map(
    (error) => [error.pos[0], toReason(error)] as const,
  );
  const problems = errors.length > 0 ? errors : findOddities(document);
  if (problems.length > 0) fail(problems);
  const { contents } = document;
  if (contents !== null && !isMap(contents)) {
    fail([[contents.range?.[0] ?? 0, "expected options, each as NAME: VALUE"]]);
  }
  return {
    options: toObject(document, (reason) => fail([[0, reason]])),
    name,
    locate: (path, what) => locate(toOffset(document, path, what)),
  };
}

/**
 * Writes options as YAML, complete: with their defaults, without their secrets.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { renderOptions } from "./load.ts";
 * import { configSchema } from "./schema.ts";
 *
 * const yaml = renderOptions(configSchema, { natsUrl: ["nats://ann:secret@a:4222"] });
 * assert.match(yaml, /^natsUrl:\n {2}- nats:\/\/a:4222\n/);
 * ```
 */
export function renderOptions(schema: z.ZodObject, options: object): string {
  return withoutEnvironment(() => stringify(present(schema, options)));
}

/** Some of the parser's own texts quote what they found, which may be a secret. */
function toReason({ code, message }: YAMLError): string {
  switch (code) {
    case "DUPLICATE_KEY":
      return "this name stands here twice";
    case "MULTIPLE_DOCS":
      return "expected one document, here begins another one";
    case "TAB_AS_INDENT":
      return "expected spaces; YAML takes no tabs in front of a line";
    case "TAG_RESOLVE_FAILED":
      return NO_TAGS;
    default:
      if (message.includes("call stack")) return "this is nested too deep";
      return `expected YAML: ${message.replace(/:? ["'].*$/s, "")}`;
  }
}

/**
 * What the parser takes and nobody means: aliases that stand for nothing, or so many that to look each of them up
 * takes minutes, tags, and names that are lists, or nothing.
 */
function findOddities(document: Document): [offset: number, reason: string][] {
  const found: [number, string][] = [];
  const anchors = new Set<string>();
  let aliases = 0;
  visit(document, {
    Pair: (_, { key }) => {
      if (isScalar(key) && key.value !== null && isPrintable(String(key.value))) return;
      found.push([isNode(key) ? key.range?.[0] ?? 0 : 0, "expected a name"]);
    },
    Node: (_, node) => {
      const offset = node.range?.[0] ?? 0;
      if (isAlias(node)) {
        if (++aliases === MAX_ALIASES + 1) found.push([offset, TOO_MANY_ALIASES]);
        if (anchors.has(node.source)) return;
        found.push([offset, `there is no &${node.source} before this alias`]);
        return;
      }
      if (node.anchor !== undefined) anchors.add(node.anchor);
      if (node.tag !== undefined) found.push([offset, NO_TAGS]);
    },
  });
  return found;
}

function isPrintable(name: string): boolean {
  // deno-lint-ignore no-control-regex
  return !/[\x00-\x1f\x7f-\x9f]/.test(name);
}

/** A few aliases of aliases may mean more than any memory holds; the parser gives up in time. */
function toObject(document: Document, fail: (reason: string) => never): Record<string, unknown> {
  try {
    const options: unknown = document.toJS() ?? {};
    return options as Record<string, unknown>;
  } catch (error) {
    if (!(error instanceof ReferenceError)) throw error;
    return fail(TOO_MANY_ALIASES);
  }
}

/** Where the value is; the name, where the value is missing or the name is what is wrong. */
function toOffset(document: Document, path: readonly string[], what?: "name"): number {
  for (let length = path.length; length > 0; length--) {
    const keys = path.slice(0, length);
    const key = findKey(document, keys);
    const offset = what === "name"
      ? key ?? findNode(document, keys)
      : findNode(document, keys) ?? key;
    if (offset !== undefined) return offset;
  }
  return isNode(document.contents) ? document.contents.range?.[0] ?? 0 : 0;
}

function findNode(document: Document, path: readonly string[]): number | undefined {
  const node = document.getIn(path.map(toKey), true);
  // What is not written at all stands nowhere.
  return isNode(node) && node.range && node.range[0] < node.range[1] ? node.range[0] : undefined;
}

function findKey(document: Document, path: readonly string[]): number | undefined {
  const parent = path.length === 1
    ? document.contents
    : document.getIn(path.slice(0, -1).map(toKey), true);
  if (!isMap(parent)) return undefined;
  const pair = parent.items.find(({ key }) => isScalar(key) && String(key.value) === path.at(-1));
  return isNode(pair?.key) ? pair.key.range?.[0] : undefined;
}

function toKey(key: string): string | number {
  return /^\d+$/.test(key) ? Number(key) : key;
}
