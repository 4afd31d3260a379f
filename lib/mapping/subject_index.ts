/**
 * Things filed under patterns of subjects, to be found by what a subject has in common with them: a look-up
 * walks the subject's tokens, not all patterns.
 *
 * @module
 */

interface Node<Item> {
  readonly branches: Map<string, Node<Item>>;
  /** Of patterns that end here, and of those that go on with `>`. */
  readonly ends: Item[];
  readonly open: Item[];
}

/**
 * Items by pattern.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { SubjectIndex } from "./subject_index.ts";
 *
 * const index = new SubjectIndex<string>();
 * index.add("orders.*", "one");
 * index.add("orders.>", "all");
 * assert.ok(index.someOverlap("orders.new", (item) => item === "one"));
 * assert.ok(index.someOverlap("*.new.urgent", (item) => item === "all"));
 * assert.ok(!index.someOverlap("orders", () => true));
 * ```
 */
export class SubjectIndex<Item> {
  readonly #root: Node<Item> = createNode();

  /** Files an item; `>` is the pattern's last token. */
  add(pattern: string, item: Item): void {
    let node = this.#root;
    for (const token of pattern.split(".")) {
      if (token === ">") return void node.open.push(item);
      let branch = node.branches.get(token);
      if (branch === undefined) node.branches.set(token, branch = createNode());
      node = branch;
    }
    node.ends.push(item);
  }

  /**
   * Says whether an item is meant whose pattern has a subject in common with this one.
   *
   * @param subject May hold wildcards.
   * @param isMeant Called for each of them, until it says yes; twice for an item with two such patterns.
   */
  someOverlap(subject: string, isMeant: (item: Item) => boolean): boolean {
    return some(this.#root, { tokens: subject.split("."), depth: 0, isMeant });
  }
}

interface Walk<Item> {
  readonly tokens: readonly string[];
  readonly depth: number;
  readonly isMeant: (item: Item) => boolean;
}

function some<Item>(node: Node<Item>, walk: Walk<Item>): boolean {
  const { tokens, depth, isMeant } = walk;
  const token = tokens[depth];
  if (token === undefined) return node.ends.some(isMeant);
  if (node.open.some(isMeant)) return true;
  const next = { ...walk, depth: depth + 1 };
  switch (token) {
    case ">":
      return anyOf(node.branches, (branch) => someBelow(branch, isMeant));
    case "*":
      return anyOf(node.branches, (branch) => some(branch, next));
    default: {
      const [literal, wildcard] = [node.branches.get(token), node.branches.get("*")];
      return (literal !== undefined && some(literal, next)) ||
        (wildcard !== undefined && some(wildcard, next));
    }
  }
}

function someBelow<Item>(node: Node<Item>, isMeant: (item: Item) => boolean): boolean {
  return node.ends.some(isMeant) || node.open.some(isMeant) ||
    anyOf(node.branches, (branch) => someBelow(branch, isMeant));
}

function anyOf<Item>(
  branches: Node<Item>["branches"],
  test: (branch: Node<Item>) => boolean,
): boolean {
  for (const branch of branches.values()) if (test(branch)) return true;
  return false;
}

function createNode<Item>(): Node<Item> {
  return { branches: new Map(), ends: [], open: [] };
}
