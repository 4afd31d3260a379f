import assert from "node:assert/strict";
import { jetstream } from "@nats-io/jetstream";
import { nanos } from "@nats-io/transport";
import {
  type Handler,
  type JetStreamSource,
  type ListenFailure,
  Router,
  type Settlement,
} from "../../lib/router/mod.ts";
import { open, toText } from "./jetstream_fixture.ts";

Deno.test("listen() acks a message after its handlers, not before", async () => {
  await using nats = await open();
  const acked = nats.once("$JS.EVENT.METRIC.CONSUMER.ACK.>");
  const seen: string[] = [];
  const router = new Router<Uint8Array>().add("order.*", [
    (_msg, _ctx, next) => void next(),
    async (msg) => {
      await nats.connection.flush();
      seen.push(`handled ${msg.subject} ${new TextDecoder().decode(msg.data)}`);
    },
  ]);
  await nats.publish("order.new", "hello");
  await using _listening = router.listen(await nats.consume());
  await acked.then(() => seen.push("acked"));
  assert.deepEqual(seen, ["handled order.new hello", "acked"]);
});

Deno.test("listen() handles the messages of a stream in order, one at a time", async () => {
  await using nats = await open();
  const seen: string[] = [];
  const done = Promise.withResolvers<void>();
  const router = new Router<Uint8Array>().add("order.*", async (msg) => {
    seen.push(`> ${msg.subject}`);
    await nats.connection.flush();
    seen.push(`< ${msg.subject}`);
    if (msg.subject === "order.3") done.resolve();
  });
  for (const index of [1, 2, 3]) await nats.publish(`order.${index}`);
  await using _listening = router.listen(await nats.consume());
  await done.promise;
  assert.deepEqual(seen, [1, 2, 3].flatMap((index) => [`> order.${index}`, `< order.${index}`]));
});

Deno.test("listen() has a failed message delivered again, after nakDelayMs", async () => {
  await using nats = await open();
  const acked = nats.once("$JS.EVENT.METRIC.CONSUMER.ACK.>");
  const times: number[] = [];
  const failures: ListenFailure[] = [];
  const router = new Router<Uint8Array>().add("order.new", () => {
    if (times.push(performance.now()) === 1) throw new Error("broken");
  });
  await nats.publish("order.new");
  await using _listening = router.listen(await nats.consume(), {
    nakDelayMs: 300,
    onError: (_error, failure) => void failures.push(failure),
  });
  assert.equal((await acked).deliveries, 2);
  assert.ok(times[1]! - times[0]! >= 250, `${times[1]! - times[0]!} ms`);
  assert.deepEqual(failures.map(toText), ["handler order.new nak"]);
});

Deno.test("listen() terminates a message that fails the maxDeliver-th time", async () => {
  await using nats = await open({ ack_wait: nanos(1000) });
  const terminated = nats.once("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>");
  const failures: string[] = [];
  let calls = 0;
  const router = new Router<Uint8Array>().add("order.new", () => {
    calls++;
    throw new Error("broken");
  });
  await nats.publish("order.new");
  await using _listening = router.listen(await nats.consume(), {
    maxDeliver: 3,
    nakDelayMs: 0,
    onError: (error, failure) => void failures.push(`${toText(failure)}: ${error}`),
  });
  const advisory = await terminated;
  // A server before 2.10.4 takes one delivery more to understand, since it has no reasons.
  assert.equal(calls, nats.hasReasons ? 3 : 4);
  assert.equal(advisory.deliveries, calls);
  assert.equal(advisory.reason, nats.hasReasons ? "handler failed" : undefined);
  assert.deepEqual(failures.slice(0, 3), [
    "handler order.new nak: Error: broken",
    "handler order.new nak: Error: broken",
    "handler order.new term: Error: broken",
  ]);
});

Deno.test("listen() terminates for good a message that is back beyond maxDeliver", async () => {
  await using nats = await open();
  await nats.publish("order.new");
  const first = await (await nats.consumer()).next();
  first?.nak();
  const terminated = nats.once("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>");
  const router = new Router<Uint8Array>().add("order.new", () => Promise.reject(new Error("bad")));
  await using _listening = router.listen(await nats.consume(), { maxDeliver: 1, onError() {} });
  const advisory = await terminated;
  assert.deepEqual([advisory.deliveries, advisory.reason], [2, undefined]);
});

Deno.test("listen() terminates a message that nothing matches and tells onError", async () => {
  await using nats = await open({ ack_wait: nanos(1000) });
  const terminated = nats.once("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.>");
  const acked = nats.once("$JS.EVENT.METRIC.CONSUMER.ACK.>");
  const failures: string[] = [];
  const router = new Router<Uint8Array>().add("order.new", () => {});
  await nats.publish("order.lost");
  await nats.publish("order.new");
  await using _listening = router.listen(await nats.consume(), {
    onError: (error, failure) => void failures.push(`${toText(failure)}: ${error}`),
  });
  const advisory = await terminated;
  assert.equal(advisory.stream_seq, 1);
  if (nats.hasReasons) assert.equal(advisory.reason, "no pattern matches");
  assert.equal((await acked).stream_seq, 2);
  assert.equal(
    failures[0],
    'unmatched order.lost term: UnmatchedSubjectError: Cannot route "order.lost": ' +
      "no pattern matches",
  );
});

