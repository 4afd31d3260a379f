import assert from "node:assert/strict";
import type { GatewayOptions } from "../../lib/config/options.ts";
import { listRouteWarnings } from "../../lib/config/route_warnings.ts";
import { parseConfig } from "../../lib/config/schema.ts";

const KEY = { authorizationKey: ["k"], auth: "none", hostFilters: ["example.com"] } as const;

Deno.test("what is allowed of routes and may well be a mistake is named", async (t) => {
  const table: [title: string, options: GatewayOptions, expected: RegExp[]][] = [
    ["no routes", {}, []],
    ["a route for both", { ...KEY, routes: [{ match: { path: "/a" }, auth: "key" }] }, []],
    [
      "requests alone are guarded",
      { ...KEY, routes: [{ match: { path: "/a/:b", upgrade: "http" }, auth: "key" }] },
      [/^routes\.0 asks requests for key, and leaves WebSockets of the same path without$/],
    ],
    [
      "WebSockets alone are guarded",
      { ...KEY, routes: [{ match: { path: "/a", upgrade: "websocket" }, auth: "key" }] },
      [/^routes\.0 asks WebSockets for key, and leaves requests/],
    ],
    [
      "each half has a route",
      {
        ...KEY,
        routes: [
          { match: { path: "/a", upgrade: "http" }, auth: "key" },
          { match: { path: "/a/*", upgrade: "websocket" }, auth: "key" },
        ],
      },
      [],
    ],
    [
      "the default guards the other half",
      { authorizationKey: ["k"], routes: [{ match: { path: "/a", upgrade: "http" } }] },
      [],
    ],
    [
      "hosts that share subjects",
      {
        ...KEY,
        routes: [
          { match: { host: "example.com", path: "/admin/*" } },
          { match: { host: "admin.example.com" }, auth: "key" },
          { match: { host: "*.admin.example.com" } },
          { match: { host: "example.com", path: "/shop/*" } },
        ],
      },
      [
        /^routes\.1 takes nothing: routes\.0 comes first; move or narrow that one$/,
        /^routes\.2 takes nothing: routes\.0/,
        /^routes\.0 and routes\.1 share subjects \(example\.com and admin\.example\.com\)/,
        /^routes\.0 and routes\.2 share/,
        /^routes\.1 and routes\.2 share/,
      ],
    ],
    [
      "a route without a host, and no filter",
      { authorizationKey: ["k"], routes: [{ match: { path: "/public/*" }, auth: "none" }] },
      [/^routes\.0 names no host: .*open to whoever names that host; name hosts/],
    ],
    [
      "a route that nothing comes to",
      {
        ...KEY,
        routes: [
          { match: { path: "/:a/:b" }, subject: "x" },
          { match: { path: "/:room/:client", upgrade: "websocket" }, publish: "y" },
        ],
      },
      [/^routes\.1 takes nothing: routes\.0 comes first/],
    ],
  ];
  for (const [title, options, expected] of table) {
    await t.step(title, () => {
      const warnings = listRouteWarnings(parseConfig(options));
      assert.equal(warnings.length, expected.length, warnings.join("\n"));
      for (const [index, warning] of warnings.entries()) assert.match(warning, expected[index]!);
    });
  }
});
