/**
 * What the gateway counts, for Prometheus.
 *
 * @module
 */
import { Counter, Gauge, Registry } from "prom-client";
import { toCodeLabel } from "./close_code.ts";
import { type Stage, STAGES } from "./faults.ts";
import type { Figure } from "./figure.ts";
import { type Levels, registerLevels } from "./level_metrics.ts";
import { renderOpenMetrics } from "./open_metrics.ts";
import { RequestMetrics } from "./request_metrics.ts";
import { StreamMetrics } from "./stream_metrics.ts";

const DIRECTIONS = ["in", "out"] as const;

const ABORTS = ["overflow", "timeout", "nats_disconnected", "draining", "write_error", "aborted"];
const CLOSES = [
  ...["1000", "1001", "1002", "1003", "1005", "1006", "1007", "1008", "1009", "1010", "1011"],
  ...["1012", "1013", "3000", "3003", "3008", "4401", "4499", "other"],
];

/** Which way bytes and messages go: from the client into NATS, or from NATS to the client. */
export type Direction = (typeof DIRECTIONS)[number];

/** The gateway's counters; one instance a gateway, so that several can live in one process. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = new RequestMetrics(this.#registry);
  /** Of what is kept in streams. */
  readonly streams = new StreamMetrics(this.#registry);
  #inFlight = 0;
  readonly #aborted = this.#counter(
    "h8s_http_responses_aborted_total",
    "Responses cut off, by reason",
    ["reason"],
  );
  readonly #refused = this.#counter(
    "h8s_requests_refused_total",
    "Requests and handshakes that were refused, by the error's code",
    ["code"],
  );
  readonly #httpBytes = this.#tally(
    "h8s_http_body_bytes_total",
    "Bytes of HTTP bodies, in from clients and out to them",
    "direction",
    DIRECTIONS,
  );
  #sockets = 0;
  #socketsAway = 0;
  readonly #socketsClosed = this.#counter(
    "h8s_websockets_closed_total",
    "WebSockets closed, by close code",
    ["code"],
  );
  readonly #messages = this.#tally(
    "h8s_websocket_messages_total",
    "WebSocket messages, in from clients and out to them",
    "direction",
    DIRECTIONS,
  );
  readonly #socketBytes = this.#tally(
    "h8s_websocket_bytes_total",
    "Bytes of WebSocket messages, in from clients and out to them",
    "direction",
    DIRECTIONS,
  );
  readonly #unheard = this.#counter(
    "h8s_websocket_messages_unheard_total",
    "WebSocket messages that no workload subscribed to",
  );
  #acksIgnored = 0;
  #bareFollowed = 0;
  readonly #lostHandshakes = this.#counter(
    "h8s_websocket_handshakes_lost_total",
    "Clients that were gone at the very moment of their 101: each keeps a descriptor until the end",
  );
  readonly #abandoned = this.#counter(
    "h8s_websocket_handshakes_abandoned_total",
    "Handshakes whose clients were gone before they became WebSockets",
  );
  readonly #faults = this.#tally(
    "h8s_errors_total",
    "Errors that nobody waits for, by where they arrived",
    "stage",
    STAGES,
  );
  readonly #listens = this.#counter(
    "h8s_listener_restarts_total",
    "How often no connection could be accepted and it was listened anew",
  );
  readonly #resumeOverflowed = this.#counter(
    "h8s_websockets_resume_overflowed_total",
    "WebSockets that ended since too much waited for a client that was away",
  );
  readonly #recordsFailed = this.#counter(
    "h8s_connection_records_failed_total",
    "Records of WebSockets that could not be written or taken back",
  );
  readonly #lostClosed = this.#counter(
    "h8s_lost_websockets_closed_total",
    "WebSockets of lost gateways whose end was told here",
  );

  /** Makes the counters, all at zero. */
  constructor(sources: { readonly reconnects: () => number; readonly connected: () => boolean }) {
    this.#total(
      "h8s_nats_reconnects_total",
      "How often the connection to NATS came back",
      () => sources.reconnects(),
    );
    this.#gauge(
      "h8s_http_requests_in_flight",
      "HTTP requests that wait for NATS or are being answered",
      () => this.#inFlight,
    );
    this.#total(
      "h8s_stream_acks_ignored_total",
      "Acknowledgements of streams that captured what clients sent; no replies",
      () => this.#acksIgnored,
    );
    this.#total(
      "h8s_bare_replies_followed_total",
      "Messages ignored since they came after a reply without headers",
      () => this.#bareFollowed,
    );
    this.#gauge("h8s_websockets_open", "WebSockets that are open", () => this.#sockets);
    this.#gauge(
      "h8s_websockets_away",
      "WebSockets that wait for their client to come back",
      () => this.#socketsAway,
    );
    this.#gauge(
      "h8s_nats_connected",
      "1 while NATS is connected",
      () => Number(sources.connected()),
    );
  }

  /** Tells how much waits, and every code of an error from zero: a first one would hide from each rate. */
  watch({ codes, ...levels }: Levels & { readonly codes: readonly string[] }): void {
    registerLevels(this.#registry, levels);
    for (const code of codes) this.#refused.inc({ code }, 0);
    for (const reason of ABORTS) this.#aborted.inc({ reason }, 0);
    for (const code of CLOSES) this.#socketsClosed.inc({ code }, 0);
  }

  requestBegun(): void {
    this.#inFlight++;
  }

  /** An HTTP request was answered to its end. */
  requestEnded(...ended: Parameters<RequestMetrics["ended"]>): void {
    this.#inFlight--;
    this.#requests.ended(...ended);
  }

  responseAborted(reason: string): void {
    this.#aborted.inc({ reason });
  }

  requestRefused(code: string): void {
    this.#refused.inc({ code });
  }

  bodyBytes(direction: Direction, bytes: number): void {
    this.#httpBytes[direction] += bytes;
  }

  socketOpened(): void {
    this.#sockets++;
  }

  socketClosed(code: number): void {
    this.#sockets--;
    this.#socketsClosed.inc({ code: toCodeLabel(code) });
  }

  /** The client of a WebSocket has left and may come back, or is waited for no more. */
  socketsAway(change: 1 | -1): void {
    this.#socketsAway += change;
  }

  /** Too much waited for a client that was away. */
  resumeOverflowed(): void {
    this.#resumeOverflowed.inc();
  }

  message(direction: Direction, bytes: number): void {
    this.#messages[direction]++;
    this.#socketBytes[direction] += bytes;
  }

  messageUnheard(): void {
    this.#unheard.inc();
  }

  /** A stream has acknowledged what was no message for it. */
  streamAckIgnored(): void {
    this.#acksIgnored++;
  }

  /** A workload sent more after a reply without headers. */
  bareReplyFollowed(): void {
    this.#bareFollowed++;
  }

  handshakeAbandoned({ isLost = false } = {}): void {
    this.#abandoned.inc();
    if (isLost) this.#lostHandshakes.inc();
  }

  fault(stage: Stage): void {
    this.#faults[stage]++;
  }

  listenerStopped(): void {
    this.#listens.inc();
  }

  /** A record of a connection could not be written or taken back. */
  recordFailed(): void {
    this.#recordsFailed.inc();
  }

  /** The end of a lost gateway's connection was told. */
  lostClosed(): void {
    this.#lostClosed.inc();
  }

  /** The numbers in Prometheus's text format. */
  render(): Promise<string> {
    return this.#registry.metrics();
  }

  /** The same in OpenMetrics' text format, where buckets lead to traces. */
  async renderOpen(): Promise<string> {
    return renderOpenMetrics(await this.read(), this.#requests.exemplars);
  }

  /** The same numbers, for whoever draws them. */
  async read(): Promise<readonly Figure[]> {
    return await this.#registry.getMetricsAsJSON() as unknown as Figure[];
  }

  /** The media type of {@link Metrics.render}. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  #counter<L extends string>(name: string, help: string, labelNames: L[] = []): Counter<L> {
    return new Counter({ name, help, labelNames, registers: [this.#registry] });
  }

  #total(name: string, help: string, read: () => number): void {
    new Counter({
      ...{ name, help, registers: [this.#registry] },
      collect() {
        this.reset();
        this.inc(read());
      },
    });
  }

  #gauge(name: string, help: string, read: () => number): void {
    new Gauge({
      ...{ name, help, registers: [this.#registry] },
      collect() {
        this.set(read());
      },
    });
  }

  /**
   * A counter with one label, of plain numbers: prom-client looks its series up for each `inc()`, which
   * costs more than all else that is done for a frame. All series are there from the beginning: one that
   * appears with its first event hides that event from every rate.
   */
  #tally<V extends string>(
    name: string,
    help: string,
    labelName: string,
    values: readonly V[],
  ): Record<V, number> {
    const counts = Object.fromEntries(values.map((value) => [value, 0])) as Record<V, number>;
    new Counter({
      ...{ name, help, labelNames: [labelName], registers: [this.#registry] },
      collect() {
        this.reset();
        for (const value of values) this.labels(value).inc(counts[value]);
      },
    });
    return counts;
  }
}
