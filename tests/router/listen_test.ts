import assert from "node:assert/strict";
import { connect, headers, type Msg } from "@nats-io/transport";
import {
  type Handler,
  type ListenFailure,
  type ListenOptions,
  Router,
} from "../../lib/router/mod.ts";
import { startNats } from "../harness/nats_server.ts";

Deno.test("listen() routes what a subscription delivers, and handlers answer", async () => {
  await using nats = await open();
  const router = new Router<Uint8Array>()
    .use((msg, _ctx, next) => next({ caller: msg.headers.get?.("Caller") }))
    .add("greet.*", (msg, ctx) => {
      const name = msg.subject.split(".")[1];
      msg.respond?.(`hello ${name} from ${ctx.caller}, ${new TextDecoder().decode(msg.data)}`);
    });
  await using _listening = router.listen(nats.connection.subscribe("greet.>"));

  const hdrs = headers();
  hdrs.set("Caller", "ann");
  const reply = await nats.connection.request("greet.bob", "hi", {
    headers: hdrs,
    timeout: 5000,
  });
  assert.equal(reply.string(), "hello bob from ann, hi");
  const bare = await nats.connection.request("greet.eve");
  assert.equal(bare.string(), "hello eve from undefined, ");
});

Deno.test("listen() gives handlers the message of the NATS client", async () => {
  await using nats = await open();
  const router = new Router<Uint8Array>().add("sum", (msg) => {
    const numbers = msg.source?.json<number[]>() ?? [];
    msg.respond?.(String(numbers.reduce((sum, number) => sum + number, 0)));
  });
  await using _listening = router.listen(nats.connection.subscribe("sum"));
  const reply = await nats.connection.request("sum", JSON.stringify([1, 2, 3]));
  assert.equal(reply.string(), "6");
});

Deno.test("listen() handles the messages in order, one at a time", async () => {
  await using nats = await open();
  const seen: string[] = [];
  const router = new Router<Uint8Array>().add("order.*", async (msg) => {
    seen.push(`> ${msg.subject}`);
    await nats.connection.flush();
    seen.push(`< ${msg.subject}`);
  });
  const listening = router.listen(nats.connection.subscribe("order.*"));
  for (const index of [1, 2, 3]) nats.connection.publish(`order.${index}`);
  await nats.connection.flush();
  await listening.stop();
  assert.deepEqual(seen, [1, 2, 3].flatMap((index) => [`> order.${index}`, `< order.${index}`]));
});

Deno.test("listen() handles as many messages at a time as concurrency says", async () => {
  await using nats = await open();
  const gate = Promise.withResolvers<void>();
  const full = Promise.withResolvers<void>();
  let running = 0;
  let most = 0;
  let calls = 0;
  const router = new Router<Uint8Array>().add("order", async () => {
    calls++;
    most = Math.max(most, ++running);
    if (running === 3) full.resolve();
    await gate.promise;
    running--;
  });
  const listening = router.listen(nats.connection.subscribe("order"), { concurrency: 3 });
  for (let index = 0; index < 10; index++) nats.connection.publish("order");
  await full.promise;
  await nats.connection.flush();
  gate.resolve();
  await listening.stop();
  assert.deepEqual({ most, calls }, { most: 3, calls: 10 });
});

Deno.test("listen() tells onError of a handler's error and goes on", async () => {
  await using nats = await open();
  const error = new Error("broken");
  const told = Promise.withResolvers<[unknown, ListenFailure]>();
  const router = new Router<Uint8Array>()
    .add("order.bad", () => Promise.reject(error))
    .add("order.good", (msg) => void msg.respond?.("done"));
  const onError = (...failure: [unknown, ListenFailure]): void => told.resolve(failure);
  await using _listening = router.listen(nats.connection.subscribe("order.*"), { onError });
  nats.connection.publish("order.bad");
  assert.equal((await nats.connection.request("order.good")).string(), "done");
  const [cause, failure] = await told.promise;
  assert.equal(cause, error);
  assert.deepEqual([failure.stage, subjectOf(failure)], ["handler", "order.bad"]);
});

Deno.test("listen() tells onError of a message that nothing matches", async (t) => {
  const pass: Handler = (_msg, _ctx, next) => next();
  const forget: Handler = (_msg, _ctx, next) => void next();
  const keep: Handler = () => {};
  const table: [name: string, middleware: Handler[], isTold: boolean][] = [
    ["without middleware", [], true],
    ["when the middleware lets it through", [pass, pass], true],
    ["when the middleware forgets to await", [forget], true],
    ["not when a middleware keeps it", [pass, keep], false],
  ];
  await using nats = await open();
  for (const [name, middleware, isTold] of table) {
    await t.step(name, async () => {
      const failures: [unknown, ListenFailure][] = [];
      const router = new Router<Uint8Array>().add("order.new", () => assert.fail("ran"));
      for (const handler of middleware) router.use(handler);
      const listening = router.listen(nats.connection.subscribe("order.*"), {
        onError: (...failure) => void failures.push(failure),
      });
      nats.connection.publish("order.lost");
      await nats.connection.flush();
      await listening.stop();
      assert.equal(failures.length, isTold ? 1 : 0);
      for (const [error, failure] of failures) {
        assert.equal(failure.stage, "unmatched");
        assert.equal(
          String(error),
          'UnmatchedSubjectError: Cannot route "order.lost": ' +
            "no pattern matches",
        );
      }
    });
  }
});

