/**
 * What is read when somebody asks: the version, the process, and how much waits.
 *
 * @module
 */
import { cpuUsage, memoryUsage } from "node:process";
import { Counter, Gauge, type Registry } from "prom-client";

/** What there is to read. */
export interface Levels {
  readonly version: string;
  readonly outbox: { readonly size: number };
  readonly session: {
    readonly unsentBytes: number;
    /** Undefined where NATS is away, or does not answer. */
    roundTripMs(): Promise<number | undefined>;
  };
  readonly budget: { readonly held: number };
  readonly sending: { readonly total: number };
  readonly bursts: { readonly held: number };
}

/** Registers them. */
export function registerLevels(
  registry: Registry,
  { version, outbox, session, budget, sending, bursts }: Levels,
): void {
  const registers = [registry];
  new Gauge({
    name: "h8s_build_info",
    help: "Always 1; which version runs",
    labelNames: ["version"],
    registers,
  }).set({ version }, 1);
  new Gauge({
    name: "process_start_time_seconds",
    help: "When the process began, in seconds since 1970",
    registers,
  }).set(performance.timeOrigin / 1000);
  new Counter({
    name: "process_cpu_seconds_total",
    help: "Time on the processor, of all threads",
    registers,
    collect() {
      const { user, system } = cpuUsage();
      this.reset();
      this.inc((user + system) / 1e6);
    },
  });
  new Counter({
    name: "h8s_http_requests_held_total",
    help: "Requests that waited since much of other replies was, or might have been, under way",
    registers,
    collect() {
      this.reset();
      this.inc(bursts.held);
    },
  });
  new Gauge({
    name: "h8s_nats_round_trip_seconds",
    help:
      "From here to nats-server and back, asked when it is read; missing where it does not answer",
    labelNames: [],
    registers,
    async collect() {
      const ms = await session.roundTripMs();
      if (ms === undefined) this.remove();
      else this.set(ms / 1000);
    },
  });
  const table: [name: string, help: string, read: () => number][] = [
    ["process_resident_memory_bytes", "Memory of the process", () => memoryUsage().rss],
    ["h8s_heap_used_bytes", "Memory of its JavaScript objects", () => memoryUsage().heapUsed],
    ["h8s_outbox_messages", "Messages and events that wait for NATS", () => outbox.size],
    ["h8s_nats_unsent_bytes", "Bytes that NATS has not taken", () => session.unsentBytes],
    ["h8s_send_budget_bytes", "Bytes that wait for HTTP clients", () => sending.total],
    [
      "h8s_receive_budget_bytes",
      "Bytes that WebSocket clients said and that wait here",
      () => budget.held,
    ],
  ];
  for (const [name, help, read] of table) {
    new Gauge({
      ...{ name, help, registers },
      collect() {
        this.set(read());
      },
    });
  }
}
