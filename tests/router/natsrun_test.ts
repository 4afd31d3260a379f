/**
 * What the README and the tests of NATSRun say of matching and of order, one test per statement:
 * who comes from there finds here what they rely on. `next` and the context: the file beside this.
 */
import assert from "node:assert/strict";
import { type Handler, Router } from "../../lib/router/mod.ts";

Deno.test("NATSRun README: * matches a single token", () => {
  const router = new Router().add("user.*", () => {});
  assert.equal(router.match("user.created").length, 1);
  assert.equal(router.match("user.updated").length, 1);
  assert.equal(router.match("user.123.updated").length, 0);
});

Deno.test("NATSRun README: > matches one or more tokens", () => {
  const router = new Router().add("user.>", () => {});
  for (const subject of ["user.created", "user.123.updated", "user.123.profile.updated"]) {
    assert.equal(router.match(subject).length, 1, subject);
  }
});

Deno.test("NATSRun README: a pattern without wildcards matches exactly its subject", () => {
  const router = new Router().add("user.created", () => {});
  assert.equal(router.match("user.created").length, 1);
  assert.equal(router.match("user.updated").length, 0);
});

Deno.test("NATSRun README: exact matches take precedence over wildcards", async () => {
  const seen: string[] = [];
  const router = new Router()
    .add("user.>", record(seen, "rest"))
    .add("user.*", record(seen, "wildcard"))
    .add("user.created", record(seen, "exact"));
  await router.handle("user.created", "x");
  assert.deepEqual(seen, ["exact x", "wildcard x", "rest x"]);
});

Deno.test("NATSRun README: next() passes data to the next handler through the context", async () => {
  const seen: unknown[] = [];
  const router = new Router<{ id: number; name: string }>();
  router.add("user.created", async (msg, _ctx, next) => {
    await next({ userId: msg.data.id });
  });
  router.add("user.*", (_msg, ctx) => void seen.push(ctx.userId));
  await router.handle("user.created", { id: 1, name: "John" });
  assert.deepEqual(seen, [1]);
});

Deno.test("NATSRun README: metadata given to add() is there for a custom sort", async () => {
  const seen: string[] = [];
  const router = new Router({
    sortStrategy: "custom",
    customSort: (a, b) => Number(a.metadata.priority) - Number(b.metadata.priority),
  });
  router.add("user.updated", record(seen, "two"), { priority: 2 });
  router.add("user.updated", record(seen, "one"), { priority: 1 });
  await router.handle("user.updated", "x");
  assert.deepEqual(seen, ["one x", "two x"]);
});

Deno.test("NATSRun README: handle() returns the final context", async () => {
  const router = new Router().add("user.*", (_msg, _ctx, next) => next({ done: true }));
  assert.deepEqual(await router.handle("user.created", "x", { start: 1 }), {
    start: 1,
    done: true,
  });
});

Deno.test("NATSRun tests: match() returns the function that was added, unwrapped", () => {
  const sync = (({ data }: { data: unknown }) => `test ${data}`) as unknown as Handler;
  const [found] = new Router().add("order.create.new", sync).match("order.create.new");
  assert.equal(found?.length, 1);
  assert.equal((found as unknown as (msg: unknown) => string)({ data: "test" }), "test test");
});

Deno.test("NATSRun tests: only the handlers whose pattern fits are called", async () => {
  const seen: string[] = [];
  const router = new Router();
  for (const pattern of ["order", "order.create", "order.create.new", "order.*.new", "order.>"]) {
    router.add(pattern, record(seen, pattern));
  }
  await router.handle("order.1234.new", "x");
  assert.deepEqual(seen, ["order.*.new x", "order.> x"]);
});

Deno.test("NATSRun tests: specificity counts literals over * over >", async (t) => {
  const table: [patterns: string[], subject: string, order: string[]][] = [
    [["test.*", "test.specific", "test.*.end"], "test.specific", ["test.specific", "test.*"]],
    [["test.>", "test.specific", "test.*.end"], "test.specific.end", ["test.*.end", "test.>"]],
    [["test.a.>", "test.b.>", "test.*.specific"], "test.a.specific", [
      "test.*.specific",
      "test.a.>",
    ]],
    [["test.foo.>", "test.foo.*", "test.>"], "test.foo.bar", [
      "test.foo.*",
      "test.foo.>",
      "test.>",
    ]],
    [["order.create", "order.>"], "order.create", ["order.create", "order.>"]],
  ];
  for (const [patterns, subject, order] of table) {
    await t.step(`${patterns} for ${subject}`, async () => {
      const seen: string[] = [];
      const router = new Router({ sortStrategy: "specificity" });
      for (const pattern of patterns) router.add(pattern, record(seen, pattern));
      await router.handle(subject, "x");
      assert.deepEqual(seen, order.map((pattern) => `${pattern} x`));
    });
  }
});

Deno.test("NATSRun tests: insertion order holds across patterns", async () => {
  const seen: string[] = [];
  const router = new Router({ sortStrategy: "insertion" })
    .add("test.*", record(seen, "first"))
    .add("test.specific", record(seen, "second"))
    .add("test.*", record(seen, "third"));
  await router.handle("test.specific", "x");
  assert.deepEqual(seen, ["first x", "second x", "third x"]);
});

Deno.test("NATSRun tests: a custom sort can go by metadata._pattern", async () => {
  const seen: string[] = [];
  const literals = (pattern: string): number =>
    pattern.split(".").filter((token) => token !== "*" && token !== ">").length;
  const router = new Router({
    sortStrategy: "custom",
    customSort: (a, b) => literals(a.metadata._pattern) - literals(b.metadata._pattern),
  });
  const patterns = ["test.>", "test.new.>", "test.new.long.>", "test.new.long.pattern", ">"];
  for (const pattern of patterns) router.add(pattern, record(seen, pattern));
  await router.handle("test.new.long.pattern", "x");
  assert.deepEqual(seen, [
    "> x",
    "test.> x",
    "test.new.> x",
    "test.new.long.> x",
    "test.new.long.pattern x",
  ]);
});

Deno.test("NATSRun tests: several handlers for a pattern run in the order of registration", async () => {
  const seen: string[] = [];
  const router = new Router()
    .add("test.multi", [record(seen, "1"), record(seen, "2")])
    .add("test.multi", record(seen, "3"));
  await router.handle("test.multi", "x");
  assert.deepEqual(seen, ["1 x", "2 x", "3 x"]);
});

Deno.test("NATSRun tests: an invalid pattern throws with 'Invalid subject pattern'", () => {
  for (const pattern of ["", "order..create", "order.>.create"]) {
    assert.throws(() => new Router().add(pattern, () => {}), {
      message: /Invalid subject pattern/,
    });
  }
});

Deno.test("NATSRun tests: an invalid handler throws with 'Invalid handler'", () => {
  for (const handler of [null, undefined, "not a function"]) {
    assert.throws(() => new Router().add("order.create", handler as unknown as Handler), {
      message: /Invalid handler/,
    });
  }
});

Deno.test("NATSRun tests: a pattern takes less than 2 KiB", () => {
  const count = 20_000;
  const router = new Router();
  const before = Deno.memoryUsage().heapUsed;
  for (let index = 0; index < count; index++) router.add(`test.${index}.pattern`, () => {});
  const bytes = (Deno.memoryUsage().heapUsed - before) / count;
  assert.ok(bytes < 2048, `${bytes} bytes`);
});

function record(seen: string[], name: string): Handler {
  return (msg, _ctx, next) => {
    seen.push(`${name} ${msg.data}`);
    return next();
  };
}
