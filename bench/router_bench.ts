/**
 * What a look-up costs as patterns grow: the trie against a comparison of every pattern.
 * `deno bench bench/router_bench.ts`
 *
 * Whatever the number of patterns, three of them fit the subject.
 */
import { type Handler, Router } from "../lib/router/mod.ts";

const SUBJECT = "tenant.7.order.new";
const SIZES = [10, 1_000, 100_000];

for (const size of SIZES) {
  const patterns = createPatterns(size);
  const handler: Handler = (_msg, _ctx, next) => next();
  const router = new Router();
  for (const pattern of patterns) router.add(pattern, handler);
  const split = patterns.map((pattern) => pattern.split("."));
  const name = `${size.toLocaleString("en")} patterns`;

  Deno.bench(`match() with ${name}`, { group: "match", baseline: size === SIZES[0] }, () => {
    if (router.match(SUBJECT).length !== 3) throw new Error("wrong matches");
  });

  Deno.bench(
    `handle() with ${name}`,
    { group: "handle", baseline: size === SIZES[0] },
    async () => {
      await router.handle(SUBJECT, undefined);
    },
  );

  Deno.bench(`every pattern, ${name}`, { group: "naive", baseline: size === SIZES[0] }, () => {
    const tokens = SUBJECT.split(".");
    if (split.filter((pattern) => fits(pattern, tokens)).length !== 3) {
      throw new Error("wrong matches");
    }
  });

  Deno.bench(`add() ${name}`, { group: "add" }, () => {
    const fresh = new Router();
    for (const pattern of patterns) fresh.add(pattern, handler);
  });
}

/** One pattern per tenant, of which one fits, and two with wildcards that fit too. */
function createPatterns(size: number): string[] {
  const perTenant = Array.from({ length: size - 2 }, (_, tenant) => `tenant.${tenant}.order.new`);
  return [...perTenant, "tenant.*.order.>", "tenant.>"];
}

function fits(pattern: readonly string[], tokens: readonly string[]): boolean {
  const isOpen = pattern.at(-1) === ">";
  const length = isOpen ? pattern.length - 1 : pattern.length;
  if (isOpen ? tokens.length <= length : tokens.length !== length) return false;
  for (let index = 0; index < length; index++) {
    if (pattern[index] !== "*" && pattern[index] !== tokens[index]) return false;
  }
  return true;
}
