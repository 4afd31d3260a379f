/**
 * The reverse daemon: what a gateway publishes for a host goes to a local HTTP and WebSocket server.
 *
 * @module
 */
import { nuid } from "@nats-io/nats-core";
import type { ReverseOptions } from "../config/options.ts";
import { listDifferences } from "../config/differences.ts";
import { type ReverseConfig, reverseSchema } from "../config/schema.ts";
import { SILENCE_MS } from "../mapping/heartbeat.ts";
import type { Interest } from "../mapping/interest.ts";
import { systemClock } from "../time/clock.ts";
import { GatewayWatch } from "../nats/gateway_watch.ts";
import { Reach } from "../nats/client/reach.ts";
import { Announcer } from "../workload/announcer.ts";
import { Session } from "../nats/client/session.ts";
import { prepareReverse } from "../prepare.ts";
import { createLog, type Log } from "../telemetry/log.ts";
import { startConsumerTracing } from "../tracing/tracing.ts";
import { Link } from "../workload/link.ts";
import { serve } from "../workload/mod.ts";
import { createHttpProxy } from "./http_proxy.ts";
import { loadLibraries } from "./libraries.ts";
import { Outage } from "./outage.ts";
import { SocketProxy } from "./socket_proxy.ts";

/** What a reply's header block has besides the backend's own lines, in bytes. */
const HEADERS_ROOM = 1024;

/** A running reverse daemon. */
export class ReverseDaemon implements AsyncDisposable {
  readonly #log: Log;
  readonly #session: Session;
  readonly #serving: Promise<AsyncDisposableStack>;
  readonly #tracing: AsyncDisposable | undefined;
  #stopped: Promise<void> | undefined;

  /** One token that no other replica has. */
  readonly id: string = nuid.next();

  /**
   * Begins to connect, and serves as soon as NATS is there.
   *
   * @param options Which hosts, and where their requests go.
   * @throws {ConfigError} when an option cannot be used.
   */
  constructor(options: ReverseOptions) {
    const { config, login } = prepareReverse(options);
    const log = this.#log = createLog({ level: config.logLevel, format: config.logFormat });
    log.info("options besides the defaults", listDifferences(reverseSchema, options));
    this.#tracing = startConsumerTracing(config, { instance: this.id, log });
    const connected = Promise.withResolvers<void>();
    const reach = new Reach(log, config.natsUrl);
    this.#session = new Session({
      login,
      name: `h8s-reverse-${this.id}`,
      inboxPrefix: "_INBOX.h8s-workload",
      onRetry: (error, attempt) => reach.failed(error, attempt),
      onError: (error) => {
        if (!reach.note(error)) log.error("nats", { error: error.message });
      },
    });
    this.#session.onState((state) => {
      log.info(`nats ${state}`, { server: this.#session.connection?.getServer() });
      if (state === "connected") reach.connected();
      connected.resolve();
    });
    this.#serving = connected.promise.then(() => this.#serve(config));
    this.#serving.then(
      () =>
        log.info("serving", {
          hosts: config.hostname.join(","),
          backend: config.backendUrl.origin,
        }),
      (error) => log.error("cannot serve", { error: String(error) }),
    );
  }

  /** Stops in order: takes no new work, finishes what runs, tells its WebSocket clients to come back. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** The same as {@link ReverseDaemon.stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #serve(config: ReverseConfig): Promise<AsyncDisposableStack> {
    const stack = new AsyncDisposableStack();
    const nc = this.#session.connection;
    if (nc === undefined) return stack;
    const { prefix, hostname, backendUrl, backendCa: ca, queueGroup } = config;
    const { undici, ws } = await loadLibraries();
    const onError = (error: unknown, stage: string) =>
      this.#log.warn(stage, { error: String(error) });
    const outage = new Outage(this.#log, { backend: backendUrl.origin });
    const link = stack.use(new Link(nc, (error) => onError(error, "nats")));
    const proxy = createHttpProxy(undici, {
      backendUrl,
      ca,
      maxHeaderBytes: link.maxPayload - HEADERS_ROOM,
      onError: (error) => outage.failed(error),
      onAnswer: () => outage.answered(),
    });
    stack.defer(() => proxy.close());
    const service = stack.use(
      serve(nc, { host: hostname, queue: queueGroup, prefix, onError }, proxy.handle),
    );
    for (const host of hostname) {
      stack.use(
        new SocketProxy({
          ...{ link, ws, prefix, hostname: host, group: queueGroup, replica: this.id },
          backend: { url: backendUrl, ca },
          onError: (error) => outage.failed(error),
          onAnswer: () => outage.answered(),
          onNatsError: (error) => onError(error, "nats"),
        }),
      );
    }
    stack.use(this.#announce(link, config));
    await service.ready;
    return stack;
  }

  /** The backend decides about handshakes, so the gateways have to know whom to ask. */
  #announce(link: Link, { prefix, hostname }: ReverseConfig): Disposable {
    const clock = systemClock();
    const interests = hostname.map((host): Interest => ({
      ...{ host, path: "/", method: "ws", match: "prefix", handshake: true },
    }));
    const announcer = new Announcer(link, { prefix, clock, interests });
    const gateways = new GatewayWatch(link, {
      ...{ prefix, clock, silenceMs: SILENCE_MS },
      onAlive: (gateway) => announcer.heard(gateway),
      onLost: (gateway) => announcer.lost(gateway),
    });
    return {
      [Symbol.dispose]() {
        gateways[Symbol.dispose]();
        announcer[Symbol.dispose]();
        announcer.unregister();
      },
    };
  }

  async #stop(): Promise<void> {
    this.#log.info("draining");
    if (this.#session.state !== "connecting") await (await this.#serving).disposeAsync();
    await this.#session.flush().catch(() => {});
    await this.#session[Symbol.asyncDispose]();
    await this.#tracing?.[Symbol.asyncDispose]();
    this.#log.info("stopped");
  }
}
