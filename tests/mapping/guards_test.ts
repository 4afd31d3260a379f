import assert from "node:assert/strict";
import { Guards } from "../../lib/mapping/guards.ts";
import { parseRoute, type RouteOptions } from "../../lib/mapping/route.ts";
import { parseTemplate } from "../../lib/mapping/template.ts";

const ORDERS: RouteOptions = {
  match: { path: "/orders" },
  subject: "{prefix}.orders.new",
  auth: "key",
};
const ROOMS: RouteOptions = {
  match: { path: "/:room", upgrade: "websocket" },
  publish: "{prefix}.rooms.{room}.in",
  subscribe: ["{prefix}.rooms.{room}.out.>"],
  auth: "key",
};
const FILES: RouteOptions = { match: {}, subject: "files.{host}.of.{path}", auth: "key" };
const OPEN: RouteOptions = { match: {}, subject: "{prefix}.news.{path}", auth: "none" };

interface Case {
  readonly route: RouteOptions;
  readonly template: string;
  readonly subject: string;
  readonly out: boolean;
}

const CASES: readonly Case[] = [
  { route: ORDERS, template: "{prefix}.{a}.{b}", subject: "h8s.orders.new", out: true },
  { route: ORDERS, template: "{prefix}.{a}.{b}", subject: "h8s.orders.old", out: false },
  { route: ORDERS, template: "{prefix}.{path}", subject: "h8s.orders.new", out: true },
  { route: ORDERS, template: "{prefix}.orders.{a}", subject: "h8s.orders.new", out: true },
  { route: ORDERS, template: "{prefix}.{a}.*", subject: "h8s.orders.*", out: true },
  { route: ORDERS, template: "{prefix}.{a}.>", subject: "h8s.orders.>", out: true },
  // Whoever wrote this meant it.
  { route: ORDERS, template: "{prefix}.orders.new", subject: "h8s.orders.new", out: false },
  { route: ROOMS, template: "{prefix}.{a}.{b}.{c}", subject: "h8s.rooms.x.in", out: true },
  { route: ROOMS, template: "{prefix}.rooms.{b}.in", subject: "h8s.rooms.x.in", out: false },
  { route: ROOMS, template: "{prefix}.{path}", subject: "h8s.rooms.x.out.y.z", out: true },
  { route: ROOMS, template: "{prefix}.rooms.{a}.>", subject: "h8s.rooms.x.>", out: true },
  { route: FILES, template: "{a}.{b}", subject: "files.b", out: true },
  { route: FILES, template: "files.{a}", subject: "files.b", out: false },
  { route: OPEN, template: "{prefix}.{a}.{b}", subject: "h8s.news.b", out: false },
];

for (const { route, template: text, subject, out } of CASES) {
  Deno.test(`${text} ${out ? "may not" : "may"} lead to ${subject} without a key`, () => {
    const guards = new Guards([parseRoute(route)], { prefix: "h8s", auth: "none" });
    const template = parseTemplate(text, { params: ["a", "b", "c"], wildcards: true });
    assert.equal(guards.keepOut(subject, { template, shown: ["jwt"] }), out);
    assert.equal(guards.keepOut(subject, { template, shown: ["key"] }), false);
  });
}

Deno.test("a route that says nothing of auth is guarded by what is configured for all", () => {
  const { auth: _, ...rest } = ORDERS;
  const guards = new Guards([parseRoute(rest)], { prefix: "h8s", auth: "jwt" });
  const template = parseTemplate("{prefix}.{a}.{b}", { params: ["a", "b"], wildcards: false });
  assert.ok(guards.keepOut("h8s.orders.new", { template, shown: [] }));
  assert.ok(!guards.keepOut("h8s.orders.new", { template, shown: ["jwt"] }));
});
