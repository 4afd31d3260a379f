import assert from "node:assert/strict";
import fc from "fast-check";
import { listCaptured } from "../../lib/mapping/capture.ts";
import { HostSet, isHostMatch } from "../../lib/mapping/host_pattern.ts";
import { matchesInterest } from "../../lib/mapping/interest.ts";
import { type Interested, InterestIndex } from "../../lib/mapping/interest_index.ts";
import { parseRoute } from "../../lib/mapping/route.ts";
import { SubjectIndex } from "../../lib/mapping/subject_index.ts";
import { toHostTokens, toPathTokens } from "../../lib/mapping/subject.ts";
import { doOverlap, isCovered } from "../../lib/mapping/subject_pattern.ts";

const token = fc.constantFrom("a", "b", "*");
const pattern = fc.tuple(fc.array(token, { maxLength: 3 }), fc.constantFrom("a", "b", "*", ">"))
  .map(([tokens, last]) => [...tokens, last].join("."));

Deno.test("SubjectIndex finds the patterns that overlap, and no other", () => {
  fc.assert(fc.property(fc.array(pattern), pattern, (patterns, subject) => {
    const index = new SubjectIndex<string>();
    for (const pattern of patterns) index.add(pattern, pattern);
    const found = new Set<string>();
    index.someOverlap(subject, (item) => {
      found.add(item);
      return false;
    });
    assert.deepEqual(found, new Set(patterns.filter((pattern) => doOverlap(subject, pattern))));
    const wanted = patterns.at(-1);
    const isThere = wanted !== undefined && doOverlap(subject, wanted);
    assert.equal(index.someOverlap(subject, (item) => item === wanted), isThere);
  }));
});

Deno.test("listCaptured() keeps of each two subjects the one that covers the other", () => {
  fc.assert(fc.property(fc.array(pattern.filter((text) => !/[*>]/.test(text))), (subjects) => {
    const routes = subjects.flatMap((subject, index) => [
      { match: { path: "/:x" }, mode: "publish" as const, persist: true, subject },
      ...(index % 2 === 0
        ? [{ match: { path: "/:x" }, subject: `${subject}.{x}`, publish: `${subject}.{x}` }]
        : []),
    ]).map(parseRoute);
    const all = ["h8s.ws.ws.>", ...subjects];
    const open = subjects.filter((_, index) => index % 2 === 0).map((subject) => `${subject}.*`);
    const expected = [...new Set([...all, ...open])].filter((subject, _, every) =>
      !every.some((other) => other !== subject && isCovered(subject, other))
    );
    assert.deepEqual(listCaptured(routes, "h8s").toSorted(), expected.toSorted());
  }));
});

Deno.test("HostSet has the hosts that one of its patterns matches", () => {
  const tokens = fc.array(fc.constantFrom("a", "b"), { minLength: 1, maxLength: 3 });
  const host = fc.record({ tokens, isBelow: fc.boolean() });
  fc.assert(fc.property(fc.array(host), tokens, (patterns, tokens) => {
    const set = new HostSet(patterns);
    for (let length = 1; length <= tokens.length; length++) {
      const expected = patterns.some((pattern) => isHostMatch(pattern, tokens, length));
      assert.equal(set.has(tokens, length), expected);
    }
  }));
});

Deno.test("InterestIndex finds what covers a request, and nothing that was taken out", () => {
  const segments = fc.array(fc.constantFrom("x", "y"), { maxLength: 3 });
  const interest = fc.record({
    host: fc.constantFrom("a.com", "b.com", "*"),
    path: segments.map((path) => `/${path.join("/")}`),
    method: fc.constantFrom("GET", "*", "ws"),
    match: fc.constantFrom("prefix" as const, undefined),
  }).map(({ match, ...rest }) => match === undefined ? rest : { ...rest, match });
  const request = fc.record({
    hostTokens: fc.constantFrom("a.com", "b.com", "c.com").map(toHostTokens),
    pathTokens: segments.map((path) => toPathTokens(`/${path.join("/")}`)),
    method: fc.constantFrom("GET", "POST", "ws"),
  });
  fc.assert(fc.property(fc.array(interest), fc.array(interest), request, (kept, gone, request) => {
    const index = new InterestIndex<Interested>();
    const items = [...kept, ...gone].map((interest) => ({ interest }));
    for (const item of items) index.add(item);
    for (const item of items.slice(kept.length)) index.delete(item);
    const found = new Set<Interested>();
    index.some(request, (item) => {
      found.add(item);
      return false;
    });
    const expected = items.slice(0, kept.length)
      .filter(({ interest }) => matchesInterest(interest, request));
    assert.deepEqual(found, new Set(expected));
  }));
});
