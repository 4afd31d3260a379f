/**
 * More connections in the bucket: a gateway that dies with them, and one that starts beside them.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport";
import type { NatsConnection } from "@nats-io/nats-core";
import { toRecordKey } from "../../lib/mapping/connection_record.ts";
import { toHeartbeatSubject } from "../../lib/mapping/heartbeat.ts";
import type { Sample } from "../case.ts";
import { CpuMeter } from "../process.ts";
import type { Growth, GrowthWorld } from "./growth.ts";
import { Probe } from "./probe.ts";
import { startGateway } from "./requests.ts";

const BUCKET = "KV_h8s-connections";
const FAKE = "FAKE";
/** How many records are written before the first of them is waited for. */
const BATCH = 500;
/** An hour's worth of handshakes looks like this: what a browser sends. */
const LINES = [
  "Accept-Encoding: gzip, deflate, br",
  "Accept-Language: en-GB,en;q=0.9",
  "Cookie: session=0123456789abcdef; theme=dark",
  "Host: bench.example.com",
  "Origin: http://bench.example.com",
  "Sec-Websocket-Version: 13",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0",
  "X-H8s-PublishSubject: h8s.ws.ws.com.example.bench.socket",
  "X-H8s-Original-Query: ",
  `X-H8s-Gateway-Id: ${FAKE}`,
];
/** After how long a gateway that has just started looks for what nobody looks after. */
const LOOKS_AFTER_MS = 15_000;

/** A gateway that dies, in a word or without one: the word saves 15 s, the rest is the same. */
export const recordGrowths: readonly Growth[] = [{
  name: "lost",
  title: "WebSockets of a gateway that is gone, told as closed by one of two others",
  sizes: [1, 1000, 20_000, 50_000],
  measure: tellLost,
}];

/** A gateway that starts while others hold so many. */
export const bucketGrowth: Growth = {
  name: "bucket",
  title:
    "WebSockets of other gateways, in the bucket while one starts, until it has looked for orphans",
  sizes: [0, 50_000],
  maxRuns: 1,
  measure: startBeside,
};

async function tellLost(size: number, world: GrowthWorld): Promise<Sample> {
  await using first = await startGateway(world);
  await using second = await startGateway(world);
  await using nats = await Connected.to(world.nats.url);
  await nats.write(size);
  const told = new Set<string>();
  let events = 0;
  const all = Promise.withResolvers<void>();
  nats.connection.subscribe("h8s.control.ws.conn.closed", {
    callback: (_error, message) => {
      events++;
      told.add(message.headers?.get("X-H8s-Connection-Id") ?? "");
      if (told.size === size) all.resolve();
    },
  });
  nats.beat("alive");
  await nats.connection.flush();
  const quiet = await probe(first.port, () => pause(1000));
  const meters = {
    gateways: [new CpuMeter(first.pid), new CpuMeter(second.pid)],
    nats: new CpuMeter(world.nats.pid),
  };
  let millis = 0;
  const busy = await Promise.all([first, second].map(({ port }) =>
    probe(port, async () => {
      const begun = performance.now();
      if (port === first.port) nats.beat("gone");
      await all.promise;
      millis = performance.now() - begun;
      await nats.untilEmpty();
    })
  ));
  // The second in line looks half a second later.
  await pause(600);
  if (events !== size) throw new Error(`Cannot measure: ${events} events for ${size} connections`);
  const worst = busy.toSorted((a, b) => b.p99 - a.p99)[0]!;
  return {
    "all told after ms": millis,
    "gateways, cpu µs each": meters.gateways.reduce((sum, meter) => sum + meter.micros(), 0) / size,
    "nats-server, cpu µs each": meters.nats.micros() / size,
    "GET meanwhile, p50 ms": worst.p50,
    "GET meanwhile, p99 ms": worst.p99,
    "GET meanwhile, slowest ms": worst.max,
    "GET before, p99 ms": quiet.p99,
  };
}

async function startBeside(size: number, world: GrowthWorld): Promise<Sample> {
  await using first = await startGateway(world);
  await using nats = await Connected.to(world.nats.url);
  await nats.write(size);
  const beats = setInterval(() => nats.beat("alive"), 5000);
  try {
    const natsCpu = new CpuMeter(world.nats.pid);
    const begun = performance.now();
    await using target = await startGateway(world);
    const ready = performance.now() - begun;
    const cpu = new CpuMeter(target.pid);
    const { p50, p99, max } = await probe(
      target.port,
      () => pause(LOOKS_AFTER_MS + 3000),
    );
    return {
      "ready after ms": ready,
      "gateway, cpu ms": cpu.micros() / 1000,
      "nats-server, cpu ms": natsCpu.micros() / 1000,
      "GET meanwhile, p50 ms": p50,
      "GET meanwhile, p99 ms": p99,
      "GET meanwhile, slowest ms": max,
    };
  } finally {
    clearInterval(beats);
    await nats.purge();
    void first;
  }
}

async function probe(
  port: number,
  task: () => Promise<void>,
): Promise<{ p50: number; p99: number; max: number }> {
  const probe = new Probe({ port, pauseMs: 2 });
  await task();
  const taken = await probe.end();
  const at = (share: number) =>
    taken[Math.min(taken.length - 1, Math.floor(taken.length * share))]!;
  return { p50: at(0.5), p99: at(0.99), max: taken.at(-1)! };
}

/** The gateway that is none. */
class Connected implements AsyncDisposable {
  readonly connection: NatsConnection;

  private constructor(connection: NatsConnection) {
    this.connection = connection;
  }

  static async to(servers: string): Promise<Connected> {
    return new Connected(await connect({ servers }));
  }

  beat(event: "alive" | "gone"): void {
    this.connection.publish(toHeartbeatSubject({ gateway: FAKE, event }, "h8s"));
  }

  async write(size: number): Promise<void> {
    const client = jetstream(this.connection);
    for (let begin = 0; begin < size; begin += BATCH) {
      const count = Math.min(BATCH, size - begin);
      await Promise.all(Array.from({ length: count }, (_, index) => {
        const id = `${FAKE}-${begin + index}`;
        const record = {
          inbox: `_INBOX.h8s.${FAKE}.${begin + index}`,
          subject: "h8s.ws.ws.com.example.bench.socket",
          hostTokens: "com.example.bench",
          lines: [...LINES, `X-H8s-Connection-Id: ${id}`, ""].join("\r\n"),
        };
        const subject = `$KV.h8s-connections.${toRecordKey(FAKE, id)}`;
        return client.publish(subject, JSON.stringify(record));
      }));
    }
  }

  async untilEmpty(): Promise<void> {
    const manager = await jetstreamManager(this.connection);
    const isLeft = async () => {
      const { state } = await manager.streams.info(BUCKET, { subjects_filter: `$KV.*.${FAKE}.>` });
      return Object.keys(state.subjects ?? {}).length > 0;
    };
    while (await isLeft()) await pause(100);
  }

  async purge(): Promise<void> {
    const manager = await jetstreamManager(this.connection);
    await manager.streams.purge(BUCKET);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }
}
