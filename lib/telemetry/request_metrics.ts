/**
 * What is counted of each request.
 *
 * @module
 */
import { Counter, type Registry } from "prom-client";
import { DURATION_BUCKETS } from "./buckets.ts";
import { Durations } from "./durations.ts";
import type { Exemplar } from "./figure.ts";
import type { Observation } from "./observation.ts";

const STATUS_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;
/** A label's values are series for ever; a table of routes has no bound. */
const MOST_ROUTES = 100;
const OTHERS = "other";
const MOST_HOSTS = 100;
/** What says that a host's workloads are away, or too slow. */
const AWAY = [503, 504] as const;
/** What takes no route. */
const CONVENTION = "convention";

const DURATION = "h8s_http_request_duration_seconds";
const FIRST_BYTE = "h8s_http_first_byte_seconds";

/** By class of status, by route, and how long it took. */
export class RequestMetrics {
  readonly #all = toZeros();
  readonly #routes = new Map<string, number[]>([[CONVENTION, toZeros()]]);
  readonly #failures = new Map<string, [number, number]>();
  readonly #duration: Durations;
  readonly #firstByte: Durations;
  /** The last request of each bucket that is traced, by histogram and upper bound. */
  readonly exemplars = new Map<string, Exemplar>();

  /** Registers the metrics. */
  constructor(registry: Registry) {
    const registers = [registry];
    const all = this.#all;
    new Counter({
      name: "h8s_http_requests_total",
      help: "HTTP requests answered, by class of status",
      labelNames: ["status"],
      registers,
      collect() {
        this.reset();
        for (const [index, name] of STATUS_CLASSES.entries()) this.labels(name).inc(all[index]);
      },
    });
    const routes = this.#routes;
    new Counter({
      name: "h8s_http_route_requests_total",
      help: "HTTP requests answered, by route and class of status",
      labelNames: ["route", "status"],
      registers,
      collect() {
        this.reset();
        for (const [route, counts] of routes) {
          for (const [index, name] of STATUS_CLASSES.entries()) {
            this.labels(route, name).inc(counts[index]);
          }
        }
      },
    });
    const failures = this.#failures;
    new Counter({
      name: "h8s_http_host_failures_total",
      help: "HTTP requests answered 503 or 504, by the host that was asked for",
      labelNames: ["host", "status"],
      registers,
      collect() {
        this.reset();
        for (const [host, counts] of failures) {
          for (const [index, status] of AWAY.entries()) {
            this.labels(host, `${status}`).inc(counts[index]);
          }
        }
      },
    });
    this.#duration = new Durations(registry, {
      name: DURATION,
      help: "From the request to the end of its response",
    });
    this.#firstByte = new Durations(registry, {
      name: FIRST_BYTE,
      help: "From the request to the head of its response",
    });
  }

  /** A request was answered to its end. */
  ended(
    status: number,
    seen: Pick<Observation, "durationMs" | "firstByteMs" | "route" | "host"> & {
      readonly traceparent?: string | undefined;
    },
  ): void {
    const { durationMs, firstByteMs, route, traceparent } = seen;
    const index = Math.floor(status / 100) - 1;
    this.#all[index]!++;
    this.#countsOf(route ?? CONVENTION)[index]!++;
    if (status === 503 || status === 504) this.#failed(seen.host, status);
    this.#duration.observe(durationMs / 1000);
    // One that nobody waited for had none.
    if (firstByteMs > 0) this.#firstByte.observe(firstByteMs / 1000);
    if (traceparent === undefined || !isSampled(traceparent)) return;
    this.#exemplify(DURATION, durationMs, traceparent);
    if (firstByteMs > 0) this.#exemplify(FIRST_BYTE, firstByteMs, traceparent);
  }

  #exemplify(name: string, ms: number, traceparent: string): void {
    const value = ms / 1000;
    const bound = DURATION_BUCKETS.find((bound) => value <= bound) ?? "+Inf";
    const traceId = traceparent.slice(3, 35);
    this.exemplars.set(`${name} ${bound}`, { traceId, value, at: Date.now() });
  }

  /** Clients make hosts up: those after the first hundred are one. */
  #failed(host: string, status: (typeof AWAY)[number]): void {
    const own = host.toLowerCase();
    const isNamed = this.#failures.has(own) || this.#failures.size < MOST_HOSTS;
    const name = isNamed ? own : OTHERS;
    const counts = this.#failures.get(name) ?? [0, 0];
    counts[status - AWAY[0]]!++;
    this.#failures.set(name, counts);
  }

  #countsOf(route: string): number[] {
    const known = this.#routes.get(route);
    if (known !== undefined) return known;
    const name = this.#routes.size < MOST_ROUTES ? route : OTHERS;
    const counts = this.#routes.get(name) ?? toZeros();
    this.#routes.set(name, counts);
    return counts;
  }
}

/** W3C Trace Context §3.2.2.5: the last bit of the flags. */
function isSampled(traceparent: string): boolean {
  return "13579bdf".includes(traceparent.at(-1)!);
}

function toZeros(): number[] {
  return STATUS_CLASSES.map(() => 0);
}
