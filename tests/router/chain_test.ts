import assert from "node:assert/strict";
import { type Handler, type NextData, Router } from "../../lib/router/mod.ts";

Deno.test("handle() gives handlers the subject, the data and the headers", async () => {
  const headers = { get: (name: string) => `value of ${name}` };
  const data = { id: 1 };
  let calls = 0;
  const router = new Router().add("order.new", (msg) => {
    calls++;
    assert.deepEqual(msg, { subject: "order.new", data, headers });
    assert.equal(msg.data, data);
  });
  await router.handle("order.new", data, {}, headers);
  assert.equal(calls, 1);
});

Deno.test("handle() gives empty headers and an empty context unless told otherwise", async () => {
  const router = new Router().add("order.new", (msg, ctx) => {
    assert.deepEqual(msg.headers, {});
    assert.deepEqual(ctx, {});
  });
  assert.deepEqual(await router.handle("order.new", undefined), {});
});

Deno.test("handle() resolves to the very context when nothing matches", async () => {
  const ctx = { user: 7 };
  assert.equal(await new Router().add("order", () => {}).handle("user", undefined, ctx), ctx);
});

Deno.test("handle() resolves to the first handler's result, else to the context", async (t) => {
  const table: [name: string, handlers: Handler[], result: unknown][] = [
    ["nothing is returned", [() => {}], { from: "caller" }],
    ["an object is returned", [() => ({ from: "handler" })], { from: "handler" }],
    ["a promise is returned", [() => Promise.resolve({ from: "promise" })], { from: "promise" }],
    ["next is returned", [(_m, _c, next) => next(), () => ({ from: "second" })], {
      from: "second",
    }],
    ["next is awaited, not returned", [
      async (_m, _c, next) => void await next({ first: true }),
      () => ({ from: "second" }),
    ], { from: "caller", first: true }],
    ["next has nothing to run", [(_m, _c, next) => next({ last: true })], {
      from: "caller",
      last: true,
    }],
  ];
  for (const [name, handlers, result] of table) {
    await t.step(name, async () => {
      const router = new Router().add("order", handlers);
      assert.deepEqual(await router.handle("order", undefined, { from: "caller" }), result);
    });
  }
});

Deno.test("next() merges its data into the context", async (t) => {
  type Ctx = Record<string, unknown>;
  const bytes = new Uint8Array([1]);
  const table: [name: string, data: NextData<Ctx>, ctx: Ctx][] = [
    ["nothing", undefined, { a: 1 }],
    ["null", null, { a: 1 }],
    ["an object", { a: 2, b: 3 }, { a: 2, b: 3 }],
    ["text", "seen", { a: 1, _lastData: "seen" }],
    ["an empty text", "", { a: 1, _lastData: "" }],
    ["a number", 0, { a: 1, _lastData: 0 }],
    ["a boolean", false, { a: 1, _lastData: false }],
    ["a bigint", 7n, { a: 1, _lastData: 7n }],
    ["a list", [1, 2], { a: 1, _lastData: [1, 2] }],
    ["bytes", bytes, { a: 1, _lastData: bytes }],
    ["a function of the context", (ctx) => ({ b: ctx.a }), { a: 1, b: 1 }],
    ["an async function", (ctx) => Promise.resolve(`was ${ctx.a}`), { a: 1, _lastData: "was 1" }],
    ["a function without result", () => {}, { a: 1 }],
  ];
  for (const [name, data, expected] of table) {
    await t.step(name, async () => {
      let seen: unknown;
      const router = new Router().add("order", [
        (_msg, _ctx, next) => next(data),
        (_msg, ctx) => void (seen = { ...ctx }),
      ]);
      assert.deepEqual(await router.handle("order", undefined, { a: 1 }), expected);
      assert.deepEqual(seen, expected);
    });
  }
});

Deno.test("next(ctx) leaves the context as it is", async () => {
  const router = new Router().add("order", [(_msg, ctx, next) => next(ctx), () => {}]);
  assert.deepEqual(await router.handle("order", undefined, { a: 1 }), { a: 1 });
});

Deno.test("next() does not let a payload change the prototype of the context", async () => {
  const router = new Router<string>().add("order", (msg, _ctx, next) => next(JSON.parse(msg.data)));
  const ctx = await router.handle("order", '{"__proto__": {"isAdmin": true}}');
  assert.equal(ctx.isAdmin, undefined);
  assert.equal(Object.getPrototypeOf(ctx), Object.prototype);
});

Deno.test("handlers share one context, which is visible after next() too", async () => {
  const router = new Router().add("order", [
    async (_msg, ctx, next) => {
      await next();
      ctx.after = ctx.inner;
    },
    (_msg, ctx) => void (ctx.inner = "set"),
  ]);
  assert.deepEqual(await router.handle("order", undefined), { inner: "set", after: "set" });
});

