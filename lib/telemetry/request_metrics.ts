/**
 * What is counted of each request.
 *
 * @module
 */
import { Counter, Histogram, type Registry } from "prom-client";
import { DURATION_BUCKETS } from "./buckets.ts";
import type { Observation } from "./observation.ts";

const STATUS_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;
/** A label's values are series for ever; a table of routes has no bound. */
const MOST_ROUTES = 100;
const OTHERS = "other";
/** What takes no route. */
const CONVENTION = "convention";

/** By class of status, by route, and how long it took. */
export class RequestMetrics {
  readonly #all = toZeros();
  readonly #routes = new Map<string, number[]>([[CONVENTION, toZeros()]]);
  readonly #duration: Histogram;
  readonly #firstByte: Histogram;

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
    const buckets = DURATION_BUCKETS;
    this.#duration = new Histogram({
      name: "h8s_http_request_duration_seconds",
      help: "From the request to the end of its response",
      buckets,
      registers,
    });
    this.#firstByte = new Histogram({
      name: "h8s_http_first_byte_seconds",
      help: "From the request to the head of its response",
      buckets,
      registers,
    });
  }

  /** A request was answered to its end. */
  ended(
    status: number,
    { durationMs, firstByteMs, route }: Pick<Observation, "durationMs" | "firstByteMs" | "route">,
  ): void {
    const index = Math.floor(status / 100) - 1;
    this.#all[index]!++;
    this.#countsOf(route ?? CONVENTION)[index]!++;
    this.#duration.observe(durationMs / 1000);
    // One that nobody waited for had none.
    if (firstByteMs > 0) this.#firstByte.observe(firstByteMs / 1000);
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

function toZeros(): number[] {
  return STATUS_CLASSES.map(() => 0);
}
