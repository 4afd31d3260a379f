/**
 * The wiring: builds the parts, starts them in order, stops them in reverse order.
 *
 * @module
 */
import { nuid } from "@nats-io/nats-core";
import { Admin } from "./admin/admin.ts";
import type { GatewayOptions } from "./config/options.ts";
import { type ConfigChange, LiveConfig } from "./config/live.ts";
import { type Address, renderAddress } from "./config/units.ts";
import { type Bounds, createBounds } from "./edge/limits/bounds.ts";
import { checkDescriptors, createOnStopped } from "./edge/limits/descriptors.ts";
import { Edge } from "./edge/handler.ts";
import { Listener, ListenError } from "./edge/listener.ts";
import { Strays } from "./edge/strays.ts";
import { RequestIds } from "./edge/request_ids.ts";
import { ControlLine } from "./nats/client/control_line.ts";
import { Fanout } from "./nats/fanout.ts";
import { Inbox } from "./nats/inbox.ts";
import { Interests } from "./nats/interest.ts";
import { Outbox } from "./nats/outbox.ts";
import { openRecords } from "./nats/jetstream/records.ts";
import { Streams } from "./nats/jetstream/streams.ts";
import { Reach, toServer } from "./nats/client/reach.ts";
import { ServerLacks } from "./nats/client/lacks.ts";
import { MissingRights } from "./nats/client/rights.ts";
import { Session } from "./nats/client/session.ts";
import { Taps } from "./nats/taps.ts";
import { guarded, systemClock } from "./time/clock.ts";
import { ERROR_CODES } from "./errors.ts";
import { VERSION } from "./version.ts";
import { pause, settlesWithin } from "./time/within.ts";
import { prepareGateway } from "./prepare.ts";
import { openAccessLog } from "./telemetry/access_log.ts";
import { createOnFault, type OnFault } from "./telemetry/faults.ts";
import { createHealthHandler } from "./telemetry/health.ts";
import { createLog, type Log } from "./telemetry/log.ts";
import { Metrics } from "./telemetry/metrics.ts";
import { Observers } from "./telemetry/observation.ts";
import { startTracing } from "./tracing/tracing.ts";

export { ListenError };

/** How long aborted responses may take to reach their clients. One that reads nothing is not waited for. */
const ABORT_TIMEOUT_MS = 500;
/** How long the last messages may take to reach NATS when stopping. */
const FLUSH_TIMEOUT_MS = 2000;

/**
 * A running gateway.
 *
 * @example Start one in a program
 * ```ts ignore
 * import { startGateway } from "@h8s/gateway";
 *
 * await using gateway = startGateway({ listen: "127.0.0.1:8080" });
 * await gateway.connected;
 * ```
 */
export class Gateway implements AsyncDisposable {
  readonly #live: LiveConfig;
  readonly #log: Log;
  readonly #session: Session;
  readonly #reach: Reach;
  readonly #rights: MissingRights;
  readonly #lacks: ServerLacks;
  readonly #inbox: Inbox;
  readonly #outbox: Outbox;
  readonly #streams: Streams;
  /** What hears workloads, and who watches. */
  readonly #ears: readonly Disposable[];
  readonly #bounds: Bounds;
  readonly #edge: Edge;
  readonly #onFault: OnFault;
  readonly #server: Listener;
  readonly #admin: Listener | undefined;
  readonly #reports: readonly (AsyncDisposable | undefined)[];
  readonly #page: Admin | undefined;
  readonly #connected = Promise.withResolvers<void>();
  /** As long as those who come first wait for NATS. */
  #starting: Promise<unknown> | undefined;
  #stopped: Promise<void> | undefined;

  /** One token that no other gateway has; in the subjects of its inboxes. */
  readonly id: string = nuid.next();

