/**
 * Which subjects of routes ask for something, so that no parameter of another route's path leads there without.
 *
 * @module
 */
import { toCovering } from "./capture.ts";
import type { Auth, Route } from "./route.ts";
import type { Demands } from "./route_table.ts";
import { SubjectIndex } from "./subject_index.ts";
import { isCovered } from "./subject_pattern.ts";
import type { Template } from "./template.ts";

interface Guard {
  readonly patterns: readonly string[];
  readonly demand: Demands[number];
}

/**
 * The subjects that guarded routes publish on and hear.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { Guards } from "./guards.ts";
 * import { parseRoute } from "./route.ts";
 *
 * const orders = parseRoute({ match: { path: "/orders" }, subject: "{prefix}.orders.new", auth: "key" });
 * const open = parseRoute({ match: { path: "/:a/:b" }, subject: "{prefix}.{a}.{b}" });
 * const guards = new Guards([orders, open], { prefix: "h8s", auth: "none" });
 * const template = open.sides.http!.subject!;
 * assert.ok(guards.keepOut("h8s.orders.new", { template, shown: [] }));
 * assert.ok(!guards.keepOut("h8s.orders.new", { template, shown: ["key"] }));
 * assert.ok(!guards.keepOut("h8s.lobby.new", { template, shown: [] }));
 * ```
 */
export class Guards {
  readonly #guards = new SubjectIndex<Guard>();
  readonly #prefix: string;

  /** @param options `prefix`: of all subjects; `auth`: what is asked for where a route does not say it. */
  constructor(routes: readonly Route[], { prefix, auth }: { prefix: string; auth: Auth }) {
    this.#prefix = prefix;
    const known = new Set<string>();
    for (const route of routes) {
      const { auth: demand = auth, sides: { http, websocket }, subscribe } = route;
      if (demand === "none") continue;
      for (const template of [http?.subject, websocket?.subject, ...subscribe]) {
        if (template === undefined) continue;
        const patterns = toCovering(template, prefix);
        // Many routes may lead to the same subjects.
        const key = [demand, ...patterns].join(" ");
        if (known.has(key)) continue;
        known.add(key);
        for (const pattern of patterns) this.#guards.add(pattern, { patterns, demand });
      }
    }
  }

  /**
   * Says whether a path has led to what asks for more than was shown. A template that leads nowhere else,
   * whatever the path, has been put there by whoever wrote the routes: it may.
   *
   * @param subject What the template has become; it may hold wildcards.
   * @param options `template`: of the route that was taken; `shown`: by its client.
   */
  keepOut(
    subject: string,
    { template, shown }: { template: Template; shown: Demands },
  ): boolean {
    let covering: string[] | undefined;
    return this.#guards.someOverlap(subject, ({ patterns, demand }) => {
      if (shown.includes(demand)) return false;
      covering ??= toCovering(template, this.#prefix);
      return !covering.every((own) => patterns.some((pattern) => isCovered(own, pattern)));
    });
  }
}
