/**
 * Any fetch handler behind NATS.
 *
 * @module
 */
import { nuid } from "@nats-io/nats-core";
import { SILENCE_MS } from "../mapping/heartbeat.ts";
import { parseIncoming, toDestination } from "../mapping/incoming.ts";
import type { Interest } from "../mapping/interest.ts";
import {
  type ServedHost,
  servesHost,
  servesPath,
  toHostLabel,
  toServedSubjects,
} from "../mapping/served.ts";
import type { BusMessage } from "../nats/bus.ts";
import { Announcer } from "./announcer.ts";
import { repeat } from "../time/clock.ts";
import { CloseWatch } from "./close_watch.ts";
import type { Registry } from "./registry/connection_tracker.ts";
import { Answering, type AnsweringInput, type AnsweringParts } from "./http/answering.ts";
import type { ServeHandler } from "./http/handler.ts";
import { FlowInbox } from "./http/flow_inbox.ts";
import { GatewayWatch } from "../nats/gateway_watch.ts";
import { Limiter } from "./http/limiter.ts";
import { Link, LinkLostError, type LinkSubscription, type NatsClient } from "./link.ts";
import { type ServeOptions, type ServeSettings, toServeSettings } from "./serve_options.ts";
import { Sockets } from "./socket/sockets.ts";

/** How often it is looked whether the ends of requests still have to be heard, in milliseconds. */
const SWEEP_INTERVAL_MS = 5000;

/** Requests whose body came with them, and those whose body comes as it is taken. */
const SCHEMES = ["http", "upload"] as const;

/** A workload that serves. */
export interface Service extends AsyncDisposable {
  /** Resolves when the server has all subscriptions: from then on no request is missed. */
  readonly ready: Promise<void>;
  /**
   * Resolves when it has stopped, or you have closed the connection to NATS.
   *
   * @throws {LinkLostError} when the connection ended for good by itself; `cause` says why.
   */
  readonly finished: Promise<void>;
  /** Who is connected to the hosts that are served; undefined where no WebSockets are. */
  readonly registry: Registry | undefined;
  /**
   * Takes no new work, finishes what runs, and takes the interest back. The connection to NATS stays
   * open. Not to be awaited inside a handler, which would wait for itself.
   *
   * @returns When that is done, or `drainTimeoutMs` is over and the rest was aborted.
   */
  stop(): Promise<void>;
}

/**
 * Serves HTTP requests, and WebSockets, that come over NATS.
 *
 * @param nc A connection to NATS. It stays the caller's.
 * @param options What is served, and how.
 * @param handler A standard fetch handler, e.g. `app.fetch`.
 * @returns The running service.
 * @throws {TypeError} when a host, a method, a path or another option is none.
 * @throws {RangeError} when a number is out of its range.
 *
 * @example
 * ```ts ignore
 * import { connect, serve } from "@h8s/gateway/workload";
 *
 * const nc = await connect({ servers: "nats://127.0.0.1:4222" });
 * const service = serve(nc, { host: "example.com" }, (request) => {
 *   const { pathname } = new URL(request.url);
 *   return new Response(`You asked for ${pathname}\n`);
 * });
 * await service.finished;
 * ```
 */
export function serve(nc: NatsClient, options: ServeOptions, handler: ServeHandler): Service {
  if (typeof handler !== "function") {
    throw new TypeError("Cannot serve: the handler is no function");
  }
  return new RunningService(nc, toServeSettings(options), handler);
}

class RunningService implements Service {
  readonly ready: Promise<void>;
  readonly finished: Promise<void>;
  readonly #settings: ServeSettings;
  readonly #link: Link;
  readonly #limiter: Limiter;
  readonly #flow: FlowInbox;
  readonly #parts: AnsweringParts;
  readonly #running = new Set<Answering>();
  readonly #subscriptions: readonly LinkSubscription[];
  readonly #sockets: Sockets | undefined;
  readonly #announcer: Announcer;
  readonly #gateways: GatewayWatch;
  readonly #endSweeps: () => void;
  readonly #ended = Promise.withResolvers<void>();
  #stopped: Promise<void> | undefined;

