/**
 * What the README and the tests of NATSRun say of `next`, the context and errors, one test per
 * statement.
 */
import assert from "node:assert/strict";
import { type Handler, Router } from "../../lib/router/mod.ts";

/** NATSRun leaves the context untyped. */
type Ctx = Record<string, unknown>;

Deno.test("NATSRun tests: the first handler's error rejects handle()", async () => {
  const [first, second] = [new Error("first"), new Error("second")];
  const router = new Router().add("order.create", [
    () => Promise.reject(first),
    () => Promise.reject(second),
  ]);
  await assert.rejects(router.handle("order.create", "x"), first);
});

Deno.test("NATSRun tests: a message may be undefined", async () => {
  let calls = 0;
  const router = new Router().add("order.create", ({ data }) => {
    calls++;
    assert.equal(data, undefined);
  });
  await router.handle("order.create", undefined);
  assert.equal(calls, 1);
});

Deno.test("NATSRun tests: handlers share state through the context", async () => {
  const seen: unknown[] = [];
  const router = new Router<string, { value?: string }>().add("test.context", [
    (_msg, ctx, next) => {
      seen.push(ctx.value = "first");
      return next(ctx);
    },
    (_msg, ctx) => void seen.push(ctx.value += " second"),
  ]);
  await router.handle("test.context", "x");
  assert.deepEqual(seen, ["first", "first second"]);
});

Deno.test("NATSRun tests: every handle() has a context of its own", async () => {
  const router = new Router()
    .add("test.*.specific", (_msg, _ctx, next) => next())
    .add("test.a.specific", async (_msg, ctx, next) => {
      ctx.pattern = "a";
      await next();
    })
    .add("test.b.specific", async (_msg, ctx, next) => {
      ctx.pattern = "b";
      await next();
    });
  assert.deepEqual(await router.handle("test.a.specific", "x"), { pattern: "a" });
  assert.deepEqual(await router.handle("test.b.specific", "x"), { pattern: "b" });
  assert.deepEqual(await router.handle("test.c.specific", "x"), {});
});

Deno.test("NATSRun tests: a scalar for next() becomes _lastData and leaves msg.data alone", async () => {
  const seen: unknown[] = [];
  const router = new Router<string>().add("test.flow", [
    (msg, _ctx, next) => next(`${msg.data} modified`),
    (msg) => void seen.push(msg.data),
  ]);
  const ctx = await router.handle("test.flow", "original");
  assert.deepEqual(seen, ["original"]);
  assert.equal(ctx._lastData, "original modified");
});

Deno.test("NATSRun tests: a handler ends the chain by not calling next()", async () => {
  const seen: string[] = [];
  const router = new Router<string>().add("test.early", [
    async (msg, ctx, next) => {
      if (msg.data === "stop") return { ...ctx, _lastData: "stopped" };
      return await next(ctx);
    },
    () => void seen.push("reached"),
  ]);
  assert.deepEqual(await router.handle("test.early", "stop"), { _lastData: "stopped" });
  await router.handle("test.early", "continue");
  assert.deepEqual(seen, ["reached"]);
});

Deno.test("NATSRun tests: a handler catches the error of the next one", async () => {
  const seen: string[] = [];
  const router = new Router().add("test.error", [
    async (_msg, ctx, next) => {
      try {
        return await next(ctx);
      } catch {
        seen.push("caught");
      }
    },
    () => Promise.reject(new Error("broken")),
  ]);
  await router.handle("test.error", "x");
  assert.deepEqual(seen, ["caught"]);
});

Deno.test("NATSRun tests: a second next() runs nothing twice and does not throw", async () => {
  let calls = 0;
  const router = new Router().add("test.next", [
    async (_msg, _ctx, next) => {
      await next();
      await next();
      calls++;
    },
    () => void calls++,
  ]);
  await router.handle("test.next", "x");
  assert.equal(calls, 2);
});

Deno.test("NATSRun tests: what a handler set and what it gave next() are both in the context", async () => {
  const seen: unknown[] = [];
  const router = new Router().add("test.chain", [
    async (_msg, ctx, next) => {
      ctx.first = true;
      await next({ modified: true });
    },
    async (_msg, ctx, next) => {
      seen.push([ctx.first, ctx.modified]);
      await next();
    },
  ]);
  await router.handle("test.chain", "x");
  assert.deepEqual(seen, [[true, true]]);
});

Deno.test("NATSRun tests: a catch-all runs after the specific handler, on the same context", async () => {
  const visit = (name: string): Handler<unknown, Ctx & { matched?: string[] }> => {
    return (_msg, ctx, next) => {
      (ctx.matched ??= []).push(name);
      return next();
    };
  };
  const router = new Router<unknown, Ctx & { matched?: string[] }>()
    .add("test.>", visit("catch-all"))
    .add("test.*.specific", visit("specific"));
  const ctx = await router.handle("test.foo.specific", "x");
  assert.deepEqual(ctx.matched, ["specific", "catch-all"]);
});

Deno.test("NATSRun tests: the context is empty unless one is supplied", async () => {
  const router = new Router().add("test.context", (_msg, ctx) => assert.deepEqual(ctx, {}));
  assert.deepEqual(await router.handle("test.context", "x"), {});
});

Deno.test("NATSRun tests: a supplied context keeps its properties", async () => {
  const router = new Router().add(
    "test.context",
    (_msg, ctx) => assert.deepEqual(ctx, { custom: "value" }),
  );
  assert.deepEqual(await router.handle("test.context", "x", { custom: "value" }), {
    custom: "value",
  });
});

Deno.test("NATSRun tests: asynchronous handlers run one after the other", async () => {
  const seen: number[] = [];
  const step = (number: number): Handler => async (_msg, _ctx, next) => {
    await Promise.resolve();
    seen.push(number);
    await next();
  };
  const router = new Router().add("test.async", [step(1), step(2), step(3)]);
  await router.handle("test.async", "x");
  assert.deepEqual(seen, [1, 2, 3]);
});
