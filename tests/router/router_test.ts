import assert from "node:assert/strict";
import fc from "fast-check";
import {
  type Handler,
  type HandlersPayload,
  Router,
  type RouterOptions,
} from "../../lib/router/mod.ts";

const byPriority = (a: HandlersPayload, b: HandlersPayload): number =>
  Number(a.metadata.priority ?? 0) - Number(b.metadata.priority ?? 0);

Deno.test("match() orders the handlers by the strategy", async (t) => {
  const patterns = [">", "order.>", "order.*.new", "*.eu.new", "order.eu.new", "order.eu.*"];
  const table: [name: string, options: RouterOptions, order: string[]][] = [
    [
      "specificity is the default",
      {},
      ["order.eu.new", "order.*.new", "*.eu.new", "order.eu.*", "order.>", ">"],
    ],
    [
      "specificity, ties in the order of insertion",
      { sortStrategy: "specificity" },
      ["order.eu.new", "order.*.new", "*.eu.new", "order.eu.*", "order.>", ">"],
    ],
    ["insertion", { sortStrategy: "insertion" }, patterns],
    [
      "custom",
      { sortStrategy: "custom", customSort: (a, b) => lengthOf(a) - lengthOf(b) },
      [">", "order.>", "*.eu.new", "order.eu.*", "order.*.new", "order.eu.new"],
    ],
    ["custom, ties in the order of insertion", {
      sortStrategy: "custom",
      customSort: () => 0,
    }, patterns],
    ["customSort is ignored with another strategy", {
      sortStrategy: "insertion",
      customSort: () => assert.fail("called"),
    }, patterns],
  ];
  for (const [name, options, order] of table) {
    await t.step(name, async () => {
      const seen: string[] = [];
      const router = new Router(options);
      for (const pattern of patterns) router.add(pattern, record(seen, pattern));
      await router.handle("order.eu.new", undefined);
      assert.deepEqual(seen, order);
    });
  }
});

Deno.test("match() orders by insertion over all patterns, whatever was added in between", () => {
  const pattern = fc.constantFrom("a.b", "a.*", "*.b", "*.*", "a.>", ">", "c");
  fc.assert(fc.property(fc.array(pattern), (patterns) => {
    const router = new Router({ sortStrategy: "insertion" });
    const handlers = patterns.map((pattern): [string, Handler] => [pattern, () => {}]);
    for (const [pattern, handler] of handlers) router.add(pattern, handler);
    const expected = handlers.filter(([pattern]) => pattern !== "c").map(([, handler]) => handler);
    const found = router.match("a.b");
    assert.equal(found.length, expected.length);
    found.forEach((handler, index) => assert.equal(handler, expected[index]));
  }));
});

Deno.test("match() gives the very functions that were added, without middleware", () => {
  const handler: Handler = () => {};
  const router = new Router().use(() => {}).add("order.*", handler);
  assert.equal(router.match("order.new").length, 1);
  assert.equal(router.match("order.new")[0], handler);
  assert.deepEqual(router.match("user.new"), []);
});

Deno.test("match() gives a list of its own every time", () => {
  const router = new Router().add("order.*", () => {});
  router.match("order.new").pop();
  assert.equal(router.match("order.new").length, 1);
});

Deno.test("add() takes handlers in every form and keeps their order", async (t) => {
  const seen: string[] = [];
  const [a, b, c] = ["a", "b", "c"].map((name) => record(seen, name)) as [
    Handler,
    Handler,
    Handler,
  ];
  const table: [name: string, input: Parameters<Router["add"]>[1], order: string][] = [
    ["a function", a, "a"],
    ["a list of functions", [b, a], "ba"],
    ["a payload", { handlers: [b, a], metadata: { priority: 1 } }, "ba"],
    ["a payload without metadata", { handlers: [a] }, "a"],
    ["a list of payloads", [{ handlers: [c, a] }, { handlers: [b] }], "cab"],
    ["a mixed list", [c, { handlers: [a, b], metadata: { priority: 1 } }, a], "caba"],
  ];
  for (const [name, input, order] of table) {
    await t.step(name, async () => {
      seen.length = 0;
      await new Router().add("order", input).handle("order", undefined);
      assert.equal(seen.join(""), order);
    });
  }
});

