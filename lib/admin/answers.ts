/**
 * What the page asks, and what it may have done.
 *
 * @module
 */
import type { GatewayConfig } from "../config/schema.ts";
import { explain, type Explanation } from "../edge/explain.ts";
import { toError } from "../errors.ts";
import { askConnections, closeConnection } from "../nats/asking/connections.ts";
import type { Bus } from "../nats/bus.ts";
import type { Interests } from "../nats/interest.ts";
import { toTapSubject } from "../mapping/tap.ts";
import { DURATION_BUCKETS } from "../telemetry/buckets.ts";
import type { Log } from "../telemetry/log.ts";
import type { History } from "./history.ts";
import type { Clock } from "../time/clock.ts";
import { Cluster, toWorkloads } from "./cluster.ts";
import { Tap } from "./tap.ts";
import type { Traffic } from "./traffic.ts";
import { type Viewer, Viewers } from "./viewers.ts";

/** How many connections are shown at once; more than that and a search is what is wanted. */
const MOST_CONNECTIONS = 500;
/** Only what a gateway made: nothing else can be published to from here. */
const INBOX = /^_INBOX\.h8s\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** What was asked cannot be answered; the message says what to ask instead. */
export class BadQuestion extends Error {
  /** Always `"BadQuestion"`. */
  override readonly name = "BadQuestion";
}

/** What there is to tell. */
export interface AnswersParts {
  readonly gatewayId: string;
  readonly version: string;
  /** As it is now. */
  readonly config: () => GatewayConfig;
  readonly notReady: () => string | undefined;
  readonly bus: Bus;
  readonly interests: Pick<Interests, "list">;
  readonly history: History;
  readonly traffic: Traffic;
  readonly clock: Clock;
  readonly log: Log;
}

type Body = Readonly<Record<string, unknown>>;

/** Answers the page. What it takes to do so is there only while somebody looks. */
export class Answers implements Disposable {
  readonly #parts: AnswersParts;
  readonly #viewers = new Viewers();
  readonly #endSamples: () => void;
  readonly #taps = new Map<Viewer, Tap>();
  #cluster: Cluster | undefined;

