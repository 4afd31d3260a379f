/**
 * What every {@link Bus} does, tested over each of them.
 *
 * @module
 */
import assert from "node:assert/strict";
import { type Bus, type BusMessage, toKept } from "../../lib/nats/bus.ts";
import { testBusLosingNats } from "./bus_conformance_loss.ts";
import { Received } from "./waiting.ts";

const EMPTY = new Uint8Array();
/** Where buses connect to. */
export interface BusWorld extends AsyncDisposable {
  /** Opens a bus, and waits until it is connected. */
  open(): Promise<Bus & AsyncDisposable>;
  /** All connections are lost. */
  kill(): Promise<void>;
  /** Does so unless it is done, and buses can connect again. */
  restart(options?: WorldOptions): Promise<void>;
}

/** What the server tells. */
export interface WorldOptions {
  readonly maxPayload?: number;
}

/** Starts one. */
export type StartWorld = (options?: WorldOptions) => Promise<BusWorld>;

/**
 * Registers the tests that every implementation of {@link Bus} must pass.
 *
 * @param name Of the implementation.
 * @param start Starts what it connects to.
 */
export function testBus(name: string, start: StartWorld): void {
  testMessages(name, start);
  testSubscriptions(name, start);
  testBusLosingNats(name, start);
}

function testMessages(name: string, start: StartWorld): void {
  Deno.test(`${name}: a message arrives as it was published`, async (t) => {
    await using world = await start();
    await using bus = await world.open();
    const block = "NATS/1.0\r\nA: 1\r\nA: 2\r\nb-C:\r\n\r\n";
    const table: [title: string, data: Uint8Array, reply: string, headers: string][] = [
      ["nothing but a subject", EMPTY, "", ""],
      ["a payload", toBytes("hello"), "", ""],
      ["a payload of all bytes", Uint8Array.from({ length: 256 }, (_, byte) => byte), "", ""],
      ["a payload that looks like the protocol", toBytes("\r\nMSG a 1 0\r\n\r\n"), "", ""],
      ["a large payload", new Uint8Array(700_000).fill(0xa5), "", ""],
      ["a reply subject", toBytes("hello"), "where.to", ""],
      ["headers", toBytes("hello"), "", block],
      ["headers alone", EMPTY, "", block],
      ["reply subject and headers", toBytes("hello"), "where.to", block],
    ];
    for (const [title, data, reply, headers] of table) {
      await t.step(title, async () => {
        const received = await Received.on(bus, "a.b");
        const isTaken = bus.publish("a.b", data, {
          ...(reply === "" ? {} : { reply }),
          ...(headers === "" ? {} : { headers: toBytes(headers) }),
        });
        assert.equal(isTaken, true);
        const [message] = await received.until(1);
        assert.ok(message !== undefined);
        assert.deepEqual(
          [message.subject, message.reply, message.headers],
          ["a.b", reply, headers],
        );
        assert.deepEqual(Uint8Array.from(message.data), Uint8Array.from(data));
        received.unsubscribe();
      });
    }
  });

  Deno.test(`${name}: 10 000 messages arrive in order, each with its own bytes`, async () => {
    await using world = await start();
    await using publisher = await world.open();
    await using subscriber = await world.open();
    const received = await Received.on(subscriber, "order.>");
    const count = 10_000;
    for (let index = 0; index < count; index++) {
      const headers = toBytes(`NATS/1.0\r\nIndex: ${index}\r\n\r\n`);
      const data = toBytes(`payload ${index}`);
      publisher.publish(`order.${index % 7}`, data, index % 2 === 0 ? {} : { headers });
    }
    const messages = await received.until(count);
    assert.equal(messages.length, count);
    for (const [index, { subject, headers, data }] of messages.entries()) {
      // Looked at when all are there: what was given to a subscriber is its to keep.
      assert.equal(new TextDecoder().decode(data), `payload ${index}`);
      assert.equal(subject, `order.${index % 7}`);
      assert.equal(headers, index % 2 === 0 ? "" : `NATS/1.0\r\nIndex: ${index}\r\n\r\n`);
    }
  });

  Deno.test(`${name}: who borrows messages keeps what it has made its own`, async () => {
    await using world = await start();
    await using bus = await world.open();
    const { promise: all, resolve } = Promise.withResolvers<void>();
    const kept: BusMessage[] = [];
    const seen: string[] = [];
    const count = 3000;
    bus.subscribe("lent", (message) => {
      seen.push(new TextDecoder().decode(message.data));
      if (kept.push(toKept(message)) === count) resolve();
    }, { borrows: true });
    await bus.flush();
    for (let index = 0; index < count; index++) bus.publish("lent", toBytes(`payload ${index}`));
    await all;
    const expected = Array.from({ length: count }, (_, index) => `payload ${index}`);
    assert.deepEqual(seen, expected);
    assert.deepEqual(kept.map(({ data }) => new TextDecoder().decode(data)), expected);
  });

  Deno.test(`${name}: a request that nobody hears is answered at once`, async () => {
    await using world = await start();
    await using bus = await world.open();
    const replies = await Received.on(bus, "inbox.*");
    const headers = toBytes("NATS/1.0\r\nA: 1\r\n\r\n");
    bus.publish("nobody.hears", toBytes("hello"), { reply: "inbox.1" });
    bus.publish("nobody.hears", toBytes("hello"), { reply: "inbox.2", headers });
    const messages = await replies.until(2);
    assert.deepEqual(messages.map(({ subject }) => subject), ["inbox.1", "inbox.2"]);
    for (const { headers, data } of messages) {
      assert.ok(headers.startsWith("NATS/1.0 503"), headers);
      assert.equal(data.length, 0);
    }
  });

  Deno.test(`${name}: maxPayload is the server's, and so much passes`, async () => {
    await using world = await start({ maxPayload: 5000 });
    await using bus = await world.open();
    assert.equal(bus.maxPayload, 5000);
    const received = await Received.on(bus, "large");
    const headers = toBytes("NATS/1.0\r\nA: 1\r\n\r\n");
    assert.equal(bus.publish("large", new Uint8Array(5000)), true);
    assert.equal(bus.publish("large", new Uint8Array(5000 - headers.length), { headers }), true);
    const sizes = (await received.until(2)).map(({ data }) => data.length);
    assert.deepEqual(sizes, [5000, 5000 - headers.length]);
  });

  Deno.test(`${name}: flush() waits until the server has taken what was published`, async () => {
    await using world = await start();
    await using publisher = await world.open();
    await using subscriber = await world.open();
    const received = await Received.on(subscriber, "a");
    for (let count = 100; count <= 500; count += 100) {
      for (let index = 0; index < 100; index++) publisher.publish("a", new Uint8Array(1000));
      await publisher.flush();
      // What the server has taken, it sends before it answers the subscriber.
      await subscriber.flush();
      assert.equal(received.all.length, count);
    }
  });
}

