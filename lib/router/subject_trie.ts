/**
 * NATS subject patterns kept as a tree of tokens: a look-up walks the tokens of the subject, not
 * the patterns that were added.
 *
 * @module
 */

interface Node<Value> {
  /** The branches for literal tokens. */
  literals: Map<string, Node<Value>> | undefined;
  /** The branch for `*`. */
  wildcard: Node<Value> | undefined;
  /** What was added with a pattern that ends here. */
  ending: Value[] | undefined;
  /** What was added with a pattern that goes on with `>`. */
  rest: Value[] | undefined;
}

const SCORES = { literal: 3, wildcard: 2, rest: 1 } as const;

/**
 * A pattern that NATS would not take, or would take to mean something else.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { InvalidPatternError } from "./subject_trie.ts";
 *
 * const error = new InvalidPatternError("order..new", "token 2 is empty");
 * assert.equal(error.name, "InvalidPatternError");
 * assert.equal(error.pattern, "order..new");
 * ```
 */
export class InvalidPatternError extends Error {
  /** Always `"InvalidPatternError"`. */
  override readonly name = "InvalidPatternError";

  /**
   * Makes the error.
   *
   * @param pattern The pattern as it was given.
   * @param reason What is wrong with it.
   */
  constructor(readonly pattern: string, readonly reason: string) {
    super(`Cannot use the pattern ${JSON.stringify(pattern)}: Invalid subject pattern, ${reason}`);
  }
}

/**
 * Checks a pattern and splits it.
 *
 * @param pattern Tokens joined by dots; `*` stands for one token, `>` at the end for one or more.
 * @returns The tokens.
 * @throws {InvalidPatternError} when it is empty, has an empty token or white space, has a
 * wildcard inside a token, or has `>` before the end.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parsePattern } from "./subject_trie.ts";
 *
 * assert.deepEqual(parsePattern("order.*.new"), ["order", "*", "new"]);
 * assert.throws(() => parsePattern("order.>.new"), { name: "InvalidPatternError" });
 * ```
 */
export function parsePattern(pattern: string): string[] {
  if (typeof pattern !== "string") throw new InvalidPatternError(pattern, "it is not a string");
  if (pattern === "") throw new InvalidPatternError(pattern, "it is empty");
  const tokens = pattern.split(".");
  tokens.forEach((token, index) => {
    const fault = toFault(token, index === tokens.length - 1);
    if (fault !== undefined) throw new InvalidPatternError(pattern, `token ${index + 1} ${fault}`);
  });
  return tokens;
}

/**
 * Says how specific a pattern is: the sum of 3 per literal token, 2 per `*` and 1 per `>`.
 *
 * @param tokens The pattern's tokens, from {@link parsePattern}.
 * @returns The sum; the higher, the more specific.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toSpecificity } from "./subject_trie.ts";
 *
 * assert.equal(toSpecificity(["order", "*", ">"]), 6);
 * ```
 */
export function toSpecificity(tokens: readonly string[]): number {
  let sum = 0;
  for (const token of tokens) {
    sum += token === ">" ? SCORES.rest : token === "*" ? SCORES.wildcard : SCORES.literal;
  }
  return sum;
}

/**
 * Values filed under subject patterns.
 *
 * A look-up visits at most the branches that fit the subject: one literal and one `*` per token.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { SubjectTrie } from "./subject_trie.ts";
 *
 * const trie = new SubjectTrie<string>();
 * trie.add("order.*", "one token");
 * trie.add("order.>", "the rest");
 * assert.deepEqual(trie.match("order.7").sort(), ["one token", "the rest"]);
 * assert.deepEqual(trie.match("order.7.new"), ["the rest"]);
 * assert.deepEqual(trie.match("order"), []);
 * ```
 */
export class SubjectTrie<Value> {
  readonly #root: Node<Value> = createNode();

  /**
   * Files a value under a pattern, beside what is already there.
   *
   * @param pattern A subject pattern.
   * @param value What {@link SubjectTrie.match} gives for the subjects that the pattern fits.
   * @throws {InvalidPatternError} when {@link parsePattern} refuses the pattern.
   */
  add(pattern: string, value: Value): void {
    let node = this.#root;
    for (const token of parsePattern(pattern)) {
      if (token === ">") {
        (node.rest ??= []).push(value);
        return;
      }
      node = token === "*" ? node.wildcard ??= createNode() : toBranch(node, token);
    }
    (node.ending ??= []).push(value);
  }

  /**
   * Finds the values of all patterns that fit a subject.
   *
   * @param subject A subject as NATS delivers it. One with an empty token fits no pattern.
   * @returns The values, in no particular order except that those of one pattern keep theirs.
   */
  match(subject: string): Value[] {
    const found: Value[] = [];
    const tokens = subject.split(".");
    if (!tokens.includes("")) collect(this.#root, { tokens, depth: 0, found });
    return found;
  }
}

interface Walk<Value> {
  readonly tokens: readonly string[];
  readonly depth: number;
  readonly found: Value[];
}

function collect<Value>(node: Node<Value>, { tokens, depth, found }: Walk<Value>): void {
  const token = tokens[depth];
  if (token === undefined) {
    append(found, node.ending);
    return;
  }
  append(found, node.rest);
  const literal = node.literals?.get(token);
  if (literal !== undefined) collect(literal, { tokens, depth: depth + 1, found });
  if (node.wildcard !== undefined) collect(node.wildcard, { tokens, depth: depth + 1, found });
}

/** Not `push(...values)`, which overflows the stack when a pattern has very many values. */
function append<Value>(found: Value[], values: readonly Value[] | undefined): void {
  if (values === undefined) return;
  for (const value of values) found.push(value);
}

function toBranch<Value>(node: Node<Value>, token: string): Node<Value> {
  node.literals ??= new Map();
  let branch = node.literals.get(token);
  if (branch === undefined) {
    branch = createNode();
    node.literals.set(token, branch);
  }
  return branch;
}

function createNode<Value>(): Node<Value> {
  return { literals: undefined, wildcard: undefined, ending: undefined, rest: undefined };
}

function toFault(token: string, isLast: boolean): string | undefined {
  if (token === "") return "is empty";
  if (/\s/.test(token)) return `${JSON.stringify(token)} contains white space`;
  if (token === ">") return isLast ? undefined : 'is ">" but not the last one';
  if (token !== "*" && /[*>]/.test(token)) {
    return `${JSON.stringify(token)} has a wildcard inside; "*" and ">" stand alone`;
  }
  return undefined;
}
