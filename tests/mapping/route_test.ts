import assert from "node:assert/strict";
import type { RequestKind } from "../../lib/mapping/headers.ts";
import { parsePath } from "../../lib/mapping/path_pattern.ts";
import { matchPath } from "./match_path.ts";
import { parseRoute, type RouteOptions } from "../../lib/mapping/route.ts";
import { RouteTable } from "../../lib/mapping/route_table.ts";
import { toHostTokens, toPathTokens } from "../../lib/mapping/subject.ts";
import { TemplateError } from "../../lib/mapping/template.ts";

const GET = { host: "example.com", path: "/", method: "GET", kind: "http" as RequestKind };

Deno.test("a route matches by host, path, methods and upgrade", async (t) => {
  const table: [match: RouteOptions["match"], request: Partial<typeof GET>, params: unknown][] = [
    [{}, {}, {}],
    [{ path: "*" }, { path: "/a/b" }, {}],
    [{ path: "/users" }, { path: "/users" }, {}],
    [{ path: "/users" }, { path: "/users/1" }, undefined],
    [{ path: "/:room" }, { path: "/a%2Fb" }, { room: "a%2Fb" }],
    [{ path: "/:room" }, { path: "/%E9" }, { room: "%E9" }],
    [{ path: "/:room/:client" }, { path: "/x/y" }, { room: "x", client: "y" }],
    [{ path: "/:room/:client" }, { path: "/x" }, undefined],
    [{ path: "/:room/:client" }, { path: "/" }, undefined],
    [{ path: "/x/*" }, { path: "/x/y/z" }, {}],
    [{ path: "/x/*" }, { path: "/x" }, {}],
    [{ path: "/x/*" }, { path: "/xy" }, undefined],
    [{ path: "/:room/x/*" }, { path: "/r/x/y" }, { room: "r" }],
    [{ path: "/", methods: ["POST"] }, {}, undefined],
    [{ path: "/", methods: ["POST", "GET"] }, {}, {}],
    [{ path: "/", methods: ["GET"] }, { method: "HEAD" }, {}],
    [{ path: "/", methods: ["POST"] }, { method: "HEAD" }, undefined],
    [{ path: "/", methods: ["HEAD"] }, {}, undefined],
    [{ path: "/", host: "Example.com" }, {}, {}],
    [{ path: "/", host: "*.example.com" }, {}, undefined],
    [{ path: "/", host: "*.example.com" }, { host: "a.b.example.com" }, {}],
    [{ path: "/", host: "[2001:db8::1]" }, { host: "[2001:DB8::1]:80" }, {}],
    [{ path: "/", host: "2001:db8::1" }, { host: "2001_db8__1" }, {}],
    [{ path: "/" }, { kind: "websocket" }, {}],
    [{ path: "/", upgrade: "websocket" }, { kind: "websocket" }, {}],
    [{ path: "/", upgrade: "websocket" }, {}, undefined],
    [{ path: "/", upgrade: "http" }, {}, {}],
    [{ path: "/", upgrade: "http" }, { kind: "websocket" }, undefined],
    // What tokens cannot say is left to URLPattern, which sees one spelling of each path.
    [{ path: "/:id(\\d+)" }, { path: "/%34%32/" }, { id: "42" }],
    [{ path: "/:id(\\d+)" }, { path: "/a" }, undefined],
    [{ path: "/books{/:page}?" }, { path: "/books" }, {}],
    [{ path: "/books{/:page}?" }, { path: "//books/%2e/7" }, { page: "7" }],
    [{ path: "/a/:rest+" }, { path: "/a/b%2Fc/d" }, { rest: "b%2Fc%2Fd" }],
    [{ path: "/a/:rest+" }, { path: "/a" }, undefined],
    [{ path: "/a/*/z" }, { path: "/a/b/c/z" }, {}],
    [{ path: "/a/*/z" }, { path: "/a/z" }, undefined],
    [{ path: "/:name.png" }, { path: "/b%2Epng" }, { name: "b" }],
    [{ path: "/x(.*)" }, { path: "/x" }, {}],
    [{ path: "/x/(.*)" }, { path: "/x" }, {}],
    [{ path: "/x-:id/" }, { path: "/x-1" }, { id: "1" }],
  ];
  for (
    const [match, { host, path, method, kind }, params] of table.map(([match, request, params]) =>
      [match, { ...GET, ...request }, params] as const
    )
  ) {
    await t.step(JSON.stringify([match, host, path, method, kind]), () => {
      const routes = new RouteTable([parseRoute({ match })], { auth: "none", hosts: [] });
      const query = {
        hostTokens: toHostTokens(host),
        pathTokens: toPathTokens(path),
        method,
        kind,
      };
      const found = routes.decide(query).match;
      assert.deepEqual(found && { ...found.params }, params);
    });
  }
});

Deno.test("a route's path means what it means however it is written", async (t) => {
  const paths: [pattern: string, path: string][] = [
    ["/%61dmin/", "/admin"],
    ["//admin", "/admin"],
    ["/caf\u00e9", "/caf%C3%A9"],
    ["/caf%c3%a9/*", "/caf\u00e9"],
    ["/a b", "/a%20b"],
    ["/style.css", "/style%2Ecss"],
    ["/%e9-:id(\\d)", "/%E9-1"],
    ["/a%3Ab-:id(\\d)", "/a:b-1"],
    ["/%28x%29-:id(\\d)", "/(x)-1"],
    ["/a%2fb-:id(\\d)", "/a%2Fb-1"],
  ];
  for (const [pattern, path] of paths) {
    await t.step(`${pattern} takes ${path}`, () => {
      assert.ok(matchPath(parsePath(pattern), toPathTokens(path).split(".")));
    });
  }
});

Deno.test("parseRoute() names what cannot be used", async (t) => {
  const table: [options: RouteOptions, expected: RegExp][] = [
    [
      { match: { path: "/:room" }, subject: "{client}" },
      /^expected a subject, found unknown variable \{client\}/,
    ],
    [{ match: { upgrade: "http" }, publish: "a" }, /HTTP route has subject/],
    [{ match: { upgrade: "http" }, subscribe: ["a"] }, /HTTP route has subject/],
    [{ match: {}, persist: true }, /mode: publish.*or upgrade: websocket$/],
    [{ match: { path: "users" } }, /does not begin with \//],
    [{ match: { path: "/a/../b" } }, /segment of dots/],
    [{ match: { path: "/a/%2E" } }, /segment of dots/],
    [{ match: { path: "/%zz" } }, /two hexadecimal digits/],
    [{ match: { path: "/:a/:a" } }, /two parameters/],
    [{ match: { path: "/:session/in" }, subject: "{session}" }, /another name for :session/],
    [{ match: { path: "/:host(\\w+)" } }, /another name for :host/],
    [{ match: { host: "a b" } }, /^expected a host such as/],
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
