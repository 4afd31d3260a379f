/**
 * The real gateway with everything that can break between it and a client.
 *
 * @module
 */
import { jetstream, type JetStreamClient, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport";
import { GatewayProcess } from "../../harness/gateway.ts";
import { listen } from "../../harness/setup.ts";
import { Relay } from "../../nats/relay.ts";
import { until } from "../../harness/waiting.ts";
import { RestartableNats } from "../../nats/restartable_nats.ts";

/** Which of the gateway's protocols can be had. */
export interface Spoken {
  readonly ack: boolean;
  readonly resume: boolean;
}

/** 3 kB a second, and hardly a frame whole. */
const TRICKLE = { bytes: 15, everyMs: 5 };

type Heard = Awaited<ReturnType<typeof listen>>;

/** nats-server, a gateway, a relay in front of it, and a workload. */
export class World implements AsyncDisposable {
  readonly #stack: AsyncDisposableStack;
  readonly #nats: RestartableNats;
  readonly #storeDir: string;
  readonly #flags: readonly string[];
  readonly #nc: NatsConnection;
  readonly #js: JetStreamClient;
  readonly #opened: Heard;
  readonly #resumed: Heard;
  readonly #reports: Deno.HttpServer<Deno.NetAddr>;
  readonly relay: Relay;
  #gateway: GatewayProcess;
  #told = 0;
  #heard = 0;
  #inbox = "";

  private constructor(
    stack: AsyncDisposableStack,
    parts: {
      nats: RestartableNats;
      storeDir: string;
      flags: readonly string[];
      nc: NatsConnection;
      opened: Heard;
      resumed: Heard;
      gateway: GatewayProcess;
      relay: Relay;
    },
  ) {
    this.#stack = stack;
    this.#nats = parts.nats;
    this.#storeDir = parts.storeDir;
    this.#flags = parts.flags;
    this.#nc = parts.nc;
    this.#js = jetstream(parts.nc);
    this.#opened = parts.opened;
    this.#resumed = parts.resumed;
    this.#reports = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen: () => {} },
      async (request) => {
        this.#heard = Number(await request.text());
        return new Response(null, { headers: { "access-control-allow-origin": "*" } });
      },
    );
    this.#gateway = parts.gateway;
    this.relay = parts.relay;
  }

  /**
   * Starts it.
   *
   * @param config More for the gateway, as YAML.
   */
  static async start({ ack, resume }: Spoken, config = ""): Promise<World> {
    await using stack = new AsyncDisposableStack();
    const storeDir = stack.adopt(
      await Deno.makeTempDir({ prefix: "h8s-client-" }),
      (path) => Deno.remove(path, { recursive: true }),
    );
    const nats = stack.use(await RestartableNats.start({ jetstream: true, storeDir }));
    const options = { servers: nats.url, maxReconnectAttempts: -1, reconnectTimeWait: 50 };
    const nc = stack.adopt(await connect(options), (nc) => nc.close());
    const opened = await listen(nc, "h8s.control.ws.conn.established");
    const resumed = await listen(nc, "h8s.control.ws.conn.resumed");
    const flags = [
      ...["--nats-url", nats.url],
      // A page comes from a server of its own.
      ...["--allowed-origins", "*"],
      ...(ack ? ["--persist", "said"] : []),
      ...(resume ? ["--resume", "60s"] : []),
    ];
    const gateway = await startGateway(flags, { port: 0, config });
    const relay = stack.use(new Relay(gateway.port));
    const parts = { nats, storeDir, flags, nc, opened, resumed, gateway, relay };
    return new World(stack.move(), parts);
  }

  /** Where the client connects to. */
  get url(): string {
    return `${this.relay.url.replace("nats:", "ws:")}/travel`;
  }

  /** Waits for a connection that workloads are told of. */
  async connected(): Promise<void> {
    this.#inbox = (await this.#opened.next()).reply!;
  }

  /** How often workloads were told of one. */
  get connections(): number {
    return this.#opened.all.length;
  }

  /** How often workloads were told that another gateway holds it now. */
  get resumptions(): number {
    return this.#resumed.all.length;
  }

  /** Where the client says how many texts it has heard. */
  get report(): string {
    return `http://127.0.0.1:${this.#reports.addr.port}/`;
  }

  /** Waits until the client has heard so many texts. */
  async heard(count: number): Promise<void> {
    await until(() => this.#heard >= count, `${count} are heard, not ${this.#heard}`);
  }

  /** Tells the client so many texts more. */
  async tell(count: number): Promise<void> {
    for (let index = 0; index < count; index++) {
      this.#nc.publish(this.#inbox, `told ${this.#told++}`);
    }
    await this.#nc.flush();
  }

  /** Tells the client that it is over. */
  async end(): Promise<void> {
    this.#nc.publish(this.#inbox, "end");
    await this.#nc.flush();
  }

  /** All that was told. */
  get told(): string[] {
    return Array.from({ length: this.#told }, (_, index) => `told ${index}`);
  }

  /** From now on what comes to the client trickles, split anywhere, until {@link World.hurry}. */
  trickle(): void {
    this.relay.chop(TRICKLE.bytes, TRICKLE.everyMs);
  }

  /** Ends {@link World.trickle}. */
  hurry(): void {
    this.relay.chop(65_536);
  }

  /** Cuts the connection. */
  async cut(): Promise<void> {
    await this.#again(() => this.relay.cut());
  }

  /** Kills the gateway and starts another one in its place. */
  async replaceGateway(): Promise<void> {
    const { port } = this.#gateway;
    await this.#gateway[Symbol.asyncDispose]();
    this.#gateway = await startGateway(this.#flags, { port });
  }

  /** Kills nats-server and starts it again on its store. */
  async restartNats(): Promise<void> {
    const reconnects = () => this.#gateway.metric("h8s_nats_reconnects_total");
    const before = await reconnects();
    await this.#nats.restart({ jetstream: true, storeDir: this.#storeDir });
    await this.#reconnected();
    // It may still look ready where it has not noticed the loss yet.
    await until(async () => await reconnects() > before, "the gateway reconnects");
    await this.#gateway.ready();
  }

  /** Lets nothing through, without a word, until the client has found out and tries again. */
  async stall(): Promise<void> {
    await this.#again(() => this.relay.stall());
    this.relay.cut();
  }

  /** What the stream has, in order. */
  async stored(): Promise<string[]> {
    const { state } = await (await jetstreamManager(this.#nc)).streams.info("said");
    const texts: string[] = [];
    const stream = await this.#js.streams.get("said");
    for (let seq = state.first_seq; seq <= state.last_seq; seq++) {
      texts.push((await stream.getMessage({ seq }))!.string());
    }
    return texts;
  }

  async #again(happen: () => void): Promise<void> {
    const before = this.relay.accepted;
    happen();
    await until(() => this.relay.accepted > before, "the client connects again");
  }

  /** What asks a connection that was lost meanwhile is refused. */
  async #reconnected(): Promise<void> {
    await until(() => this.#nc.flush().then(() => true, () => false), "the workload is back");
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#reports.shutdown();
    await this.relay[Symbol.asyncDispose]();
    await this.#gateway[Symbol.asyncDispose]();
    await this.#stack.disposeAsync();
  }
}

async function startGateway(
  flags: readonly string[],
  { port, config = "" }: { port: number; config?: string },
): Promise<GatewayProcess> {
  const gateway = config === ""
    ? await GatewayProcess.start(flags, { port })
    : await GatewayProcess.start([...flags, "--config", "-"], { port, stdin: config });
  await gateway.ready();
  return gateway;
}
