/**
 * What every {@link Bus} over a real nats-server does, and what that needs: bytes as they are on the wire,
 * and a relay that holds them up.
 *
 * @module
 */
import assert from "node:assert/strict";
import { setImmediate } from "node:timers/promises";
import type { Bus, BusMessage } from "../../lib/nats/bus.ts";
import { startNats } from "../harness/nats_server.ts";
import { within } from "../harness/waiting.ts";
import { testBus, type WorldOptions } from "./bus_conformance.ts";
import { RawNats } from "./raw_nats.ts";
import { Relay } from "./relay.ts";
import { RestartableNats } from "./restartable_nats.ts";
import { Received } from "./waiting.ts";

/** Tab, and every byte that may stand in a header value; most of them are no UTF-8. */
const ALL_VALUE_BYTES = "\t" +
  Array.from({ length: 0x100 - 0x20 }, (_, index) => String.fromCharCode(0x20 + index)).join("");

/** Opens a bus, and waits until it is connected. */
export type OpenBus = (servers: string[]) => Promise<Bus & AsyncDisposable>;

/**
 * Registers the tests that every implementation of {@link Bus} must pass, with a real nats-server, and
 * those that need one.
 *
 * @param name Of the implementation.
 * @param open Opens one.
 */
export function testBusOverNats(name: string, open: OpenBus): void {
  testBus(name, async (options) => {
    const nats = await RestartableNats.start(toNatsOptions(options));
    return {
      open: () => open([nats.url]),
      kill: () => nats.kill(),
      restart: (options) => nats.restart(toNatsOptions(options)),
      [Symbol.asyncDispose]: () => nats[Symbol.asyncDispose](),
    };
  });
  testOnTheWire(name, open);
}

function toNatsOptions({ maxPayload }: WorldOptions = {}): { config?: string } {
  return maxPayload === undefined ? {} : { config: `max_payload: ${maxPayload}` };
}

function testOnTheWire(name: string, open: OpenBus): void {
  Deno.test(`${name}: header bytes are not touched, neither way`, async (t) => {
    await using nats = await startNats({ jetstream: false });
    await using bus = await open([nats.url]);
    using raw = await RawNats.connect(nats.port);
    await raw.subscribe("out");
    const received = await Received.on(bus, "in");
    const table: [title: string, block: string][] = [
      ["all bytes", `NATS/1.0\r\nX: ${ALL_VALUE_BYTES}\r\n\r\n`],
      ["UTF-8, as its bytes", "NATS/1.0\r\nX: caf\xc3\xa9 \xf0\x9f\x98\x80\r\n\r\n"],
      ["no UTF-8", "NATS/1.0\r\nX: \xff\xfe\x80\r\nY: \xe9\r\n\r\n"],
      ["odd spelling", "NATS/1.0\r\nx-lower:no space\r\nX-UPPER:  two \r\nA: 1\r\nA: 1\r\n\r\n"],
      ["a status", "NATS/1.0 100 Idle Heartbeat\r\n\r\n"],
    ];
    for (const [index, [title, block]] of table.entries()) {
      await t.step(`${title}, out`, async () => {
        assert.equal(bus.publish("out", toBytes("payload"), { headers: toBytes(block) }), true);
        const sizes = `${block.length} ${block.length + 7}`;
        const expected = `HMSG out 1 ${sizes}\r\n${block}payload\r\n`;
        assert.ok((await raw.read("payload\r\n")).endsWith(expected));
      });
      await t.step(`${title}, in`, async () => {
        await raw.publish("in", block, "payload");
        const message = (await received.until(index + 1))[index];
        assert.equal(message?.headers, block);
        assert.deepEqual(Uint8Array.from(message.data), toBytes("payload"));
      });
    }
  });

  Deno.test(`${name}: the memory of one message is not another's`, async () => {
    await using nats = await startNats({ jetstream: false });
    await using bus = await open([nats.url]);
    const received = await Received.on(bus, "in");
    for (const size of [1, 1000]) bus.publish("in", new Uint8Array(size));
    const [small, large] = await received.until(2);
    assert.notEqual(small!.data.buffer, large!.data.buffer);
  });

  Deno.test(`${name}: flush() rejects when the connection is lost meanwhile`, async () => {
    await using nats = await startNats({ jetstream: false });
    await using relay = new Relay(nats.port);
    await using bus = await open([relay.url]);
    relay.hold();
    bus.publish("a", toBytes("lost"));
    const flushing = assert.rejects(within(bus.flush(), "the flush"), (error) => {
      assert.ok(error instanceof Error);
      assert.doesNotMatch(error.message, /in vain/);
      return true;
    });
    await Promise.all([flushing, relay[Symbol.asyncDispose]()]);
  });

  Deno.test(`${name}: unsentBytes tells what a slow server has not read`, async () => {
    await using nats = await startNats({ jetstream: false });
    await using relay = new Relay(nats.port);
    await using bus = await open([relay.url]);
    assert.equal(bus.unsentBytes, 0);
    relay.stall();
    const chunk = new Uint8Array(500_000);
    const count = 64;
    for (let index = 0; index < count; index++) assert.equal(bus.publish("a", chunk), true);
    // The system's buffers on the way take some of it.
    await new Promise((resolve) => setTimeout(resolve));
    const { unsentBytes } = bus;
    const total = count * chunk.length;
    assert.ok(unsentBytes > total / 2 && unsentBytes < total * 1.01, `${unsentBytes} bytes`);
    relay.resume();
    await bus.flush();
    assert.equal(bus.unsentBytes, 0);
  });

  Deno.test(`${name}: what is written may be overwritten, however slow the server is`, async () => {
    await using nats = await startNats({ jetstream: false });
    await using relay = new Relay(nats.port);
    await using bus = await open([relay.url]);
    const received = await Received.on(bus, "a");
    const count = 32;
    let written = 0;
    const onWritten = () => ++written;
    bus.publish("a", new Uint8Array(100), { onWritten });
    await received.until(1);
    const isTold = written === 1;
    relay.stall();
    for (let index = 1; index < count; index++) {
      const chunk = new Uint8Array(500_000).fill(index);
      bus.publish("a", chunk, {
        onWritten() {
          written++;
          chunk.fill(0xff);
        },
      });
    }
    await setImmediate();
    assert.ok(written < count, `${written} of ${count}, which nobody has read`);
    relay.resume();
    const messages = await received.until(count);
    const isWhole = ({ data }: BusMessage, index: number) => data.every((byte) => byte === index);
    assert.ok(messages.every(isWhole));
    await bus.flush();
    assert.equal(written, isTold ? count : 0);
  });
}

function toBytes(latin1: string): Uint8Array {
  return Uint8Array.from(latin1, (character) => character.charCodeAt(0));
}