function testSubscriptions(name: string, start: StartWorld): void {
  Deno.test(`${name}: wildcards match as NATS says`, async () => {
    await using world = await start();
    await using bus = await world.open();
    const subjects = ["a", "a.b", "a.b.c", "a.c", "b.b"];
    const table: [pattern: string, matches: string[]][] = [
      ["a.b", ["a.b"]],
      ["a.*", ["a.b", "a.c"]],
      ["*.b", ["a.b", "b.b"]],
      ["a.>", ["a.b", "a.b.c", "a.c"]],
      ["a.*.c", ["a.b.c"]],
    ];
    const all: Received[] = [];
    for (const [pattern] of table) all.push(await Received.on(bus, pattern));
    for (const subject of subjects) bus.publish(subject, EMPTY);
    await bus.flush();
    for (const [index, [pattern, matches]] of table.entries()) {
      assert.deepEqual(all[index]?.all.map(({ subject }) => subject), matches, pattern);
    }
  });

  Deno.test(`${name}: a queue group shares messages, others get them all`, async () => {
    await using world = await start();
    await using bus = await world.open();
    await using other = await world.open();
    const everything = await Received.on(bus, "work");
    const members = [
      await Received.on(bus, "work", { queue: "group" }),
      await Received.on(bus, "work", { queue: "group" }),
      await Received.on(other, "work", { queue: "group" }),
    ];
    const loner = await Received.on(other, "work", { queue: "another-group" });
    const count = 600;
    for (let index = 0; index < count; index++) bus.publish("work", toBytes(String(index)));
    await bus.flush();
    await other.flush();
    const expected = Array.from({ length: count }, (_, index) => String(index));
    assert.deepEqual(everything.texts, expected);
    assert.deepEqual(loner.texts, expected);
    const shared = members.flatMap(({ texts }) => texts);
    assert.deepEqual(shared.toSorted(), expected.toSorted());
    for (const { all } of members) assert.ok(all.length > 0, "one member got nothing of 600");
  });

  Deno.test(`${name}: unsubscribe() ends one subscription and no other`, async () => {
    await using world = await start();
    await using bus = await world.open();
    const ended = await Received.on(bus, "a");
    const living = await Received.on(bus, "a");
    bus.publish("a", toBytes("1"));
    await living.until(1);
    bus.publish("a", toBytes("2"));
    ended.unsubscribe();
    ended.unsubscribe();
    bus.publish("a", toBytes("3"));
    await bus.flush();
    assert.deepEqual([ended.texts, living.texts], [["1"], ["1", "2", "3"]]);
  });

  Deno.test(`${name}: unsubscribe() works at once, also on messages under way`, async () => {
    await using world = await start();
    await using bus = await world.open();
    let count = 0;
    const subscription = bus.subscribe("a", () => {
      count++;
      subscription.unsubscribe();
    });
    for (let index = 0; index < 100; index++) bus.publish("a", EMPTY);
    await bus.flush();
    assert.equal(count, 1);
  });

  Deno.test(`${name}: a subscriber that throws costs nobody else a message`, async () => {
    await using world = await start();
    await using bus = await world.open();
    const received = await Received.on(bus, "good");
    bus.subscribe("bad", () => {
      throw new Error("Cannot read this message");
    });
    await bus.flush();
    for (const subject of ["good", "bad", "good", "bad", "good"]) bus.publish(subject, EMPTY);
    assert.equal((await received.until(3)).length, 3);
  });
}

function toBytes(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (character) => character.charCodeAt(0));
}
