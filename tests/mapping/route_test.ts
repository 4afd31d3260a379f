import assert from "node:assert/strict";
import { isHostMatch, parseRoute, type RouteOptions } from "../../lib/mapping/route.ts";
import { TemplateError } from "../../lib/mapping/template.ts";

const GET = { host: "example.com", path: "/", method: "GET", isWebSocket: false };

Deno.test("a route matches by host, path, methods and upgrade", async (t) => {
  const table: [match: RouteOptions["match"], request: Partial<typeof GET>, params: unknown][] = [
    [{}, {}, { 0: "/" }],
    [{ path: "/users" }, { path: "/users" }, {}],
    [{ path: "/users" }, { path: "/users/1" }, undefined],
    [{ path: "/:room" }, { path: "/a%2Fb" }, { room: "a/b" }],
    [{ path: "/:room/:client" }, { path: "/x/y" }, { room: "x", client: "y" }],
    [{ path: "/:room/:client" }, { path: "/x" }, undefined],
    [{ path: "/x/*" }, { path: "/x/y/z" }, { 0: "y/z" }],
    [{ path: "/b" }, { path: "/a/../b" }, {}],
    [{ path: "/", methods: ["POST"] }, {}, undefined],
    [{ path: "/", methods: ["POST", "GET"] }, {}, {}],
    [{ path: "/", host: "Example.com" }, {}, {}],
    [{ path: "/", host: "*.example.com" }, {}, undefined],
    [{ path: "/", host: "*.example.com" }, { host: "a.b.example.com" }, {}],
    [{ path: "/" }, { isWebSocket: true }, undefined],
    [{ path: "/", upgrade: "websocket" }, { isWebSocket: true }, {}],
    [{ path: "/", upgrade: "websocket" }, {}, undefined],
  ];
  for (const [match, request, params] of table) {
    await t.step(JSON.stringify([match, request]), () => {
      const found = parseRoute({ match }).match({ ...GET, ...request });
      assert.deepEqual(found && { ...found }, params);
    });
  }
});

Deno.test("parseRoute() names what cannot be used", async (t) => {
  const table: [options: RouteOptions, expected: RegExp][] = [
    [
      { match: { path: "/:room" }, subject: "{client}" },
      /^expected a subject, found unknown variable \{client\}/,
    ],
    [{ match: {}, publish: "a" }, /HTTP route has subject/],
    [{ match: {}, subscribe: ["a"] }, /HTTP route has subject/],
    [{ match: { upgrade: "websocket" }, subject: "a" }, /publish and subscribe, not subject/],
    [{ match: { upgrade: "websocket" }, publish: "a.>" }, /^expected a subject, found a wildcard/],
    [
      { match: { upgrade: "websocket" }, subscribe: ["a.>.b"] },
      /^expected a subject, found > that is not/,
    ],
    [{ match: { path: "/(" } }, /no URLPattern/],
  ];
  for (const [options, expected] of table) {
    await t.step(JSON.stringify(options), () => {
      assert.throws(() => parseRoute(options), (error) => {
        assert.ok(error instanceof TemplateError);
        assert.match(error.message, expected);
        return true;
      });
    });
  }
});

Deno.test("isHostMatch() takes exact names and everything below a star", () => {
  assert.ok(isHostMatch("example.com", "example.com"));
  assert.ok(isHostMatch("*.example.com", "a.example.com"));
  assert.ok(!isHostMatch("example.com", "a.example.com"));
  assert.ok(!isHostMatch("*.example.com", "example.com"));
  assert.ok(!isHostMatch("*.example.com", ".example.com"));
  assert.ok(!isHostMatch("*.example.com", "evilexample.com"));
});
