/**
 * A nats-server, two gateways and a workload, each a process that can be killed, stopped and started.
 *
 * @module
 */
import { connect } from "@nats-io/transport";
import type { NatsConnection } from "@nats-io/nats-core";
import { GatewayProcess } from "../harness/gateway.ts";
import { RestartableNats } from "../nats/restartable_nats.ts";
import { KEPT, recordEvents } from "./events.ts";
import { STREAM } from "./kept.ts";
import type { Report } from "./workload.ts";
import { WorkloadProcess } from "./workload_process.ts";

/** Short enough for a test to see what a timeout does. */
const GATEWAY_FLAGS = [
  ...["--request-timeout", "4s", "--drain-timeout", "5s"],
  ...["--events", KEPT],
  ...["--body-timeout", "2s", "--send-timeout", "2s", "--ws-send-timeout", "2s"],
];
const NATS_CONFIG = "max_payload: 1048576";

/** How to build it. */
export interface WorldOptions {
  /** Keep what sockets say in a stream on disk. */
  readonly isPersisted?: boolean;
}

/** All of it, ended together. */
export class World implements AsyncDisposable {
  readonly nats: RestartableNats;
  /** For looking on: it reconnects by itself. */
  readonly nc: NatsConnection;
  readonly gateways: GatewayProcess[] = [];
  /** Those that have ended, too. */
  readonly allGateways: GatewayProcess[] = [];
  /** What all workloads said, in order. */
  readonly reports: Report[] = [];
  #workload: WorkloadProcess | undefined;
  /** Whether what sockets say is kept in a stream. */
  readonly isPersisted: boolean;
  readonly #flags: readonly string[];
  readonly #storeDir: string;

  private constructor(
    parts: {
      nats: RestartableNats;
      nc: NatsConnection;
      storeDir: string;
      flags: readonly string[];
      isPersisted: boolean;
    },
  ) {
    this.nats = parts.nats;
    this.nc = parts.nc;
    this.#storeDir = parts.storeDir;
    this.#flags = parts.flags;
    this.isPersisted = parts.isPersisted;
  }

  /**
   * Starts it.
   *
   * @param options How to build it.
   * @returns The running world.
   */
  static async start({ isPersisted = false }: WorldOptions = {}): Promise<World> {
    const storeDir = await Deno.makeTempDir({ prefix: "h8s-faults-" });
    const nats = await RestartableNats.start({ jetstream: true, storeDir, config: NATS_CONFIG });
    const nc = await connect({
      servers: nats.url,
      maxReconnectAttempts: -1,
      reconnectTimeWait: 50,
      ignoreClusterUpdates: true,
    });
    await recordEvents(nc);
    const persist = isPersisted ? ["--persist", STREAM] : [];
    const flags = ["--nats-url", nats.url, ...GATEWAY_FLAGS, ...persist];
    const world = new World({ nats, nc, storeDir, flags, isPersisted });
    for (let index = 0; index < 2; index++) await world.startGateway(index);
    await world.startWorkload();
    return world;
  }

  /** `host:port` of one of the gateways, for a client that does not care which. */
  addressFor(client: number): string {
    return `127.0.0.1:${this.gateways[client % this.gateways.length]!.port}`;
  }

  /** Starts nats-server again, on its port and on its store, with the usual limits unless others are given. */
  async restartNats(config = NATS_CONFIG): Promise<void> {
    await this.nats.restart({ jetstream: true, storeDir: this.#storeDir, config });
  }

  /** Puts a new gateway into a place whose gateway has ended. */
  async startGateway(index: number): Promise<void> {
    const gateway = await GatewayProcess.start(this.#flags);
    this.gateways[index] = gateway;
    this.allGateways.push(gateway);
    if (this.isPersisted) await gateway.logged("stream ready");
  }

  /** Ends a gateway without a word to anybody. */
  async killGateway(index: number): Promise<void> {
    await this.gateways[index]![Symbol.asyncDispose]();
  }

  /** Starts the workload. */
  async startWorkload(): Promise<void> {
    this.#workload = await WorkloadProcess.start(
      this.nats.url,
      (report) => this.reports.push(report),
    );
  }

  /** Ends the workload without a word to anybody. */
  async killWorkload(): Promise<void> {
    await this.#workload?.[Symbol.asyncDispose]();
    this.#workload = undefined;
  }

  /** The processes that run, by name. */
  get processes(): Record<string, number> {
    return {
      ...(this.nats.isRunning ? { "nats-server": this.nats.pid } : {}),
      ...Object.fromEntries(this.gateways.map(({ pid }, index) => [`gateway ${index}`, pid])),
      ...(this.#workload === undefined ? {} : { workload: this.#workload.pid }),
    };
  }

  /** Ends everything. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.nc.close();
    await this.killWorkload();
    for (const gateway of this.gateways) await gateway[Symbol.asyncDispose]();
    await this.nats[Symbol.asyncDispose]();
    await Deno.remove(this.#storeDir, { recursive: true });
  }
}