Deno.test("messages that start with the same context do not see each other's", async () => {
  const shared = Object.freeze({ db: "pool" });
  const router = new Router<number>().add("order", async (msg, ctx, next) => {
    await next({ id: msg.data });
    ctx.own = msg.data;
  });
  const results = await Promise.all([1, 2].map((id) => router.handle("order", id, shared)));
  assert.deepEqual(results, [{ db: "pool", id: 1, own: 1 }, { db: "pool", id: 2, own: 2 }]);
  assert.deepEqual(shared, { db: "pool" });
});

Deno.test("a handler that does not call next() ends the chain", async () => {
  const router = new Router().add("order.new", () => {}).add("order.*", () => assert.fail("ran"));
  await router.handle("order.new", undefined);
});

Deno.test("next() runs the rest once and gives the same promise again", async () => {
  const seen: string[] = [];
  const router = new Router().add("order", [
    async (_msg, _ctx, next) => {
      const first = next({ call: 1 });
      assert.equal(next({ call: 2 }), first);
      assert.equal(await first, await next());
    },
    () => void seen.push("second"),
    () => void seen.push("third"),
  ]);
  assert.deepEqual(await router.handle("order", undefined), { call: 1 });
  assert.deepEqual(seen, ["second"]);
});

Deno.test("handle() rejects with a handler's error", async (t) => {
  const error = new Error("broken");
  const fail: Handler = () => {
    throw error;
  };
  const table: [name: string, handlers: Handler[]][] = [
    ["thrown", [fail]],
    ["rejected", [() => Promise.reject(error)]],
    ["further down, returned", [(_m, _c, next) => next(), fail]],
    ["further down, awaited", [async (_m, _c, next) => void await next(), fail]],
    ["further down, with a forgotten await", [(_m, _c, next) => void next(), fail]],
    ["in a function for next()", [(_m, _c, next) => next(fail as () => void)]],
    ["while the handler before still works", [async (_m, _c, next) => {
      const rest = next();
      // One turn of the event loop, after which the runtime reports unhandled rejections.
      await new Promise((resolve) => setTimeout(resolve));
      await rest;
    }, fail]],
  ];
  for (const [name, handlers] of table) {
    await t.step(name, async () => {
      const router = new Router().add("order", handlers);
      await assert.rejects(router.handle("order", undefined), error);
    });
  }
});

Deno.test("a handler may catch the error of the handlers after it", async (t) => {
  const table: [name: string, handler: Handler][] = [
    ["with try", async (_msg, ctx, next) => {
      try {
        await next();
      } catch (error) {
        ctx.caught = (error as Error).message;
      }
    }],
    ["with catch()", async (_msg, ctx, next) => {
      await next().catch((error) => void (ctx.caught = error.message));
    }],
    ["in a race", async (_msg, ctx, next) => {
      await Promise.race([next()]).catch((error) => void (ctx.caught = error.message));
    }],
  ];
  for (const [name, handler] of table) {
    await t.step(name, async () => {
      const router = new Router().add("order", [handler, () => {
        throw new Error("broken");
      }]);
      assert.deepEqual(await router.handle("order", undefined), { caught: "broken" });
    });
  }
});

Deno.test("handle() waits for the rest of the chain when a handler forgot to", async () => {
  const gate = Promise.withResolvers<void>();
  let isDone = false;
  const router = new Router().add("order", [
    (_msg, _ctx, next) => void next(),
    async () => {
      await gate.promise;
      isDone = true;
    },
  ]);
  const handled = router.handle("order", undefined);
  gate.resolve();
  await handled;
  assert.equal(isDone, true);
});

Deno.test("next() rejects when the handler has already returned", async () => {
  const late = Promise.withResolvers<() => Promise<unknown>>();
  const router = new Router().add("order", [
    (_msg, _ctx, next) => late.resolve(next),
    () => assert.fail("ran"),
  ]);
  await router.handle("order", undefined);
  await assert.rejects((await late.promise)(), {
    message: 'Cannot run the next handler of "order": the handler has already returned',
  });
});

Deno.test("middleware runs for every subject, before the matches, in the order of use()", async () => {
  const seen: string[] = [];
  const record = (name: string): Handler => (msg, _ctx, next) => {
    seen.push(`${name} ${msg.subject}`);
    return next({ [name]: true });
  };
  const router = new Router().add("order", record("handler"));
  router.use(record("first")).use(record("second"));
  assert.deepEqual(await router.handle("order", undefined), {
    first: true,
    second: true,
    handler: true,
  });
  assert.deepEqual(await router.handle("user", undefined), { first: true, second: true });
  assert.deepEqual(seen, [
    "first order",
    "second order",
    "handler order",
    "first user",
    "second user",
  ]);
});

Deno.test("middleware keeps a message from the handlers by not calling next()", async () => {
  const router = new Router().use(() => ({ refused: true })).add("order", () => assert.fail("ran"));
  assert.deepEqual(await router.handle("order", undefined), { refused: true });
});