  constructor(nc: NatsClient, settings: ServeSettings, handler: ServeHandler) {
    this.#settings = settings;
    const { prefix, clock, onError, sockets } = settings;
    const link = this.#link = new Link(nc, (error) => onError(error, "subscribe"));
    const closeWatch = new CloseWatch(link, prefix);
    this.#limiter = new Limiter(settings);
    this.#flow = new FlowInbox(link);
    this.#parts = { link, handler, closeWatch, flow: this.#flow, onError };
    this.#gateways = new GatewayWatch(link, {
      ...{ prefix, clock, silenceMs: SILENCE_MS },
      onAlive: (gateway) => this.#announcer.heard(gateway),
      onLost: (gateway) => {
        this.#announcer.lost(gateway);
        closeWatch.gatewayLost(gateway);
      },
    });
    this.#endSweeps = repeat(clock, SWEEP_INTERVAL_MS, () => closeWatch.sweep());
    this.#subscriptions = settings.hosts.flatMap((host) => this.#subscribe(host));
    this.#sockets = sockets.length === 0 ? undefined : new Sockets(link, settings, nuid.next());
    this.#announcer = new Announcer(link, { prefix, clock, interests: toInterests(settings) });
    this.finished = this.#ended.promise;
    this.ready = link.flush();
    this.ready.catch((error) => onError(error, "subscribe"));
    // Whoever does not wait for it is told by `onError`.
    this.finished.catch(() => {});
    nc.closed().then((cause) => this.#onClosed(cause), (error) => onError(error, "stop"));
  }

  get registry(): Registry | undefined {
    return this.#sockets?.registry;
  }

  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #subscribe(host: ServedHost): LinkSubscription[] {
    const { prefix, path, methods = ["*"] } = this.#settings;
    const queue = toQueue(host, this.#settings);
    return SCHEMES
      .flatMap((scheme) => methods.map((method) => `${prefix}.${scheme}.${method}`))
      .flatMap((root) => toServedSubjects(root, { host, path }))
      .map((subject) =>
        this.#link.subscribe(subject, (message) => this.#onRequest(host, message), { queue })
      );
  }

  #onRequest(host: ServedHost, message: BusMessage): void {
    const input = toInput(message, { host, settings: this.#settings });
    if (input === undefined) return;
    const answering = new Answering(input, this.#parts);
    this.#running.add(answering);
    void answering.ended.then(() => this.#running.delete(answering));
    if (!this.#limiter.add(() => answering.handle())) answering.refuse();
  }

  async #stop(): Promise<void> {
    const { clock, drainTimeoutMs, onError } = this.#settings;
    this.#announcer[Symbol.dispose]();
    try {
      const timeout = Promise.withResolvers<"timeout">();
      const cancel = clock.after(drainTimeoutMs, () => timeout.resolve("timeout"));
      const outcome = await Promise.race([this.#finish(), timeout.promise]).finally(cancel);
      if (outcome === "timeout") this.#abortRest();
      this.#announcer.unregister();
      if (this.#link.isConnected) await this.#link.flush();
    } catch (error) {
      onError(error, "stop");
    }
    this.#release();
  }

  async #finish(): Promise<void> {
    const subscriptions = this.#subscriptions.map((subscription) => subscription.drain());
    await Promise.all([...subscriptions, this.#sockets?.drain()]);
    await Promise.all([...this.#running].map(({ ended }) => ended));
    await this.#sockets?.idle();
  }

  #abortRest(): void {
    const { drainTimeoutMs, onError } = this.#settings;
    for (const answering of this.#running) answering.giveUp();
    onError(new Error(`Cannot finish everything within ${drainTimeoutMs} ms: aborted`), "stop");
  }

  #onClosed(cause: void | Error): void {
    if (cause instanceof Error) {
      const text = "Cannot serve any longer: the connection to NATS has ended for good";
      const error = new LinkLostError(text, { cause });
      this.#settings.onError(error, "stop");
      this.#ended.reject(error);
    }
    this.#release();
  }

  #release(): void {
    this.#endSweeps();
    this.#announcer[Symbol.dispose]();
    this.#gateways[Symbol.dispose]();
    this.#parts.closeWatch[Symbol.dispose]();
    this.#flow[Symbol.dispose]();
    this.#sockets?.[Symbol.dispose]();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#link[Symbol.dispose]();
    this.#ended.resolve();
  }
}

/**
 * A group's members must not differ in what they let pass after the message was dealt to one of them:
 * hence the host, and for any host the path, which is no part of the subject there.
 */
function toQueue(host: ServedHost, { queue, path }: ServeSettings): string {
  const group = `${queue}.${toHostLabel(host)}`;
  return host.kind === "any" && path.tokens !== "" ? `${group}/${path.tokens}` : group;
}

/** Undefined for what fits the subscription but is another host's or path's: it is answered there. */
function toInput(
  message: BusMessage,
  { host, settings }: { host: ServedHost; settings: ServeSettings },
): AnsweringInput | undefined {
  const { prefix, path, headMethod, allow } = settings;
  const incoming = parseIncoming(message.headers);
  const afterPrefix = message.subject.slice(prefix.length + 1);
  const afterScheme = afterPrefix.slice(afterPrefix.indexOf(".") + 1);
  const dot = afterScheme.indexOf(".");
  const method = afterScheme.slice(0, dot);
  const assumed = host.kind === "one" ? host : undefined;
  const destination = toDestination(afterScheme.slice(dot + 1), {
    host: incoming.host,
    assumedTokens: assumed?.tokens,
  });
  if (destination === undefined || !servesHost(host, destination)) return undefined;
  const { pathTokens } = destination;
  if (pathTokens !== undefined && !servesPath(path, pathTokens)) return undefined;
  return {
    ...{ message, incoming, pathTokens, method, host: assumed?.name ?? "localhost" },
    handlerMethod: method === "HEAD" ? headMethod : method,
    ...(method === "OPTIONS" && allow !== undefined ? { allow } : {}),
  };
}

function toInterests({ hosts, path, methods = ["*"], sockets }: ServeSettings): Interest[] {
  const served = [
    ...methods.map((method) => ({ path, method })),
    ...sockets.map(({ path }) => ({ path, method: "ws" })),
  ];
  return hosts.flatMap((host) =>
    served.map(({ path: { path, match }, method }): Interest => ({
      host: host.kind === "any" ? "*" : host.name,
      path,
      method,
      ...(match === "prefix" ? { match } : {}),
    }))
  );
}
