/**
 * The last minutes in numbers: what the charts begin with, and go on with each second.
 *
 * @module
 */
import type { Figure } from "../telemetry/figure.ts";
import { type Clock, repeat } from "../time/clock.ts";

/** Between two samples, in milliseconds. */
const SAMPLE_MS = 1000;
/** Ten minutes. */
const MOST_SAMPLES = 600;

/** One second. All but what is open or under way is per second. */
export interface Sample {
  /** When, in milliseconds since 1970. */
  readonly at: number;
  /** Responses of 1xx and 2xx, of 3xx, of 4xx, of 5xx. */
  readonly responses: readonly number[];
  /** Requests and handshakes that were refused or failed. */
  readonly refused: number;
  readonly inFlight: number;
  readonly sockets: number;
  /** WebSockets that wait for their client. */
  readonly away: number;
  /** WebSocket messages from clients, and to them. */
  readonly messages: readonly number[];
  /** Bytes of bodies and messages from clients, and to them. */
  readonly bytes: readonly number[];
  /** How many requests took as long as each bucket says, not per second; the last is for longer ones. */
  readonly latency: readonly number[];
}

/** What is read from counters; the difference of two makes a sample. */
interface Totals {
  readonly at: number;
  readonly counts: readonly number[];
  readonly latency: readonly number[];
}

/** Where the numbers come from. */
export interface HistorySource {
  read(): Promise<readonly Figure[]>;
}

/** Takes a sample each second, and keeps those of ten minutes. */
export class History implements Disposable {
  readonly #source: HistorySource;
  readonly #samples: Sample[] = [];
  readonly #listeners = new Set<(sample: Sample) => void>();
  readonly #end: () => void;
  readonly #now: () => number;
  #before: Totals;

  /** Upper bounds of the buckets of {@link Sample.latency}, in seconds; longer ones have none. */
  bounds: readonly number[] = [];

  /**
   * @param options `clock`: when a second is over; `now`: the time of day; `onError`: takes what goes wrong.
   */
  constructor(source: HistorySource, { clock, now = Date.now, onError }: {
    clock: Clock;
    now?: () => number;
    onError: (error: unknown) => void;
  }) {
    this.#source = source;
    this.#now = now;
    // The gateway has just begun: what comes before the first second is over counts as well.
    this.#before = { at: now(), counts: [], latency: [] };
    this.#end = repeat(clock, SAMPLE_MS, () => void this.#take().catch(onError));
  }

  /** From the oldest to the newest. */
  get samples(): readonly Sample[] {
    return this.#samples;
  }

  /**
   * Tells of each new sample.
   *
   * @returns Ends the calls.
   */
  onSample(listener: (sample: Sample) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Ends it. */
  [Symbol.dispose](): void {
    this.#end();
  }

  async #take(): Promise<void> {
    const figures = new Map((await this.#source.read()).map((figure) => [figure.name, figure]));
    const sum = (name: string, labels: Figure["values"][number]["labels"] = {}) =>
      (figures.get(name)?.values ?? [])
        .filter((value) => Object.entries(labels).every(([key, of]) => value.labels[key] === of))
        .reduce((sum, { value }) => sum + value, 0);
    const status = (name: string) => sum("h8s_http_requests_total", { status: name });
    const both = (direction: string) =>
      sum("h8s_http_body_bytes_total", { direction }) +
      sum("h8s_websocket_bytes_total", { direction });
    const latency = this.#readLatency(figures.get("h8s_http_request_duration_seconds"));
    const after: Totals = {
      at: this.#now(),
      counts: [
        status("1xx") + status("2xx"),
        ...["3xx", "4xx", "5xx"].map(status),
        sum("h8s_requests_refused_total"),
        ...["in", "out"].map((direction) => sum("h8s_websocket_messages_total", { direction })),
        ...["in", "out"].map(both),
      ],
      latency,
    };
    const before = this.#before;
    this.#before = after;
    if (after.at <= before.at) return;
    const seconds = (after.at - before.at) / 1000;
    const rates = after.counts.map((count, index) =>
      perSecond(count, before.counts[index], seconds)
    );
    this.#add({
      at: after.at,
      responses: rates.slice(0, 4),
      refused: rates[4]!,
      inFlight: sum("h8s_http_requests_in_flight"),
      sockets: sum("h8s_websockets_open"),
      away: sum("h8s_websockets_away"),
      messages: rates.slice(5, 7),
      bytes: rates.slice(7, 9),
      latency: latency.map((count, index) => Math.max(0, count - (before.latency[index] ?? 0))),
    });
  }

  /** Buckets of Prometheus hold what is below their bound; these hold what is between two. */
  #readLatency(histogram: Figure | undefined): number[] {
    const below = new Map<number, number>();
    for (const { labels: { le }, value } of histogram?.values ?? []) {
      if (le === undefined) continue;
      const bound = le === "+Inf" ? Infinity : Number(le);
      below.set(bound, (below.get(bound) ?? 0) + value);
    }
    const bounds = [...below.keys()].toSorted((one, other) => one - other);
    this.bounds = bounds.filter((bound) => bound !== Infinity);
    return bounds.map((bound, index) => below.get(bound)! - (below.get(bounds[index - 1]!) ?? 0));
  }

  #add(sample: Sample): void {
    this.#samples.push(sample);
    if (this.#samples.length > MOST_SAMPLES) this.#samples.shift();
    for (const listener of this.#listeners) listener(sample);
  }
}

/** Three digits are enough for a line of pixels. */
function perSecond(after: number, before: number | undefined, seconds: number): number {
  return Number((Math.max(0, after - (before ?? 0)) / seconds).toPrecision(4));
}
