import assert from "node:assert/strict";
import { listCaptured, toCaptured } from "../../lib/mapping/capture.ts";
import { isCovered } from "../../lib/mapping/subject_pattern.ts";
import { parseRoute, type RouteOptions } from "../../lib/mapping/route.ts";
import { parseTemplate, TemplateError } from "../../lib/mapping/template.ts";

const PARAMS = ["room", "client"];

Deno.test("toCaptured() stands for all that a template can make", async (t) => {
  const table: [template: string, subjects: string[]][] = [
    ["orders", ["orders"]],
    ["{prefix}.orders", ["h8s.orders"]],
    ["{prefix}.{room}.{client}.in", ["h8s.*.*.in"]],
    ["{prefix}.room-{room}.in", ["h8s.*.in"]],
    ["{prefix}.{method:lower}.{path}", ["h8s.*", "h8s.*.>"]],
    ["{prefix}.all.{host}", ["h8s.all", "h8s.all.>"]],
    ["{path}", [">"]],
  ];
  for (const [text, subjects] of table) {
    await t.step(text, () => {
      const template = parseTemplate(text, { params: PARAMS, wildcards: false });
      assert.deepEqual(toCaptured(template, "h8s"), subjects);
    });
  }
});

Deno.test("toCaptured() refuses several tokens before the end", () => {
  const template = parseTemplate("{prefix}.{host}.in", { params: [], wildcards: false });
  assert.throws(() => toCaptured(template, "h8s"), TemplateError);
});

Deno.test("listCaptured() lists what is persisted, none twice", () => {
  const routes: RouteOptions[] = [
    { match: { path: "/orders" }, subject: "orders.new", mode: "publish", persist: true },
    { match: { path: "/fire" }, subject: "fire", mode: "publish" },
    { match: { path: "/:room", upgrade: "websocket" }, publish: "rooms.{room}" },
    { match: { path: "/all", upgrade: "websocket" }, publish: "rooms.all" },
    { match: { path: "/raw", upgrade: "websocket" }, publish: "raw", persist: false },
    { match: { path: "/plain", upgrade: "websocket" } },
  ];
  assert.deepEqual(listCaptured(routes.map(parseRoute), "h8s"), [
    "h8s.ws.ws.>",
    "orders.new",
    "rooms.*",
  ]);
});

Deno.test("listCaptured() leaves the convention out where a route overlaps with it", () => {
  const route = parseRoute({
    match: { path: "/:room/:client", upgrade: "websocket" },
    publish: "{prefix}.{room}.{client}.in",
  });
  assert.deepEqual(listCaptured([route], "h8s"), ["h8s.*.*.in"]);
});

Deno.test("isCovered() says whether a pattern takes all that another takes", async (t) => {
  const table: [a: string, b: string, isCovered: boolean][] = [
    ["a.b", "a.b", true],
    ["a.b", "a.*", true],
    ["a.b", "a.>", true],
    ["a", "a.>", false],
    ["a.*", "a.b", false],
    ["a.>", "a.*", false],
    ["a.*.c", "*.b.*", false],
    ["a.*.c", "a.>", true],
    ["a.b", "a.c", false],
    ["a.b", "a.b.c", false],
    ["a.b.c", "a.b", false],
    [">", ">", true],
    [">", "*", false],
  ];
  for (const [a, b, covered] of table) {
    await t.step(`${a} by ${b}`, () => assert.equal(isCovered(a, b), covered));
  }
});
