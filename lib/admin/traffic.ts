/**
 * What came in and how it went, by route, by host, and by what went wrong. Nothing here grows with what clients
 * choose: the names of routes and errors are the gateway's own, and hosts are counted up to a number.
 *
 * @module
 */
import type { Route } from "../mapping/route.ts";
import { DURATION_BUCKETS } from "../telemetry/buckets.ts";
import type { Observation, Observer } from "../telemetry/observation.ts";

/** Of hosts and of routes; what comes after is counted under one name. */
const MOST_NAMES = 256;
/** A URL can be longer than anybody reads. */
const MOST_TEXT = 300;
const OTHERS = "(others)";
const CONVENTION = "(convention)";
/** How it ends when nothing is wrong, and when a client leaves. */
const IN_ORDER: ReadonlySet<string> = new Set(["completed", "termination_chunk", "ctx_done"]);
/** That the gateway gives for a reason; 1006 is any client that went into a tunnel. */
const TELLING_CODES: ReadonlySet<number> = new Set([1008, 1009, 1011, 1013]);
const NOBODY_ANSWERED: ReadonlySet<string> = new Set(["no_responders", "reply_timeout"]);

/** The last one of its kind. */
export interface ErrorExample {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly subject: string | undefined;
  readonly route: string | undefined;
  readonly client: string;
  readonly userAgent: string | undefined;
  readonly requestId: string;
  readonly reason: string | undefined;
  readonly ms: number;
}

/** One kind of trouble. */
export interface ErrorSummary {
  /** Of the gateway's table of errors, or what the workload answered, or why it was cut off. */
  readonly code: string;
  /** 0 where the client had a status already. */
  readonly status: number;
  readonly count: number;
  /** When the last one was, in milliseconds since 1970. */
  readonly at: number;
  readonly example: ErrorExample;
}

/** One route. */
export interface RouteSummary {
  readonly route: string;
  readonly subject: string;
  /** Who gets in, and what else is not as without a route. */
  readonly guards: readonly string[];
  readonly requests: number;
  /** Since this was asked before, per second. */
  readonly rate: number;
  readonly failed: number;
  /** HTTP requests by bucket of {@link DURATION_BUCKETS}; the last is for longer ones. */
  readonly latency: readonly number[];
}

/** Who answers for a host. */
export interface HostSummary {
  readonly host: string;
  readonly answered: number;
  readonly unanswered: number;
  /** When the last answer came, in milliseconds since 1970. */
  readonly at: number | undefined;
}

interface RouteTally {
  requests: number;
  failed: number;
  before: { requests: number; at: number };
  readonly latency: number[];
}

interface HostTally {
  answered: number;
  unanswered: number;
  at: number | undefined;
}

/** Counts what is observed, as long as the gateway runs. */
export class Traffic implements Observer {
  readonly #errors = new Map<string, { count: number; last: ErrorSummary }>();
  readonly #routes = new Map<string, RouteTally>();
  readonly #hosts = new Map<string, HostTally>();
  readonly #now: () => number;

  /**
   * @param now The time of day, in milliseconds.
   */
  constructor(now: () => number = Date.now) {
    this.#now = now;
  }

  end(observation: Observation): void {
    const trouble = toTrouble(observation);
    if (trouble !== undefined) this.#noteError(trouble, observation);
    this.#noteRoute(observation, trouble !== undefined);
    this.#noteHost(observation);
  }

