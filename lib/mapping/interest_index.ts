/**
 * Interests filed by host and path: a look-up walks the request's path, not all that is registered.
 *
 * @module
 */
import { type Interest, type InterestingRequest, matchesInterest } from "./interest.ts";
import { toHostTokens, toPathTokens } from "./subject.ts";

/** Something that stands for an interest. */
export interface Interested {
  readonly interest: Interest;
}

interface Node<Item> {
  readonly branches: Map<string, Node<Item>>;
  /** Those whose path ends here. */
  readonly items: Set<Item>;
}

/**
 * Items by what they are interested in.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { InterestIndex, type Interested } from "./interest_index.ts";
 * import { toHostTokens, toPathTokens } from "./subject.ts";
 *
 * const shop = { host: "example.com", path: "/shop", method: "*", match: "prefix" } as const;
 * const index = new InterestIndex<Interested>();
 * index.add({ interest: shop });
 * const [hostTokens, pathTokens] = [toHostTokens("example.com"), toPathTokens("/shop/cart")];
 * const request = { hostTokens, pathTokens, method: "GET" };
 * assert.ok(index.some(request, ({ interest }) => interest === shop));
 * ```
 */
export class InterestIndex<Item extends Interested> {
  /** By the host's tokens; `*` for any. */
  readonly #hosts = new Map<string, Node<Item>>();

  /** Files an item. */
  add(item: Item): void {
    const way = toWay(item);
    let branches = this.#hosts;
    let node: Node<Item> | undefined;
    for (const token of way) {
      node = branches.get(token);
      if (node === undefined) branches.set(token, node = { branches: new Map(), items: new Set() });
      branches = node.branches;
    }
    node?.items.add(item);
  }

  /** Takes an item out, and what was there for it alone. */
  delete(item: Item): void {
    remove(this.#hosts, item, toWay(item));
  }

  /**
   * Says whether an item is meant that covers a request.
   *
   * @param isMeant Called for each that does, until it says yes.
   */
  some(request: InterestingRequest, isMeant: (item: Item) => boolean): boolean {
    const tokens = toTokens(request.pathTokens);
    const covers = (item: Item) => matchesInterest(item.interest, request) && isMeant(item);
    return [request.hostTokens, "*"].some((host) => {
      let node = this.#hosts.get(host);
      for (let depth = 0; node !== undefined; depth++) {
        for (const item of node.items) if (covers(item)) return true;
        if (depth === tokens.length) return false;
        node = node.branches.get(tokens[depth]!);
      }
      return false;
    });
  }
}

function remove<Item extends Interested>(
  branches: Node<Item>["branches"],
  item: Item,
  [token = "", ...rest]: readonly string[],
): void {
  const node = branches.get(token);
  if (node === undefined) return;
  if (rest.length === 0) node.items.delete(item);
  else remove(node.branches, item, rest);
  if (node.items.size === 0 && node.branches.size === 0) branches.delete(token);
}

function toWay({ interest: { host, path } }: Interested): string[] {
  return [host === "*" ? host : toHostTokens(host), ...toTokens(toPathTokens(path))];
}

function toTokens(path: string): string[] {
  return path === "" ? [] : path.split(".");
}