Deno.test("add() gives a custom sort the pattern, the order and the caller's metadata", () => {
  const seen = new Map<number, unknown>();
  const customSort = (a: HandlersPayload, b: HandlersPayload): number => {
    for (const { metadata } of [a, b]) seen.set(metadata._insertOrder, metadata);
    return 0;
  };
  new Router({ sortStrategy: "custom", customSort })
    .add("order.new", [() => {}, { handlers: [() => {}], metadata: { priority: 1, own: true } }], {
      priority: 2,
    })
    .add("user.new", () => {})
    .add("order.*", () => {}, { _pattern: "forged", _insertOrder: -1, note: null })
    .match("order.new");
  assert.deepEqual(
    seen,
    new Map<number, unknown>([
      [0, { priority: 2, _pattern: "order.new", _insertOrder: 0 }],
      [1, { priority: 2, own: true, _pattern: "order.new", _insertOrder: 1 }],
      [3, { note: null, _pattern: "order.*", _insertOrder: 3 }],
    ]),
  );
});

Deno.test("add() sorts the handlers of a payload as one, and those of a list singly", async () => {
  const seen: string[] = [];
  const router = new Router({ sortStrategy: "custom", customSort: byPriority });
  router.add("order", {
    handlers: [record(seen, "a"), record(seen, "b")],
    metadata: { priority: 2 },
  });
  router.add("order", [
    { handlers: [record(seen, "c")], metadata: { priority: 3 } },
    { handlers: [record(seen, "d")], metadata: { priority: 1 } },
  ]);
  await router.handle("order", undefined);
  assert.deepEqual(seen, ["d", "a", "b", "c"]);
});

Deno.test("add() is not changed by what happens to the caller's list later", () => {
  const handlers: Handler[] = [() => {}];
  const router = new Router().add("order", { handlers });
  handlers.push(() => {});
  assert.equal(router.match("order").length, 1);
});

Deno.test("add() refuses an invalid handler, names the pattern and adds nothing", async (t) => {
  const neither = "is neither a function nor an object with handlers";
  const table: [name: string, input: unknown, reason: string][] = [
    ["null", null, `null ${neither}`],
    ["undefined", undefined, `a value of type undefined ${neither}`],
    ["text", "handler", `a value of type string ${neither}`],
    ["an empty list", [], "the list is empty"],
    ["a list with something else", [() => {}, 7], `a value of type number ${neither}`],
    ["a list in a list", [[() => {}]], `a list ${neither}`],
    ["an object without handlers", {}, `a value of type object ${neither}`],
    ["handlers that are no list", { handlers: () => {} }, "handlers is not a list of functions"],
    ["no handlers", { handlers: [] }, "handlers is not a list of functions"],
    ["handlers with something else", { handlers: [() => {}, null] }, "null is not a function"],
  ];
  for (const [name, input, reason] of table) {
    await t.step(name, () => {
      const router = new Router();
      assert.throws(() => router.add("order.new", input as Handler), {
        name: "InvalidHandlerError",
        target: "order.new",
        message: `Cannot add a handler for "order.new": Invalid handler, ${reason}`,
      });
      assert.deepEqual(router.match("order.new"), []);
    });
  }
});

Deno.test("add() refuses an invalid pattern", () => {
  assert.throws(() => new Router().add("order.>.new", () => {}), {
    name: "InvalidPatternError",
    pattern: "order.>.new",
  });
});

Deno.test("use() refuses what is not a function", () => {
  assert.throws(() => new Router().use(null as unknown as Handler), {
    name: "InvalidHandlerError",
    message: 'Cannot add a handler for "use": Invalid handler, null is not a function',
  });
});

Deno.test("new Router() refuses a strategy that it cannot follow", () => {
  assert.throws(() => new Router({ sortStrategy: "custom" }), {
    name: "TypeError",
    message: 'Cannot sort routes: sortStrategy "custom" needs customSort',
  });
  assert.throws(() => new Router({ sortStrategy: "alphabet" as "custom" }), {
    name: "TypeError",
    message: 'Cannot sort routes: sortStrategy "alphabet" is unknown',
  });
});

function record(seen: string[], name: string): Handler {
  return (_msg, _ctx, next) => {
    seen.push(name);
    return next();
  };
}

function lengthOf({ metadata }: HandlersPayload): number {
  return metadata._pattern.length;
}
