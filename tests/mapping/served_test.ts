import assert from "node:assert/strict";
import {
  findServed,
  servesHost,
  servesPath,
  toHostLabel,
  toServedHost,
  toServedPath,
  toServedSubjects,
} from "../../lib/mapping/served.ts";
import { readPathTokens, toHostTokens } from "../../lib/mapping/subject.ts";

Deno.test("toServedHost() reads names, addresses and any", () => {
  assert.deepEqual(toServedHost("*"), { kind: "any" });
  assert.deepEqual(toServedHost("Foo.example.com:81"), {
    kind: "one",
    name: "foo.example.com",
    tokens: "com.example.foo",
  });
  assert.equal(toHostLabel(toServedHost("*")), "_any");
  assert.equal(toHostLabel(toServedHost("[::1]")), "__1");
  for (const host of ["", "a b", "*.example.com", "a..b", ">"]) {
    assert.throws(() => toServedHost(host), /Cannot serve the host .* not a name or an IP address/);
  }
});

Deno.test("toServedPath() reads paths and what is below them", () => {
  const table: [path: string, match: "exact" | "prefix", expected: [string, string, string]][] = [
    ["/", "prefix", ["/", "", "prefix"]],
    ["/a.b/c", "exact", ["/a.b/c", "a%2Eb.c", "exact"]],
    ["/a/*", "exact", ["/a", "a", "prefix"]],
    ["/*", "exact", ["/", "", "prefix"]],
    ["/a*", "exact", ["/a*", "a%2A", "exact"]],
  ];
  for (const [path, match, expected] of table) {
    const served = toServedPath(path, match);
    assert.deepEqual([served.path, served.tokens, served.match], expected);
  }
  assert.throws(() => toServedPath("a", "exact"), /Cannot serve the path "a"/);
  assert.throws(() => toServedPath("/%zz", "exact"), /Cannot serve the path "\/%zz"/);
});

Deno.test("toServedSubjects() subscribes to no more than is served, as far as subjects can tell", () => {
  const table: [host: string, path: string, subjects: string[]][] = [
    ["example.com", "/", ["r.com.example"]],
    ["example.com", "/*", ["r.com.example", "r.com.example.>"]],
    ["example.com", "/a/b", ["r.com.example.a.b"]],
    ["example.com", "/a/*", ["r.com.example.a", "r.com.example.a.>"]],
    ["*", "/a", ["r.>"]],
  ];
  for (const [host, path, subjects] of table) {
    const served = { host: toServedHost(host), path: toServedPath(path, "exact") };
    assert.deepEqual(toServedSubjects("r", served), subjects);
  }
});

Deno.test("servesHost() and servesPath() tell what is one's own", () => {
  const host = toServedHost("example.com");
  const to = (host: string | undefined) => ({
    hostTokens: host === undefined ? undefined : toHostTokens(host),
  });
  assert.equal(servesHost(host, to("example.com")), true);
  assert.equal(servesHost(host, to("foo.example.com")), false);
  assert.equal(servesHost(host, to(undefined)), false);
  assert.equal(servesHost(toServedHost("*"), to(undefined)), true);
  const table: [path: string, pathTokens: string, isServed: boolean][] = [
    ["/*", "", true],
    ["/*", "a.b", true],
    ["/a/*", "a", true],
    ["/a/*", "a.b", true],
    ["/a/*", "ab", false],
    ["/a", "a.b", false],
  ];
  for (const [path, pathTokens, isServed] of table) {
    assert.equal(servesPath(toServedPath(path, "exact"), readPathTokens(pathTokens)), isServed);
  }
});

Deno.test("findServed() finds the most specific path, in whatever order they stand", () => {
  const paths = ["/*", "/rooms/*", "/rooms/lobby", "/rooms/lobby/*"];
  for (const order of [paths, paths.toReversed()]) {
    const items = order.map((name) => ({ name, path: toServedPath(name, "exact") }));
    const table: [tokens: string, name: string][] = [
      ["", "/*"],
      ["a", "/*"],
      ["rooms", "/rooms/*"],
      ["rooms.1", "/rooms/*"],
      ["rooms.lobby", "/rooms/lobby"],
      ["rooms.lobby.1", "/rooms/lobby/*"],
    ];
    for (const [tokens, name] of table) {
      assert.equal(findServed(items, readPathTokens(tokens))?.name, name);
    }
  }
  assert.equal(findServed([], readPathTokens("a")), undefined);
});
