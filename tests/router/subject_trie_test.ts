import assert from "node:assert/strict";
import fc from "fast-check";
import {
  InvalidPatternError,
  parsePattern,
  SubjectTrie,
  toSpecificity,
} from "../../lib/router/subject_trie.ts";

Deno.test("match() finds a pattern for exactly the subjects that it fits", async (t) => {
  const table: [pattern: string, subject: string, fits: boolean][] = [
    ["order", "order", true],
    ["order", "orders", false],
    ["order", "Order", false],
    ["order", "order.new", false],
    ["order.new", "order", false],
    ["order.new", "order.new", true],
    ["*", "order", true],
    ["*", "order.new", false],
    ["order.*", "order.new", true],
    ["order.*", "order", false],
    ["order.*", "order.eu.new", false],
    ["order.*.new", "order.eu.new", true],
    ["order.*.new", "order.eu.old", false],
    ["*.*.new", "order.eu.new", true],
    [">", "order", true],
    [">", "order.eu.new", true],
    ["order.>", "order", false],
    ["order.>", "order.new", true],
    ["order.>", "order.eu.new", true],
    ["order.*.>", "order.eu", false],
    ["order.*.>", "order.eu.new", true],
    ["$JS.API.>", "$JS.API.INFO", true],
    ["a%2Eb.c-_~", "a%2Eb.c-_~", true],
    ["größe.*", "größe.1", true],
    ["__proto__.constructor", "__proto__.constructor", true],
    ["order", "__proto__", false],
    // NATS delivers no such subjects; a wildcard is not to make something of them.
    ["*", "", false],
    [">", "", false],
    ["order.*", "order.", false],
    ["order.>", "order..new", false],
    // In a subject, as against a pattern, these are ordinary tokens.
    ["order.new", "order.*", false],
    ["order.*", "order.*", true],
    ["order.*", "order.>", true],
  ];
  for (const [pattern, subject, fits] of table) {
    await t.step(`${pattern} ${fits ? "fits" : "does not fit"} "${subject}"`, () => {
      const trie = new SubjectTrie<string>();
      trie.add(pattern, pattern);
      assert.deepEqual(trie.match(subject), fits ? [pattern] : []);
    });
  }
});

Deno.test("match() agrees with a comparison of every pattern, token by token", () => {
  const token = fc.constantFrom("a", "b", "c", "*");
  const pattern = fc.tuple(fc.array(token, { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([tokens, isOpen]) => [...tokens, ...(isOpen ? [">"] : [])].join("."));
  const subject = fc.array(fc.constantFrom("a", "b", "c", "d"), { minLength: 1, maxLength: 6 })
    .map((tokens) => tokens.join("."));
  fc.assert(
    fc.property(fc.array(fc.oneof(pattern, fc.constant(">"))), subject, (patterns, subject) => {
      const trie = new SubjectTrie<number>();
      patterns.forEach((pattern, index) => trie.add(pattern, index));
      const expected = [...patterns.keys()].filter((index) => fits(patterns[index]!, subject));
      assert.deepEqual(trie.match(subject).sort((a, b) => a - b), expected);
    }),
    { numRuns: 2000 },
  );
});

Deno.test("match() keeps the order of the values of one pattern, however many", () => {
  const trie = new SubjectTrie<number>();
  const values = Array.from({ length: 200_000 }, (_, index) => index);
  for (const value of values) trie.add("order.*", value);
  assert.deepEqual(trie.match("order.new"), values);
});

Deno.test("match() finds the few that fit among many", () => {
  const trie = new SubjectTrie<string>();
  for (let index = 0; index < 10_000; index++) trie.add(`tenant.${index}.>`, "other");
  trie.add("tenant.*.new", "new");
  assert.deepEqual(trie.match("tenant.stranger.new"), ["new"]);
  assert.deepEqual(trie.match("tenant.77.new").sort(), ["new", "other"]);
});

Deno.test("add() and parsePattern() refuse an invalid pattern and name it", async (t) => {
  const table: [pattern: string, reason: string][] = [
    ["", "it is empty"],
    [".", "token 1 is empty"],
    [".order", "token 1 is empty"],
    ["order.", "token 2 is empty"],
    ["order..new", "token 2 is empty"],
    [">.new", 'token 1 is ">" but not the last one'],
    ["order.>.new", 'token 2 is ">" but not the last one'],
    ["order.>.>", 'token 2 is ">" but not the last one'],
    ["order new", 'token 1 "order new" contains white space'],
    [" ", 'token 1 " " contains white space'],
    ["order.\tnew", 'token 2 "\\tnew" contains white space'],
    ["order.new\r\n", 'token 2 "new\\r\\n" contains white space'],
    ["order.new*", 'token 2 "new*" has a wildcard inside; "*" and ">" stand alone'],
    ["order.**", 'token 2 "**" has a wildcard inside; "*" and ">" stand alone'],
    ["order.a>", 'token 2 "a>" has a wildcard inside; "*" and ">" stand alone'],
    [">>", 'token 1 ">>" has a wildcard inside; "*" and ">" stand alone'],
  ];
  for (const [pattern, reason] of table) {
    await t.step(JSON.stringify(pattern), () => {
      const trie = new SubjectTrie<number>();
      const expected = {
        name: "InvalidPatternError",
        pattern,
        reason,
        message: `Cannot use the pattern ${JSON.stringify(pattern)}: ` +
          `Invalid subject pattern, ${reason}`,
      };
      assert.throws(() => parsePattern(pattern), expected);
      assert.throws(() => trie.add(pattern, 1), expected);
    });
  }
});

Deno.test("parsePattern() refuses what is not a string", () => {
  for (const pattern of [undefined, null, 7, {}]) {
    assert.throws(
      () => parsePattern(pattern as unknown as string),
      (error) => error instanceof InvalidPatternError && error.reason === "it is not a string",
    );
  }
});

Deno.test("toSpecificity() sums 3 per literal, 2 per * and 1 per >", async (t) => {
  const table: [pattern: string, sum: number][] = [
    [">", 1],
    ["*", 2],
    ["order", 3],
    ["order.>", 4],
    ["order.*", 5],
    ["order.new", 6],
    ["*.*.>", 5],
    ["order.*.new", 8],
    ["order.eu.new", 9],
  ];
  for (const [pattern, sum] of table) {
    await t.step(pattern, () => assert.equal(toSpecificity(parsePattern(pattern)), sum));
  }
});

function fits(pattern: string, subject: string): boolean {
  const expected = pattern.split(".");
  const tokens = subject.split(".");
  const isOpen = expected.at(-1) === ">";
  if (isOpen) expected.pop();
  if (isOpen ? tokens.length <= expected.length : tokens.length !== expected.length) return false;
  return expected.every((token, index) => token === "*" || token === tokens[index]);
}