  /**
   * Starts to connect and to listen.
   *
   * @param options What differs from the defaults.
   * @throws {ConfigError} when an option cannot be used.
   * @throws {ListenError} when an address cannot be listened on.
   */
  constructor(options: GatewayOptions = {}) {
    const { config, login, fileKeys, certificate } = prepareGateway(options);
    const live = this.#live = new LiveConfig(options);
    const current = () => live.current;
    const log = this.#log = createLog({ level: config.logLevel, format: config.logFormat });
    const { differences } = live;
    if (Object.keys(differences).length > 0) log.info("options besides the defaults", differences);
    const reach = this.#reach = new Reach(log, config.natsUrl);
    const session = this.#session = new Session({
      login,
      name: `h8s-${this.id}`,
      fastLane: config.fastLane,
      onMove: (server) => log.info("nats moved", { server }),
      onRetry: (error, attempt) => reach.failed(error, attempt),
      onError: (error) => {
        if ([reach, this.#rights, this.#lacks].some((one) => one.note(error))) return;
        log.error("nats", { error: error.message });
      },
      onFault: (stage, error) => this.#onFault(stage, error),
    });
    const controlLine = new ControlLine((bytes) => session.takesLine(bytes));
    const { prefix } = config;
    this.#rights = new MissingRights({ session, prefix, log });
    this.#lacks = new ServerLacks({ session, log });
    const metrics = new Metrics({
      reconnects: () => session.reconnects,
      connected: () => session.state === "connected",
    });
    const onFault = this.#onFault = createOnFault({ log, metrics });
    const strays = new Strays({ bus: session, metrics, log });
    const clock = guarded(systemClock(), (error) => onFault("timer", error));
    checkDescriptors(config.maxConnections, log);
    const observers = new Observers(onFault);
    this.#reports = [
      startTracing(config, { observers, metrics, instance: this.id, log }),
      openAccessLog(config, { observers, log, write: (bytes) => Deno.stdout.write(bytes) }),
    ];
    const bounds = this.#bounds = createBounds(session, { config: current, clock, onFault });
    this.#inbox = new Inbox(session, this.id, { watcher: strays, onFault });
    const onLost = (e: unknown) => log.error("an event cannot be published", { error: String(e) });
    const outbox = this.#outbox = new Outbox(session, onLost);
    metrics.watch({ version: VERSION, codes: ERROR_CODES, outbox, session, ...bounds });
    const streams = this.#streams = new Streams(config, {
      ...{ session, clock, inbox: this.#inbox, metrics, log },
      graceMs: () => live.current.natsGrace,
    });
    const onError = (error: unknown) =>
      log.warn("an interest cannot be read", { error: String(error) });
    const interests = new Interests(session, { prefix, clock, onError });
    this.#ears = [interests, new Taps(session, { prefix, gatewayId: this.id, clock })];
    this.#edge = new Edge({
      config: current,
      fileKeys,
      gatewayId: this.id,
      bus: session,
      clock,
      controlLine,
      inbox: this.#inbox,
      fanout: new Fanout(session),
      interests,
      outbox,
      events: streams.events,
      records: openRecords(config, { session, inbox: this.#inbox }),
      resume: streams.resume,
      persist: streams.persistence?.persist,
      keys: streams.persistence?.keys,
      ...bounds,
      onFault,
      ids: new RequestIds(),
      strays,
      metrics,
      observers,
      log,
    });
    // Whoever does not wait for it need not hear that it failed.
    this.#connected.promise.catch(() => {});
    session.onState((state) => {
      log.info(`nats ${state}`, state === "connected" ? toServer(session.connection) : {});
      if (state !== "connected") return;
      reach.connected();
      controlLine.forget();
      this.#connected.resolve(streams.ready);
    });
    const health = createHealthHandler({ metrics, notReady: () => this.#notReady() });
    const common = { onFault, onStopped: createOnStopped({ log, metrics }) };
    this.#page = config.admin && new Admin({
      ...{ gatewayId: this.id, version: VERSION, config: current, health, metrics },
      ...{ observers, bus: session, interests, clock, log, notReady: () => this.#notReady() },
    });
    try {
      this.#admin = this.#page &&
        new Listener(config.admin!, { ...common, flag: "--admin", handler: this.#page.handler });
      this.#server = new Listener(config.listen, {
        ...common,
        flag: "--listen",
        sharePort: config.sharePort,
        certificate,
        handler: (request, info) =>
          this.#starting?.then(() => this.#edge.fetch(request, info)) ??
            this.#edge.fetch(request, info),
      });
    } catch (error) {
      this.#release().catch(() => {});
      throw error;
    }
    if (config.startGrace > 0) {
      this.#starting = settlesWithin(this.connected, config.startGrace)
        .then(() => this.#starting = undefined);
    }
    log.info("listening", {
      address: renderAddress(this.address),
      admin: this.adminAddress && renderAddress(this.adminAddress),
      gateway: this.id,
    });
  }

  /** Where clients come in; its port is the real one where 0 was asked for. */
  get address(): Address {
    return this.#server.address;
  }

  /** Where health and metrics are served, if they are. */
  get adminAddress(): Address | undefined {
    return this.#admin?.address;
  }

  /**
   * Resolves once NATS is connected for the first time and has what is needed; rejects with a
   * {@link StreamError} when the stream cannot be used, or when the gateway is stopped before.
   */
  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  /**
   * Takes a new version of the configuration, whole or not at all; no connection is dropped.
   *
   * @param options Instead of what was said before.
   * @returns What changed, and what takes effect at the next start only.
   * @throws {ConfigError} when an option cannot be used; then nothing has changed.
   */
  reconfigure(options: GatewayOptions): ConfigChange {
    const change = this.#live.replace(options);
    const [applied, postponed] = [change.applied, change.postponed].map((names) => names.join(","));
    this.#log.info("configuration changed", { options: applied || "none" });
    if (postponed) this.#log.warn("takes effect at the next start", { options: postponed });
    return change;
  }

  /**
   * Stops in order: refuses new requests (503), lets those in flight end, closes the WebSockets with
   * 1001 and tells their end, then closes the port and leaves NATS. Calling it again waits for the same end.
   */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** The same as {@link Gateway.stop}. */
  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    const { drainTimeout, drainDelay } = this.#live.current;
    this.#log.info("draining");
    const delay = pause(drainDelay);
    const drained = this.#edge.drain();
    if (!await settlesWithin(drained, drainTimeout)) {
      this.#log.warn("drain timeout: aborting what is still in flight");
      this.#inbox.abort("draining");
      this.#edge.giveUp();
      await settlesWithin(drained, ABORT_TIMEOUT_MS);
    }
    // Only now: until then whoever comes is told where the gateway stands.
    await delay;
    await settlesWithin(this.#server.shutdown(), ABORT_TIMEOUT_MS);
    if (!await settlesWithin(this.#streams.settled(), this.#live.current.drainTimeout)) {
      this.#log.error("the streams did not take all messages and events in time");
    }
    this.#edge.leave();
    const flushed = this.#session.flush();
    if (!await settlesWithin(flushed, FLUSH_TIMEOUT_MS) || this.#outbox.size > 0) {
      this.#log.error("NATS is away: some events were not told", { events: this.#outbox.size });
    }
    await this.#release();
    this.#log.info("stopped");
  }

  /** Takes an error that nobody else took: it is logged and counted, and the gateway goes on. */
  onUncaught(error: unknown): void {
    this.#onFault("uncaught", error);
  }

  async #release(): Promise<void> {
    this.#connected.reject(new Error("Cannot wait for NATS: the gateway was stopped"));
    const first = [this.#page, this.#edge, this.#bounds.deadlines, this.#outbox];
    const then = [this.#streams, this.#inbox, ...this.#ears, this.#rights, this.#lacks];
    for (const part of [...first, ...then]) part?.[Symbol.dispose]();
    await this.#session[Symbol.asyncDispose]();
    const told = this.#reports.map((report) => report?.[Symbol.asyncDispose]());
    await settlesWithin(Promise.all([this.#admin?.shutdown(), ...told]), FLUSH_TIMEOUT_MS);
  }

  #notReady(): string | undefined {
    if (this.#edge.isDraining) return "draining";
    if (this.#session.state !== "connected") return this.#reach.trouble ?? "NATS is not connected";
    return this.#lacks.trouble ?? this.#rights.trouble ?? this.#streams.trouble;
  }
}

/**
 * Starts a gateway.
 *
 * @param options What differs from the defaults.
 * @returns The gateway; it listens, and connects to NATS as soon as that can be reached.
 * @throws {ConfigError} when an option cannot be used.
 * @throws {ListenError} when an address cannot be listened on.
 */
export function startGateway(options: GatewayOptions = {}): Gateway {
  return new Gateway(options);
}
