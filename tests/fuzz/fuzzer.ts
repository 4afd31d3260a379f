/**
 * Batches of requests and frames against the real program, and a close look at it after each.
 *
 * @module
 */
import { connect } from "@nats-io/transport";
import { type ProcessStats, statsOf } from "../faults/process_stats.ts";
import { Random } from "../harness/random.ts";
import { open } from "../harness/raw_http.ts";
import { type Setup, setUp } from "../harness/setup.ts";
import { HANDSHAKE } from "../harness/websocket.ts";
import { type Answers, attemptFrames, attemptHttp, type Door } from "./clients.ts";
import { type Attempt, toAttempt } from "./http_bytes.ts";
import { CONVENTION, Observer, type Rules } from "./observer.ts";
import { toFuzzedFrame } from "./socket_bytes.ts";

/** What is to be sent. */
export interface FuzzOptions {
  /** The same for the same bytes. */
  readonly seed: number;
  readonly requests: number;
  readonly frames: number;
  /** @default that of a gateway as it comes */
  readonly world?: (seed: number) => Promise<World>;
  /** Called after each batch. */
  readonly onBatch?: (sum: FuzzSum) => void;
}

/** What one batch sends. */
export interface BatchBytes {
  /** What one connection sends. */
  toAttempt(): Attempt;
  /** The lines of a WebSocket's. */
  toHandshake(): readonly string[];
}

/** A gateway, what is around it, and what it is sent. */
export interface World extends AsyncDisposable {
  readonly setup: Setup;
  readonly rules: Rules;
  readonly door: Door;
  /** To ask it something sensible. */
  readonly client?: Deno.HttpClient;
  /**
   * @param random Decides.
   * @param batch Which one.
   */
  toBytes(random: Random, batch: number): BatchBytes;
  /** What came of it elsewhere, in words. */
  describe(): string[];
  /** What else is wrong now that nothing goes on; `kept` are the numbers that a stream gave so far. */
  judge(kept: readonly number[]): Promise<string[]>;
}

/** What came of it. */
export interface FuzzSum {
  requests: number;
  frames: number;
  /** WebSockets that were established. */
  sockets: number;
  /** Messages over NATS. */
  messages: number;
  readonly statuses: Map<number, number>;
  /** The numbers that a stream gave to what it took. */
  readonly kept: number[];
  /** What else there is to say of the world. */
  besides: readonly string[];
  /** Connections that ended without any answer. */
  unanswered: number;
  /** Of the gateway, after the last batch; undefined where the system does not tell. */
  process: ProcessStats | undefined;
  /** What should not have been, in words; empty when all is well. */
  readonly wrong: string[];
}

const REQUESTS_PER_BATCH = 1000;
const FRAMES_PER_SOCKET = 10;
/** Connections at any time. */
const LANES = 16;
/** Within which the gateway forgets a batch: a request times out after 1 s, a close after 2 s. */
const SETTLE_MS = 10_000;
/** Small, so that some bodies do not fit into one message. */
export const NATS_CONFIG = "max_payload: 65536";
/** For the gateway. */
export const FLAGS: readonly string[] = ["--request-timeout", "1s", "--max-body-size", "256KiB"];
/** Counted from zero, so that it is there when all is well. */
const INTERNAL_ERRORS = 'h8s_requests_refused_total{code="internal"}';
/** Every label has few values; more series than this and one of them comes from a client. */
const MOST_SERIES = 500;
/** Of Deno's HTTP/2, about frames that were made up. */
const OF_DENO = /^recv PING ack that we never sent/;
/** File descriptors that the gateway may hold besides those of its first look; of who looks at it, e.g. */
const SPARE_DESCRIPTORS = 10;

/**
 * Fuzzes a gateway of its own.
 *
 * @param options How much.
 * @returns What came of it; ends early when the gateway no longer answers.
 */
export async function fuzz(
  { seed, requests, frames, world: create = startPlainWorld, onBatch }: FuzzOptions,
): Promise<FuzzSum> {
  await using world = await create(seed);
  const observing = await connect({ servers: world.setup.nats.url });
  const fuzzing = new Fuzzing(world, new Observer(observing, seed, world.rules));
  try {
    await observing.flush();
    await fuzzing.begin();
    const batches = Math.ceil(requests / REQUESTS_PER_BATCH);
    for (let batch = 0; batch < batches && fuzzing.isAlive; batch++) {
      const share = (total: number) => Math.ceil(total / batches);
      const random = new Random(Math.imul(seed + 1, 0x9e3779b1) + batch);
      const bytes = world.toBytes(random, batch);
      await fuzzing.runBatch(random, {
        ...{ bytes, requests: share(requests), frames: share(frames) },
      });
      onBatch?.(fuzzing.sum);
    }
    return fuzzing.sum;
  } finally {
    await observing.close();
  }
}

async function startPlainWorld(): Promise<World> {
  const setup = await setUp(FLAGS, { config: NATS_CONFIG });
  return {
    setup,
    rules: CONVENTION,
    door: () => open(setup.gateway.port),
    toBytes: (random) => ({ toAttempt: () => toAttempt(random), toHandshake: () => HANDSHAKE }),
    describe: () => [],
    judge: () => Promise.resolve([]),
    [Symbol.asyncDispose]: () => setup[Symbol.asyncDispose](),
  };
}

class Fuzzing {
  readonly #world: World;
  readonly #setup: Setup;
  readonly #observer: Observer;
  #counters = new Map<string, number>();
  #idleDescriptors: number | undefined;
  readonly sum: FuzzSum = {
    ...{ requests: 0, frames: 0, sockets: 0, messages: 0, unanswered: 0, process: undefined },
    statuses: new Map(),
    kept: [],
    besides: [],
    wrong: [],
  };
  isAlive = true;

