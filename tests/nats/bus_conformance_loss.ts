/**
 * What every {@link Bus} does when nats-server goes away and comes back.
 *
 * @module
 */
import assert from "node:assert/strict";
import type { Bus, BusState } from "../../lib/nats/bus.ts";
import type { StartWorld } from "./bus_conformance.ts";
import { within } from "../harness/waiting.ts";
import { Received, untilState } from "./waiting.ts";

/**
 * Registers the tests of a lost connection.
 *
 * @param name Of the implementation.
 * @param start Starts what it connects to.
 */
export function testBusLosingNats(name: string, start: StartWorld): void {
  testStates(name, start);
  testRecovery(name, start);
}

function testStates(name: string, start: StartWorld): void {
  Deno.test(`${name}: the states come in order, each once`, async () => {
    await using world = await start();
    const bus = await world.open();
    const states = record(bus);
    assert.equal(bus.state, "connected");
    for (let loss = 1; loss <= 2; loss++) {
      await world.kill();
      await untilState(bus, "disconnected");
      await world.restart();
      await untilState(bus, "connected");
      assert.equal(bus.reconnects, loss);
    }
    await bus[Symbol.asyncDispose]();
    const expected = ["disconnected", "connected", "disconnected", "connected", "closed"];
    assert.deepEqual(states, expected);
  });

  Deno.test(`${name}: onState() calls until it is ended`, async () => {
    await using world = await start();
    await using bus = await world.open();
    const states: BusState[] = [];
    const end = bus.onState((state) => states.push(state));
    const others = record(bus);
    await world.kill();
    await untilState(bus, "disconnected");
    end();
    end();
    await world.restart();
    await untilState(bus, "connected");
    assert.deepEqual([states, others], [["disconnected"], ["disconnected", "connected"]]);
  });

  Deno.test(`${name}: a listener that throws keeps no other from hearing, then or later`, async () => {
    await using world = await start();
    await using bus = await world.open();
    bus.onState((state) => {
      if (state !== "closed") throw new Error(`Cannot bear that it is ${state}`);
    });
    const states = record(bus);
    await world.kill();
    await untilState(bus, "disconnected");
    await world.restart();
    await untilState(bus, "connected");
    assert.deepEqual(states, ["disconnected", "connected"]);
  });

  Deno.test(`${name}: once disposed of it is closed, and takes nothing`, async () => {
    await using world = await start();
    const bus = await world.open();
    const states = record(bus);
    await bus[Symbol.asyncDispose]();
    await bus[Symbol.asyncDispose]();
    assert.deepEqual([bus.state, states], ["closed", ["closed"]]);
    assert.equal(bus.publish("a", new Uint8Array()), false);
  });
}

function testRecovery(name: string, start: StartWorld): void {
  Deno.test(`${name}: what publish() refused while disconnected is the caller's, and never sent`, async () => {
    await using world = await start();
    await using bus = await world.open();
    const received = await Received.on(bus, "a");
    await world.kill();
    await untilState(bus, "disconnected");
    for (let index = 0; index < 10; index++) assert.equal(publish(bus, "a", "refused"), false);
    await world.restart();
    await untilState(bus, "connected");
    assert.equal(publish(bus, "a", "taken"), true);
    await bus.flush();
    assert.deepEqual(received.texts, ["taken"]);
  });

  Deno.test(`${name}: subscriptions are live again as soon as it is connected`, async () => {
    await using world = await start();
    await using bus = await world.open();
    const plain = await Received.on(bus, "a.>");
    const queued = await Received.on(bus, "a.b", { queue: "group" });
    const endedBefore = await Received.on(bus, "a.b");
    const endedMeanwhile = await Received.on(bus, "a.b");
    endedBefore.unsubscribe();
    await world.kill();
    await untilState(bus, "disconnected");
    endedMeanwhile.unsubscribe();
    const openedMeanwhile = Received.later(bus, "a.b");
    const { promise: published, resolve } = Promise.withResolvers<void>();
    const end = bus.onState((state) => {
      if (state !== "connected") return;
      publish(bus, "a.b", "at once");
      resolve();
    });
    await world.restart();
    await within(published, "the reconnect");
    end();
    await bus.flush();
    for (const { texts } of [plain, queued, openedMeanwhile]) assert.deepEqual(texts, ["at once"]);
    for (const { texts } of [endedBefore, endedMeanwhile]) assert.deepEqual(texts, []);
  });

  Deno.test(`${name}: maxPayload is that of the server that came back`, async () => {
    await using world = await start({ maxPayload: 5000 });
    await using bus = await world.open();
    assert.equal(bus.maxPayload, 5000);
    await world.restart({ maxPayload: 3000 });
    await untilReconnected(bus);
    assert.equal(bus.maxPayload, 3000);
  });

  Deno.test(`${name}: flush() works again after the reconnect`, async () => {
    await using world = await start();
    await using bus = await world.open();
    const received = await Received.on(bus, "a");
    await world.restart();
    await untilReconnected(bus);
    for (let index = 0; index < 100; index++) publish(bus, "a", String(index));
    await bus.flush();
    assert.equal(received.all.length, 100);
  });
}

/** The loss itself may have been heard of already, or not yet. */
async function untilReconnected(bus: Bus): Promise<void> {
  if (bus.reconnects > 0) return;
  await untilState(bus, "disconnected");
  await untilState(bus, "connected");
}

/** Whoever listens must find the state that it is told of. */
function record(bus: Bus): string[] {
  const states: string[] = [];
  bus.onState((state) => states.push(bus.state === state ? state : `${state}, not ${bus.state}`));
  return states;
}

function publish(bus: Bus, subject: string, text: string): boolean {
  return bus.publish(subject, new TextEncoder().encode(text));
}
