/**
 * Which route takes a request, and what it asks for: decided by the tokens of the request's subject alone.
 *
 * A subject has no border between host and path: `com.example.admin.users` is `/admin/users` of
 * `example.com` as well as `/users` of `admin.example.com`. Each place where the border may be is a
 * *reading*. A client chooses the reading, not the subject, so that all readings have a say.
 *
 * @module
 */
import type { RequestKind } from "./headers.ts";
import { type HostPattern, HostSet } from "./host_pattern.ts";
import type { PathParams } from "./path_pattern.ts";
import { type Filed, type Found, PathTrie } from "./path_trie.ts";
import type { Auth, Route } from "./route.ts";
import type { HostTokens, PathTokens } from "./subject.ts";

/** What a client must show: each of these; nothing where there is none. */
export type Demands = readonly Exclude<Auth, "none">[];

/** The route that takes a request, and what the request's path says. */
export interface RouteMatch {
  readonly route: Route;
  readonly params: PathParams;
}

/** What is looked for. */
export interface RouteQuery {
  /** From `toHostTokens`. */
  readonly hostTokens: HostTokens;
  /** From `toPathTokens`; empty for the root. */
  readonly pathTokens: PathTokens;
  readonly method: string;
  readonly kind: RequestKind;
}

/** What was decided. */
export interface Decision {
  /** Undefined for the convention. */
  readonly match: RouteMatch | undefined;
  readonly demands: Demands;
}

/** One place where the border between host and path may be, and the first route that matches there. */
export interface Reading {
  /** How many of the subject's tokens are the host's. */
  readonly border: number;
  readonly route: Route;
  readonly auth: Auth;
}

/** What the table has to know besides the routes. */
export interface RouteTableOptions {
  /** What a request is asked for where nothing else is said. */
  readonly auth: Auth;
  /** The hosts that are served; empty for all. */
  readonly hosts: readonly HostPattern[];
}

interface Item extends Filed {
  readonly route: Route;
}

interface HostNode {
  readonly literals: Map<string, HostNode>;
  /** Routes for this host, and for those below it. */
  readonly exact: PathTrie<Item>;
  readonly below: PathTrie<Item>;
}

/** What a label of a host is as a token; nothing else can stand before the border. */
const LABEL = /^[a-z0-9_-]{1,63}$/;
const MAX_HOST_LENGTH = 253;
const KINDS = ["key", "jwt", "authorize"] as const satisfies Demands;

/**
 * Routes, filed by host and path.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseRoute } from "./route.ts";
 * import { RouteTable } from "./route_table.ts";
 * import { toHostTokens, toPathTokens } from "./subject.ts";
 *
 * const route = parseRoute({ match: { host: "admin.example.com" }, auth: "key" });
 * const table = new RouteTable([route], { auth: "none", hosts: [] });
 * const [hostTokens, pathTokens] = [toHostTokens("com"), toPathTokens("/example/admin/users")];
 * const query = { method: "GET", kind: "http", hostTokens, pathTokens } as const;
 * assert.deepEqual(table.decide(query).demands, ["key"]);
 * ```
 */
export class RouteTable {
  readonly #options: RouteTableOptions;
  readonly #hosts: HostNode = createNode();
  /** Undefined where all are served. */
  readonly #served: HostSet | undefined;
  readonly #any = new PathTrie<Item>();
  readonly #namesHosts: boolean;
  /** Whether it makes a difference who else's subject it is. */
  readonly #asksDifferently: boolean;
  /** What is decided of each request where there are no routes. */
  readonly #always: Decision | undefined;

  /**
   * @param routes In order; the first match wins.
   * @param options What is asked for where no route says it, and the hosts that are served.
   */
  constructor(routes: readonly Route[], options: RouteTableOptions) {
    this.#options = options;
    for (const [order, route] of routes.entries()) {
      this.#toTrie(route.host).add({ order, path: route.path, route });
    }
    this.#served = options.hosts.length === 0 ? undefined : new HostSet(options.hosts);
    this.#always = routes.length === 0
      ? { match: undefined, demands: toDemands([options.auth]) }
      : undefined;
    this.#namesHosts = routes.some(({ host }) => host !== undefined);
    this.#asksDifferently = routes.some((route) => this.#toAuth(route) !== options.auth);
  }