  constructor(parts: AnswersParts) {
    this.#parts = parts;
    this.#endSamples = parts.history.onSample((sample) => {
      if (this.#viewers.size === 0) return;
      const { bounds } = parts.history;
      this.#viewers.broadcast({ type: "sample", data: { sample, bounds } });
      this.#viewers.broadcast(this.#toState());
    });
  }

  /**
   * Answers a question.
   *
   * @returns JSON, a response, or undefined for a path that there is not.
   * @throws {BadQuestion} when it cannot be answered.
   */
  get(request: Request): unknown {
    const { pathname, searchParams } = new URL(request.url);
    switch (pathname) {
      case "/session":
        return {};
      case "/events":
        return this.#watch();
      case "/connections":
        return this.#findConnections(searchParams);
      case "/subject":
        return this.#explain((name) => searchParams.get(name));
      default:
        return undefined;
    }
  }

  /**
   * Does something.
   *
   * @returns JSON, or undefined for a path that there is not.
   * @throws {BadQuestion} when it cannot be done.
   */
  post(pathname: string, body: Body): unknown {
    switch (pathname) {
      case "/connections/close":
        return this.#close(body);
      case "/tap":
        return this.#startTap(body);
      case "/tap/end":
        return this.#endTap(this.#toViewer(body));
      default:
        return undefined;
    }
  }

  /** Ends all streams. */
  [Symbol.dispose](): void {
    this.#endSamples();
    this.#viewers[Symbol.dispose]();
    this.#cluster?.[Symbol.dispose]();
  }

  #watch(): Response {
    const { bus, gatewayId, config } = this.#parts;
    const opened = this.#viewers.open((viewer) => {
      this.#cluster ??= new Cluster(bus, {
        prefix: config().prefix,
        own: gatewayId,
        onError: (error) => this.#parts.log.debug("gateways", { error: String(error) }),
      });
      this.#greet(viewer);
      viewer.onGone = () => this.#onGone(viewer);
    });
    return opened ?? new Response("Too many look already\n", { status: 503 });
  }

  #onGone(viewer: Viewer): void {
    this.#endTap(viewer);
    if (this.#viewers.size > 0) return;
    this.#cluster?.[Symbol.dispose]();
    this.#cluster = undefined;
  }

  #greet(viewer: Viewer): void {
    const { gatewayId: gateway, version, history: { samples, bounds }, config } = this.#parts;
    const { adminKey, adminTap: isTapAllowed } = config();
    const hasKey = adminKey !== undefined;
    const data = { viewer: viewer.id, gateway, version, hasKey, isTapAllowed, samples, bounds };
    viewer.send({ type: "hello", data });
    viewer.send(this.#toState());
  }

  #toState() {
    const { traffic, interests, notReady, config } = this.#parts;
    return {
      type: "state",
      data: {
        notReady: notReady(),
        bounds: DURATION_BUCKETS,
        errors: traffic.listErrors(),
        routes: traffic.listRoutes(config().routes),
        gateways: this.#cluster?.list() ?? [],
        workloads: toWorkloads(interests.list(), traffic.listHosts()),
      },
    };
  }

  #explain(read: (name: string) => unknown): Explanation {
    const [method, url, kind, origin] = ["method", "url", "kind", "origin"]
      .map((name) => String(read(name) ?? ""));
    if (!/^https?:\/\/[^/]/i.test(url!)) {
      throw new BadQuestion(
        "Cannot explain that: expected a URL such as https://shop.example/cart",
      );
    }
    return explain({
      url: url!,
      method: method === "" ? "GET" : method!,
      kind: kind === "websocket" ? "websocket" : "http",
      ...(origin === "" ? {} : { origin }),
    }, { config: this.#parts.config(), interests: this.#parts.interests.list() });
  }

  async #findConnections(query: URLSearchParams): Promise<unknown> {
    const { bus, config } = this.#parts;
    const wanted = ["host", "path", "session", "remote"].flatMap((name) => {
      const value = query.get(name);
      return value === null || value === "" ? [] : [[name, value]];
    });
    try {
      const options = { prefix: config().prefix, limit: MOST_CONNECTIONS };
      return await askConnections(bus, { ...options, filter: Object.fromEntries(wanted) });
    } catch (error) {
      throw new BadQuestion(toError(error).message);
    }
  }

  /** What goes where the request that was asked about would go. What is made up for each client may be any. */
  async #startTap(body: Body): Promise<unknown> {
    const { bus, clock, log, config } = this.#parts;
    const { adminTap, prefix } = config();
    if (!adminTap) {
      throw new BadQuestion("Cannot watch: start the gateway with --admin-tap");
    }
    const viewer = this.#toViewer(body);
    const { subject, uploadSubject = [] } = this.#explain((name) => body[name]);
    if (subject === undefined) throw new BadQuestion("Cannot watch: it goes nowhere");
    const subjects = [subject, uploadSubject].flat().map((one) => one.replace(/<[a-z]+>/g, "*"));
    this.#endTap(viewer);
    const tap = new Tap(bus, subjects, {
      prefix,
      clock,
      onHeads: (data) => viewer.send({ type: "tap", data }),
      onEnd: (reason) => {
        this.#taps.delete(viewer);
        viewer.send({ type: "tap-end", data: { reason } });
      },
    });
    this.#taps.set(viewer, tap);
    log.info("messages are watched from the admin page", { subjects: subjects.join(" ") });
    if (!await tap.begun && this.#taps.get(viewer) === tap) {
      this.#endTap(viewer);
      throw new BadQuestion(`Cannot watch: NATS lets no gateway hear ${toTapSubject(prefix)}`);
    }
    return { subject: subjects[0] };
  }

  #endTap(viewer: Viewer): unknown {
    this.#taps.get(viewer)?.[Symbol.dispose]();
    this.#taps.delete(viewer);
    return {};
  }

  #toViewer({ viewer: id }: Body): Viewer {
    const viewer = this.#viewers.find(String(id));
    if (viewer === undefined) throw new BadQuestion("Cannot watch: expected an open event stream");
    return viewer;
  }

  #close({ inbox, code, reason = "" }: Body): unknown {
    const { bus, log } = this.#parts;
    if (typeof inbox !== "string" || !INBOX.test(inbox)) {
      throw new BadQuestion("Cannot close it: expected the inbox of a connection");
    }
    if (typeof code !== "number" || typeof reason !== "string") {
      throw new BadQuestion("Cannot close it: expected a code and a reason");
    }
    try {
      closeConnection(bus, inbox, { code, reason });
    } catch (error) {
      if (error instanceof RangeError) throw new BadQuestion(error.message);
      throw error;
    }
    log.info("a connection was closed from the admin page", { inbox, code, reason });
    return {};
  }
}