  constructor(world: World, observer: Observer) {
    this.#world = world;
    this.#setup = world.setup;
    this.#observer = observer;
  }

  /** Looks at it before anything is sent, to compare. */
  async begin(): Promise<void> {
    await this.#look();
  }

  /** All that is sent is made up before, so that it depends on the seed alone. */
  async runBatch(
    random: Random,
    { bytes, requests, frames }: { bytes: BatchBytes; requests: number; frames: number },
  ): Promise<void> {
    const { door } = this.#world;
    const jobs: (() => Promise<void>)[] = [];
    for (let made = 0; made < requests;) {
      const attempt = bytes.toAttempt();
      made += attempt.requests;
      this.sum.requests += attempt.requests;
      jobs.push(async () => this.#count(await attemptHttp(door, attempt), attempt.bytes));
    }
    for (let made = 0; made < frames;) {
      const some = Array.from(
        { length: 1 + random.below(FRAMES_PER_SOCKET) },
        () => toFuzzedFrame(random),
      );
      const handshake = bytes.toHandshake();
      made += some.length;
      this.sum.frames += some.length;
      jobs.push(async () => {
        const answers = await attemptFrames(door, handshake, some);
        this.#count(answers, [...handshake, ...some].join("\r\n"));
      });
    }
    const queue = jobs.values();
    const work = async () => {
      for (const job of queue) await job();
    };
    try {
      await Promise.all(Array.from({ length: LANES }, work));
      await this.#look();
    } catch (error) {
      this.isAlive = false;
      const { lines, noise } = this.#setup.gateway;
      const last = [...lines.slice(-3).map((line) => JSON.stringify(line)), ...noise].join("\n");
      this.sum.wrong.push(`the gateway no longer answers: ${error}\n${last}`);
    }
  }

  #count({ statuses, kept, wrong }: Answers, bytes: string): void {
    this.sum.kept.push(...kept);
    if (statuses.length === 0) this.sum.unanswered++;
    for (const status of statuses) {
      this.sum.statuses.set(status, (this.sum.statuses.get(status) ?? 0) + 1);
    }
    for (const what of wrong) this.sum.wrong.push(`${what}, for ${JSON.stringify(bytes)}`);
  }

  /** Does the gateway still serve, has it forgotten all that is over, are its numbers sane? */
  async #look(): Promise<void> {
    const { gateway } = this.#setup;
    const { sum } = this;
    const { client } = this.#world;
    const response = await fetch(
      `${client === undefined ? "http" : "https"}://127.0.0.1:${gateway.port}/alive`,
      client === undefined ? {} : { client },
    );
    const text = await response.text();
    if (text !== "alive") sum.wrong.push(`a good request got ${response.status} ${text}`);
    const { status } = await gateway.admin("/readyz");
    if (status !== 200) sum.wrong.push(`/readyz says ${status}`);
    this.#judgeMetrics(await this.#settle());
    for (const line of gateway.lines.splice(0)) {
      if (line.level === "error") sum.wrong.push(`it logged ${JSON.stringify(line)}`);
    }
    for (const line of gateway.noise.splice(0)) {
      if (!OF_DENO.test(line)) sum.wrong.push(`it printed ${line}`);
    }
    sum.wrong.push(...await this.#world.judge(sum.kept), ...this.#observer.wrong.splice(0));
    sum.besides = this.#world.describe();
    sum.messages = this.#observer.messages;
    sum.sockets = this.#observer.established;
  }

  /** Waits until nothing of the batch goes on. */
  async #settle(): Promise<Map<string, number>> {
    const { gateway } = this.#setup;
    const latest = performance.now() + SETTLE_MS;
    for (;;) {
      const metrics = readMetrics((await gateway.admin("/metrics")).text);
      const going = {
        requests: metrics.get("h8s_http_requests_in_flight"),
        sockets: metrics.get("h8s_websockets_open"),
        untold: this.#observer.open,
        descriptors: await this.#countLeaks(),
      };
      if (Object.values(going).every((count) => count === 0)) return metrics;
      if (performance.now() > latest) {
        this.sum.wrong.push(`still going on after ${SETTLE_MS} ms: ${JSON.stringify(going)}`);
        return metrics;
      }
    }
  }

  /** File descriptors that the batch has left behind. */
  async #countLeaks(): Promise<number> {
    const stats = await statsOf(this.#setup.gateway.pid).catch(() => undefined);
    this.sum.process = stats;
    if (stats === undefined) return 0;
    this.#idleDescriptors ??= stats.fds;
    return Math.max(0, stats.fds - this.#idleDescriptors - SPARE_DESCRIPTORS);
  }

  #judgeMetrics(metrics: Map<string, number>): void {
    const { wrong } = this.sum;
    if (metrics.size > MOST_SERIES) wrong.push(`there are ${metrics.size} series of metrics`);
    for (const [series, value] of metrics) {
      const before = this.#counters.get(series) ?? 0;
      const isCounter = /^\w+_(total|count|bucket)\b/.test(series);
      if (!(value >= 0) || (isCounter && value < before)) wrong.push(`${series} is ${value}`);
      if (series.includes('"internal"') && value > 0) wrong.push(`${series} is ${value}`);
    }
    if (!metrics.has(INTERNAL_ERRORS)) wrong.push(`there is no ${INTERNAL_ERRORS}`);
    this.#counters = metrics;
  }
}

/** Prometheus's text format. */
function readMetrics(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(lines.map((line) => {
    const at = line.lastIndexOf(" ");
    return [line.slice(0, at), Number(line.slice(at + 1))];
  }));
}