  /**
   * Finds the route that takes a request, and what the client has to show.
   *
   * Each reading has a route, the first that matches. A route that names a host takes a request by its
   * subject, whatever host was asked for; one for any host by the path that was asked for. The client has to
   * show what the route of each reading asks for, and without a route what is asked for by default.
   *
   * @param query What is known of the request.
   * @returns The first route that matches, and what is asked for.
   */
  decide(query: RouteQuery): Decision {
    if (this.#always !== undefined) return this.#always;
    const { auth } = this.#options;
    const { tokens, own } = toTokens(query);
    const readings = this.#read(tokens, { query, own });
    const found = toFirst(
      [...readings].filter(([from, { item }]) => from === own || item.route.host !== undefined)
        .map(([, found]) => found),
    );
    const asked = [...readings.values()].map(({ item }) => this.#toAuth(item.route));
    if (found === undefined) asked.push(auth);
    const match = found && { route: found.item.route, params: found.params };
    return { match, demands: toDemands(asked) };
  }

  /**
   * All that have a say in {@link RouteTable.decide}, for whoever wants to know why.
   *
   * @param query What is known of the request.
   * @returns By where the border is.
   */
  listReadings(query: RouteQuery): Reading[] {
    const { tokens, own } = toTokens(query);
    return [...this.#read(tokens, { query, own })].map(([border, { item: { route } }]) => ({
      ...{ border, route, auth: this.#toAuth(route) },
    }));
  }

  /**
   * What is asked of a request for a subject of the convention, whatever host it names.
   *
   * @param query What else is known of the request.
   * @returns What each reading's first route asks for; where there is none, what is asked for by default.
   */
  toDemands(
    tokens: readonly string[],
    query: Pick<RouteQuery, "method" | "kind">,
  ): Demands {
    const asked = [...this.#read(tokens, { query, own: undefined }).values()]
      .map(({ item }) => this.#toAuth(item.route));
    return toDemands(asked.length === 0 ? [this.#options.auth] : asked);
  }

  /** The route of each reading, by where its path begins. */
  #read(
    tokens: readonly string[],
    { query: { method, kind }, own }: {
      query: Pick<RouteQuery, "method" | "kind">;
      own: number | undefined;
    },
  ): Map<number, Found<Item>> {
    const readings = new Map<number, Found<Item>>();
    const accepts = ({ route }: Item) =>
      route.sides[kind] !== undefined && (route.methods?.includes(method) ?? true);
    const isOneEnough = own !== undefined && !this.#namesHosts && !this.#asksDifferently;
    const above: PathTrie<Item>[] = [];
    let node: HostNode | undefined = this.#hosts;
    for (const from of listBorders(tokens, own)) {
      node = node?.literals.get(tokens[from - 1]!);
      if (isOneEnough && from !== own) continue;
      const tries = [...above, ...(node === undefined ? [] : [node.exact])];
      if (from === own || this.#isServed(tokens, from)) tries.push(this.#any);
      const first = toFirst(tries.map((trie) => trie.find({ tokens, from, accepts })));
      if (first !== undefined) readings.set(from, first);
      if (node !== undefined) above.push(node.below);
    }
    return readings;
  }

  #isServed(tokens: readonly string[], length: number): boolean {
    return this.#served?.has(tokens, length) ?? true;
  }

  #toAuth(route: Route): Auth {
    return route.auth ?? this.#options.auth;
  }

  #toTrie(host: HostPattern | undefined): PathTrie<Item> {
    if (host === undefined) return this.#any;
    let node = this.#hosts;
    for (const token of host.tokens) {
      let next = node.literals.get(token);
      if (next === undefined) node.literals.set(token, next = createNode());
      node = next;
    }
    return host.isBelow ? node.below : node.exact;
  }
}

function toTokens(
  { hostTokens, pathTokens }: RouteQuery,
): { tokens: readonly string[]; own: number } {
  const host = hostTokens.split(".");
  return {
    tokens: pathTokens === "" ? host : [...host, ...pathTokens.split(".")],
    own: host.length,
  };
}

/** Where the path may begin: after each token that could be the last of a host. */
function* listBorders(
  tokens: readonly string[],
  own: number | undefined,
): Generator<number, void> {
  let length = -1;
  for (const [index, token] of tokens.entries()) {
    length += token.length + 1;
    const isHost = LABEL.test(token) && length <= MAX_HOST_LENGTH;
    if (!isHost && (own === undefined || index >= own)) return;
    yield index + 1;
  }
}

function toFirst(all: readonly (Found<Item> | undefined)[]): Found<Item> | undefined {
  let first: Found<Item> | undefined;
  for (const found of all) {
    if (found !== undefined && !(first && first.item.order < found.item.order)) first = found;
  }
  return first;
}

/** Who shows a key has not shown a token: of different kinds each has to be shown. */
function toDemands(asked: readonly Auth[]): Demands {
  return KINDS.filter((kind) => asked.includes(kind));
}

function createNode(): HostNode {
  return { literals: new Map(), exact: new PathTrie(), below: new PathTrie() };
}
