/**
 * Paths of routes as a tree of tokens: a look-up walks the path, not the routes.
 *
 * @module
 */
import { fromSteps, type PathParams, type PathPattern, type PathStep } from "./path_pattern.ts";

/** Something with a path; where several match, the lowest `order` wins. */
export interface Filed {
  readonly order: number;
  readonly path: PathPattern;
}

/** What was found, and what the path says. */
export interface Found<Item extends Filed> {
  readonly item: Item;
  readonly params: PathParams;
}

/** What is looked for, and what else it has to be. */
export interface PathQuery<Item extends Filed> {
  /** The path is what follows `from`. */
  readonly tokens: readonly string[];
  readonly from: number;
  readonly accepts: (item: Item) => boolean;
}

/** Under how many an item is filed whose path has alternatives. */
const MAX_BRANCHES = 64;

interface Node<Item> {
  literals: Map<string, Node<Item>> | undefined;
  any: Node<Item> | undefined;
  /** Those whose path ends here, by order. */
  ends: Item[];
  /** Those of which more may follow, by order. */
  open: Item[];
}

/**
 * Items filed under their paths.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parsePath } from "./path_pattern.ts";
 * import { PathTrie } from "./path_trie.ts";
 *
 * const trie = new PathTrie<{ order: number; path: ReturnType<typeof parsePath> }>();
 * trie.add({ order: 0, path: parsePath("/:room") });
 * trie.add({ order: 1, path: parsePath("/a") });
 * const found = trie.find({ tokens: ["a"], from: 0, accepts: () => true });
 * assert.deepEqual(found?.params, { room: "a" });
 * ```
 */
export class PathTrie<Item extends Filed> {
  readonly #root: Node<Item> = createNode();

  /** Files an item. */
  add(item: Item): void {
    let nodes: readonly Node<Item>[] = [this.#root];
    for (const step of item.path.steps) nodes = toNext(nodes, step);
    for (const node of nodes) (item.path.isOpen ? node.open : node.ends).push(item);
  }

  /**
   * Finds the first item that takes a path.
   *
   * @param query The path's tokens, and what else it has to be.
   */
  find(query: PathQuery<Item>): Found<Item> | undefined {
    return search(this.#root, { query, depth: query.from, best: undefined });
  }
}

function search<Item extends Filed>(
  node: Node<Item>,
  { query, depth, best }: {
    query: PathQuery<Item>;
    depth: number;
    best: Found<Item> | undefined;
  },
): Found<Item> | undefined {
  best = pick(node.open, query, best);
  const token = query.tokens[depth];
  if (token === undefined) return pick(node.ends, query, best);
  const literal = node.literals?.get(token);
  if (literal !== undefined) best = search(literal, { query, depth: depth + 1, best });
  return node.any === undefined ? best : search(node.any, { query, depth: depth + 1, best });
}

function pick<Item extends Filed>(
  items: readonly Item[],
  { tokens, from, accepts }: PathQuery<Item>,
  best: Found<Item> | undefined,
): Found<Item> | undefined {
  for (const item of items) {
    if (best !== undefined && item.order > best.item.order) return best;
    if (!accepts(item)) continue;
    const params = fromSteps(item.path, from === 0 ? tokens : tokens.slice(from));
    if (params !== undefined) return { item, params };
  }
  return best;
}

function toNext<Item>(nodes: readonly Node<Item>[], step: PathStep): Node<Item>[] {
  if (step.kind === "literal") return nodes.map((node) => toBranch(node, step.token));
  if (step.kind === "among" && nodes.length * step.tokens.length <= MAX_BRANCHES) {
    return nodes.flatMap((node) => step.tokens.map((token) => toBranch(node, token)));
  }
  // Whether it is one of so many is looked at in the end.
  return nodes.map((node) => node.any ??= createNode());
}

function toBranch<Item>(node: Node<Item>, token: string): Node<Item> {
  node.literals ??= new Map();
  let branch = node.literals.get(token);
  if (branch === undefined) node.literals.set(token, branch = createNode());
  return branch;
}

function createNode<Item>(): Node<Item> {
  return { literals: undefined, any: undefined, ends: [], open: [] };
}