Deno.test("listen() acks what a middleware keeps", async () => {
  await using nats = await open();
  const acked = nats.once("$JS.EVENT.METRIC.CONSUMER.ACK.>");
  const router = new Router<Uint8Array>().use(() => {});
  await nats.publish("order.new");
  await using _listening = router.listen(await nats.consume());
  assert.equal((await acked).stream_seq, 1);
});

Deno.test("stop() finishes the handler and gives back what was not begun", async () => {
  await using nats = await open();
  const gate = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const seen: string[] = [];
  const first = new Router<Uint8Array>().add("order.*", async (msg) => {
    begun.resolve();
    await gate.promise;
    seen.push(`first ${msg.subject}`);
  });
  for (const index of [1, 2, 3]) await nats.publish(`order.${index}`);
  const messages = await nats.consume();
  const listening = first.listen(messages, { nakDelayMs: 100 });
  await begun.promise;
  // The three came in one batch; a turn to the server and back makes sure of it.
  await nats.connection.flush();
  const stopped = listening.stop();
  gate.resolve();
  await stopped;
  assert.deepEqual(seen, ["first order.1"]);

  const rest = Promise.withResolvers<void>();
  const second = new Router<Uint8Array>().add("order.*", (msg) => {
    if (seen.push(`second ${msg.subject}`) === 3) rest.resolve();
  });
  await using _again = second.listen(await nats.consume());
  await rest.promise;
  assert.deepEqual(seen, ["first order.1", "second order.2", "second order.3"]);
});

Deno.test("stop() ends a consumer that waits for messages, however many workers it has", async () => {
  await using nats = await open();
  const router = new Router<Uint8Array>().add(">", () => {});
  const listening = router.listen(await nats.consume(), { concurrency: 4 });
  await listening.stop();
  await listening.finished;
});

Deno.test("listen() takes the messages of a push consumer and of fetch() too", async (t) => {
  await t.step("push", async () => {
    await using nats = await open({ deliver_subject: "push.order" });
    const acked = nats.once("$JS.EVENT.METRIC.CONSUMER.ACK.>");
    const consumer = await jetstream(nats.connection).consumers.getPushConsumer("ORDERS", "worker");
    await nats.publish("order.new");
    const router = new Router<Uint8Array>().add("order.*", () => {});
    await using _listening = router.listen(await consumer.consume());
    assert.equal((await acked).stream_seq, 1);
  });
  await t.step("fetch", async () => {
    await using nats = await open();
    await nats.publish("order.1");
    await nats.publish("order.2");
    const seen: string[] = [];
    const router = new Router<Uint8Array>().add("order.*", (msg) => void seen.push(msg.subject));
    const messages = await (await nats.consumer()).fetch({ max_messages: 2 });
    await router.listen(messages).finished;
    assert.deepEqual(seen, ["order.1", "order.2"]);
  });
});

Deno.test("onError is told when JetStream cannot be told", async (t) => {
  const table: [action: Settlement, deliveryCount: number, handler: Handler<Uint8Array>][] = [
    ["ack", 1, () => {}],
    ["nak", 1, () => Promise.reject(new Error("broken"))],
    ["term", 5, () => Promise.reject(new Error("broken"))],
  ];
  for (const [action, deliveryCount, handler] of table) {
    await t.step(action, async () => {
      const failures: string[] = [];
      const router = new Router<Uint8Array>().add("order.new", handler);
      await router.listen(sourceWithoutServer(deliveryCount), {
        onError: (error, failure) => void failures.push(`${toText(failure)}: ${error}`),
      }).finished;
      assert.deepEqual(failures, [
        `settle order.new ${action}: Error: gone`,
        ...(action === "ack" ? [] : [`handler order.new ${action}: Error: broken`]),
      ]);
    });
  }
});

Deno.test("a consumer that is deleted is told to onError, and finished rejects", async () => {
  await using nats = await open();
  const told = Promise.withResolvers<ListenFailure>();
  const begun = Promise.withResolvers<void>();
  const router = new Router<Uint8Array>().add("order.new", () => begun.resolve());
  await nats.publish("order.new");
  const consumer = await nats.consumer();
  const messages = await consumer.consume({ abort_on_missing_resource: true });
  const listening = router.listen(messages, {
    concurrency: 2,
    onError: (_error, failure) => told.resolve(failure),
  });
  await begun.promise;
  await consumer.delete();
  assert.equal((await told.promise).stage, "source");
  await assert.rejects(listening.finished, { name: "JetStreamStatusError" });
});

/** The client of today only queues an ack, so that none of its messages fails like this. */
function sourceWithoutServer(deliveryCount: number): JetStreamSource {
  function fail(): never {
    throw new Error("gone");
  }
  return {
    async *[Symbol.asyncIterator]() {
      yield {
        subject: "order.new",
        data: new Uint8Array(),
        headers: undefined,
        seq: 1,
        time: new Date(0),
        info: { deliveryCount, stream: "ORDERS", consumer: "worker" },
        ack: fail,
        nak: fail,
        term: fail,
        working: fail,
        json: fail,
        string: () => "",
      };
    },
    close: () => Promise.resolve(),
  };
}
