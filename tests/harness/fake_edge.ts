/**
 * The parts of an edge without a server: its bus, its bucket and its time do what a test says.
 *
 * @module
 */
import { setImmediate } from "node:timers";
import type { GatewayOptions } from "../../lib/config/options.ts";
import { parseConfig } from "../../lib/config/schema.ts";
import { Strays } from "../../lib/edge/strays.ts";
import type { EdgeParts } from "../../lib/edge/parts.ts";
import { Outbox } from "../../lib/nats/outbox.ts";
import { createOnFault } from "../../lib/telemetry/faults.ts";
import type { LogFields } from "../../lib/telemetry/log.ts";
import { Metrics } from "../../lib/telemetry/metrics.ts";
import { guarded } from "../../lib/time/clock.ts";
import { FakeBus } from "../nats/fake_bus.ts";
import { FakeClock } from "./fake_clock.ts";
import { type Bucket, FakeRecords } from "./fake_records.ts";

/** One gateway. */
export class FakeEdge implements Disposable {
  readonly bus = new FakeBus();
  readonly clock = new FakeClock();
  readonly records: FakeRecords;
  /** What was logged, e.g. `warn it failed`. */
  readonly lines: string[] = [];
  /** What arrived at the one hook, e.g. `timer Error: odd`. */
  readonly faults: string[] = [];
  readonly parts: EdgeParts;
  readonly #outbox = new Outbox(this.bus);

  /**
   * @param options Its token, the bucket that it shares with others, and what its configuration says.
   */
  constructor({ id = "G1", bucket, config = {} }: {
    id?: string;
    bucket?: Bucket;
    config?: GatewayOptions;
  } = {}) {
    const { bus } = this;
    this.records = new FakeRecords(bucket);
    const metrics = new Metrics({ reconnects: () => 0, connected: () => true });
    const line = (level: string) => (message: string, fields?: LogFields) => {
      this.lines.push(`${level} ${message}`);
      if (level === "error") this.faults.push(`${fields?.stage} ${fields?.error}`);
    };
    const log = {
      ...{ debug: line("debug"), info: line("info"), warn: line("warn"), error: line("error") },
    };
    const onFault = createOnFault({ log, metrics });
    const parsed = parseConfig(config);
    const parts: Partial<EdgeParts> = {
      ...{ bus, log, metrics, onFault, records: this.records, outbox: this.#outbox },
      config: () => parsed,
      gatewayId: id,
      clock: guarded(this.clock, (error) => onFault("timer", error)),
      strays: new Strays({ bus, metrics, log }),
      events: undefined,
    };
    this.parts = parts as EdgeParts;
  }

  /** The events that were told, e.g. `closed 1006 gateway lost`. */
  get told(): string[] {
    return this.bus.published.flatMap(({ subject, options: { headers } }) => {
      const type = /\.control\.ws\.conn\.(established|resumed|closed)$/.exec(subject)?.[1];
      if (type === undefined) return [];
      const end = /^X-H8s-Close-Code: (.*)\r\nX-H8s-Close-Reason: (.*)\r$/m.exec(String(headers));
      return [end === null ? type : `${type} ${end[1]} ${end[2]}`.trim()];
    });
  }

  /** Lets time pass, and what follows from it happen. */
  async pass(ms: number): Promise<void> {
    this.clock.advance(ms);
    await turn();
  }

  /** Lets it pass until something is so. */
  async passUntil(isSo: () => boolean, stepMs: number): Promise<void> {
    for (let steps = 0; !isSo(); steps++) {
      if (steps > 1000) throw new Error(`Waited ${steps * stepMs} ms in vain for ${isSo}`);
      await this.pass(stepMs);
    }
  }

  [Symbol.dispose](): void {
    this.#outbox[Symbol.dispose]();
  }
}

/** Lets happen whatever waits for nothing but its turn. */
export function turn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setImmediate(resolve);
  return promise;
}
