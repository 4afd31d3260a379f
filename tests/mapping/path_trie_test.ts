import assert from "node:assert/strict";
import fc from "fast-check";
import { parsePath, type PathPattern } from "../../lib/mapping/path_pattern.ts";
import { PathTrie } from "../../lib/mapping/path_trie.ts";

/** What URLPattern reads as one segment, as several, or as none. */
const PIECES = [
  ...["/a", "/b", "/a7", "/:x", "/*", "/:x?", "/:x+", "/:x*"],
  ...["/:x(a|b)", "/(a|b7)", "/:x(a|b)?", "/:x(\\d+)", "/:x(\\d*)", "/:x(a|)", "/:x([a-z]+)"],
  ...["/:x([^a])", "/:x(.*)", "/:x([+--/]+)", "/:x(a{0,2})", "/:x(\\w{1,2}|b)", "/a:x(\\d)"],
  ...["{/a}?", "{/:x}?", "{/a}", "{/a}+", "{/a/b}?", "{a}?", "{/:x(a)}?", "{/a}b", "/\\{a"],
];
const TOKENS = ["a", "b", "a7", "7", "ab", "+"];

/** Several names `x` are no pattern. */
const pattern = fc.array(fc.constantFrom(...PIECES), { minLength: 1, maxLength: 4 })
  .map((pieces) => pieces.map((piece, at) => piece.replaceAll(":x", `:x${at}`)).join(""))
  .filter((text) => isPattern(text));
const path = fc.array(fc.constantFrom(...TOKENS), { maxLength: 4 });

Deno.test("a tree of many paths takes what URLPattern takes, the first of them", () => {
  fc.assert(
    fc.property(fc.array(pattern, { minLength: 1, maxLength: 6 }), path, (texts, tokens) => {
      const trie = new PathTrie<{ order: number; path: PathPattern }>();
      for (const [order, text] of texts.entries()) trie.add({ order, path: parsePath(text) });
      const found = trie.find({ tokens, from: 0, accepts: () => true });
      const expected = texts.findIndex((text) => takes(text, `/${tokens.join("/")}`));
      assert.equal(
        found?.item.order ?? -1,
        expected,
        `${texts.join(" ")} and /${tokens.join("/")}`,
      );
    }),
    { numRuns: 400 },
  );
});

Deno.test("a path with more alternatives than branches is found", () => {
  const words = Array.from({ length: 1000 }, (_, index) => `w${index}`);
  const trie = new PathTrie<{ order: number; path: PathPattern }>();
  trie.add({ order: 0, path: parsePath(`/:x(${words.join("|")})/:y(a|b)/end`) });
  const find = (tokens: string[]) => trie.find({ tokens, from: 0, accepts: () => true })?.params;
  assert.deepEqual({ ...find(["w999", "b", "end"]) }, { x: "w999", y: "b" });
  assert.equal(find(["w1000", "b", "end"]), undefined);
  assert.equal(find(["w999", "c", "end"]), undefined);
});

function isPattern(text: string): boolean {
  try {
    new URLPattern({ pathname: text });
    return true;
  } catch {
    return false;
  }
}

/** With and without a final slash is one path. */
function takes(text: string, pathname: string): boolean {
  const pattern = new URLPattern({ pathname: text });
  return pattern.test({ pathname }) ||
    (pathname !== "/" && pattern.test({ pathname: `${pathname}/` }));
}