  /** The latest first. */
  listErrors(): ErrorSummary[] {
    return [...this.#errors.values()].map(({ last, count }) => ({ ...last, count }))
      .toSorted((one, other) => other.at - one.at);
  }

  /**
   * Those that are configured and those that were, the busiest first.
   *
   * @param routes As configured now.
   * @returns Each with its traffic since the gateway started.
   */
  listRoutes(routes: readonly Route[]): RouteSummary[] {
    const now = this.#now();
    const names = new Set([...routes.map(({ pattern }) => pattern), ...this.#routes.keys()]);
    return [...names].map((name) => {
      const tally = this.#routes.get(name) ?? createRouteTally(now);
      const { requests, failed, latency, before } = tally;
      const seconds = (now - before.at) / 1000;
      tally.before = { requests, at: now };
      const rate = seconds <= 0 ? 0 : (requests - before.requests) / seconds;
      const own = routes.filter(({ pattern }) => pattern === name);
      return { route: name, ...describe(name, own), requests, rate, failed, latency };
    }).toSorted((one, other) => other.requests - one.requests);
  }

  /** All that somebody has answered for. */
  listHosts(): HostSummary[] {
    return [...this.#hosts].map(([host, tally]) => ({ host, ...tally }));
  }

  #noteError(code: string, observation: Observation): void {
    const { method, host, path, subject, route, client, userAgent, requestId } = observation;
    const example: ErrorExample = {
      ...{ method, host: cut(host), path: cut(path), subject: subject && cut(subject), route },
      ...{ client, userAgent: userAgent && cut(userAgent), requestId },
      reason: observation.socket?.closeReason,
      ms: observation.durationMs,
    };
    const status = code.startsWith("cut off") || observation.socket !== undefined
      ? 0
      : observation.status;
    const count = (this.#errors.get(code)?.count ?? 0) + 1;
    this.#errors.set(code, { count, last: { code, status, count, at: this.#now(), example } });
  }

  #noteRoute({ route = CONVENTION, kind, durationMs, status }: Observation, isFailed: boolean) {
    const tally = findOrAdd(this.#routes, route, () => createRouteTally(this.#now()));
    tally.requests++;
    if (isFailed && status >= 500) tally.failed++;
    if (kind !== "http") return;
    const bucket = DURATION_BUCKETS.findIndex((bound) => durationMs <= 1000 * bound);
    tally.latency[bucket === -1 ? DURATION_BUCKETS.length : bucket]!++;
  }

  /** Whoever asks for a host that nobody serves adds nothing. */
  #noteHost({ host, error, end, kind }: Observation): void {
    const isUnanswered = error !== undefined && NOBODY_ANSWERED.has(error);
    if (isUnanswered) {
      const tally = this.#hosts.get(cut(host));
      if (tally !== undefined) tally.unanswered++;
    } else if (error === undefined && end !== "refused" && kind === "http") {
      const tally = findOrAdd(
        this.#hosts,
        cut(host),
        () => ({ answered: 0, unanswered: 0, at: undefined }),
      );
      tally.answered++;
      tally.at = this.#now();
    }
  }
}

/** What went wrong; undefined where nothing did. */
function toTrouble({ error, end, status, socket }: Observation): string | undefined {
  if (error !== undefined) return error;
  if (socket !== undefined) {
    return TELLING_CODES.has(socket.closeCode) ? `closed ${socket.closeCode}` : undefined;
  }
  if (end === "refused") return "refused by a workload";
  if (!IN_ORDER.has(end)) return `cut off: ${end}`;
  return status >= 500 ? `a workload answered ${status}` : undefined;
}

function describe(
  name: string,
  routes: readonly Route[],
): Pick<RouteSummary, "subject" | "guards"> {
  if (name === CONVENTION) return { subject: "whatever no route takes", guards: [] };
  if (routes.length === 0) return { subject: "not configured any more", guards: [] };
  const subjects = routes.flatMap(({ sides: { http, websocket }, subscribe }) => [
    ...[http, websocket].flatMap((side) => side?.subject?.text ?? []),
    ...subscribe.map(({ text }) => `← ${text}`),
  ]);
  const guards = routes.flatMap(({ methods = [], auth, mode }) => [
    ...methods,
    ...(auth === undefined ? [] : [auth === "none" ? "open to all" : `asks: ${auth}`]),
    ...(mode === "publish" ? ["publish"] : []),
  ]);
  const unique = [...new Set(subjects)];
  return {
    subject: unique.length === 0 ? "the convention's subject" : unique.join(", "),
    guards: [...new Set(guards)],
  };
}

function createRouteTally(at: number): RouteTally {
  const latency = Array.from({ length: DURATION_BUCKETS.length + 1 }, () => 0);
  return { requests: 0, failed: 0, before: { requests: 0, at }, latency };
}

function findOrAdd<T>(table: Map<string, T>, name: string, create: () => T): T {
  const known = table.get(name) ?? (table.size < MOST_NAMES ? undefined : table.get(OTHERS));
  if (known !== undefined) return known;
  const added = create();
  table.set(table.size < MOST_NAMES ? name : OTHERS, added);
  return added;
}

/** A copy: a part of a text keeps the whole. */
function cut(text: string): string {
  return text.length <= MOST_TEXT ? text : `${text.slice(0, MOST_TEXT)}…`;
}