Deno.test("stop() handles what has arrived, and nothing that comes later", async () => {
  await using nats = await open();
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const seen: string[] = [];
  const router = new Router<Uint8Array>().add("order.*", async (msg) => {
    begun.resolve();
    await gate.promise;
    seen.push(msg.subject);
  });
  const listening = router.listen(nats.connection.subscribe("order.*"));
  for (const index of [1, 2, 3]) nats.connection.publish(`order.${index}`);
  await begun.promise;
  await nats.connection.flush();
  const stopped = listening.stop();
  await nats.connection.flush();
  nats.connection.publish("order.late");
  await nats.connection.flush();
  gate.resolve();
  await stopped;
  await listening.stop();
  await listening.finished;
  assert.deepEqual(seen, ["order.1", "order.2", "order.3"]);
});

Deno.test("finished resolves when the subscription or the connection ends", async (t) => {
  await using nats = await open();
  const router = new Router<Uint8Array>().add(">", () => {});
  await t.step("unsubscribed", async () => {
    const subscription = nats.connection.subscribe("order");
    const listening = router.listen(subscription, { concurrency: 2 });
    subscription.unsubscribe();
    await listening.finished;
    await listening.stop();
  });
  await t.step("closed", async () => {
    const listening = router.listen(nats.connection.subscribe("order"));
    await nats.connection.close();
    await listening.finished;
    await listening.stop();
  });
  await t.step("closed before", async () => {
    const connection = await connect({ servers: nats.url });
    const subscription = connection.subscribe("order");
    await connection.close();
    await router.listen(subscription).stop();
  });
});

Deno.test("finished rejects with what onError throws, and listening stops", async () => {
  for (const concurrency of [1, 3]) {
    await using nats = await open();
    const error = new Error("broken");
    const router = new Router<Uint8Array>().add("order", () => Promise.reject(error));
    const subscription = nats.connection.subscribe("order");
    const listening = router.listen(subscription, {
      concurrency,
      onError: (error) => {
        throw error;
      },
    });
    nats.connection.publish("order");
    nats.connection.publish("order");
    await assert.rejects(listening.finished, error);
    assert.equal(subscription.isClosed(), true);
    await assert.rejects(listening.stop(), error);
  }
});

Deno.test("a source that fails is told to onError, and finished rejects", async (t) => {
  await using nats = await open();
  const router = new Router<Uint8Array>().add(">", () => {});
  await t.step("a subscription with a callback", async () => {
    const stages: string[] = [];
    const subscription = nats.connection.subscribe("order", { callback: (_e, _m: Msg) => {} });
    const listening = router.listen(subscription, {
      onError: (_error, { stage }) => void stages.push(stage),
    });
    await assert.rejects(listening.finished, { name: "InvalidOperationError" });
    assert.deepEqual(stages, ["source"]);
  });
  await t.step("a subject that the server does not allow", async () => {
    const config = `authorization: { users: [{
      user: app, password: app, permissions: { subscribe: { deny: "secret" } }
    }] }`;
    await using server = await startNats({ jetstream: false, config });
    const connection = await connect({ servers: server.url, user: "app", pass: "app" });
    const told = Promise.withResolvers<[unknown, ListenFailure]>();
    // Nobody looks at `finished` here: that alone must not end the process.
    router.listen(connection.subscribe("secret"), {
      concurrency: 2,
      onError: (...failure) => told.resolve(failure),
    });
    const [error, failure] = await told.promise;
    assert.equal(failure.stage, "source");
    assert.equal((error as Error).name, "PermissionViolationError");
    await connection.close();
  });
});

Deno.test("errors go to console.error unless onError is given", async (t) => {
  await using nats = await open();
  const log: string[] = [];
  const write = console.error;
  console.error = (...parts: unknown[]) => void log.push(parts.map(String).join(" "));
  try {
    const router = new Router<Uint8Array>().add("bad", () => Promise.reject(new Error("broken")));
    const listening = router.listen(nats.connection.subscribe(">"));
    nats.connection.publish("bad");
    nats.connection.publish("lost");
    await nats.connection.flush();
    await listening.stop();
  } finally {
    console.error = write;
  }
  await t.step("with the stage and the subject", () => {
    assert.deepEqual(log, [
      'Router: the handler stage of "bad" failed: Error: broken',
      'Router: the unmatched stage of "lost" failed: UnmatchedSubjectError: Cannot route "lost": ' +
      "no pattern matches",
    ]);
  });
});

Deno.test("listen() refuses options out of their range", async (t) => {
  await using nats = await open();
  const table: [options: ListenOptions, message: string][] = [
    [{ concurrency: 0 }, 'concurrency must be a whole number of at least 1, not "0"'],
    [{ concurrency: 1.5 }, 'concurrency must be a whole number of at least 1, not "1.5"'],
    [{ concurrency: Infinity }, 'concurrency must be a whole number of at least 1, not "Infinity"'],
    [{ maxDeliver: 0 }, 'maxDeliver must be a whole number of at least 1, not "0"'],
    [{ maxDeliver: NaN }, 'maxDeliver must be a whole number of at least 1, not "NaN"'],
    [{ nakDelayMs: -1 }, 'nakDelayMs must be a whole number of at least 0, not "-1"'],
  ];
  const subscription = nats.connection.subscribe("order");
  for (const [options, message] of table) {
    await t.step(JSON.stringify(options), () => {
      assert.throws(() => new Router().listen(subscription, options), {
        name: "RangeError",
        message: `Cannot listen: ${message}`,
      });
    });
  }
});

async function open() {
  const server = await startNats({ jetstream: false });
  const connection = await connect({ servers: server.url });
  return {
    url: server.url,
    connection,
    async [Symbol.asyncDispose](): Promise<void> {
      await connection.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

function subjectOf(failure: ListenFailure): string | undefined {
  return failure.stage === "source" ? undefined : failure.message.subject;
}
