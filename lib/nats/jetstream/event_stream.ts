/**
 * The stream that keeps who came and who went.
 *
 * @module
 */
import { nanos } from "@nats-io/nats-core";
import type { GatewayConfig } from "../../config/schema.ts";
import { toKeptSubject } from "../../mapping/control.ts";
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Inbox } from "../inbox.ts";
import { Persist } from "./persist.ts";
import { Provision } from "./provision.ts";
import type { Session } from "../client/session.ts";
import { openStream, type OptionNames } from "./stream.ts";

/** An event is told again after a reconnect, and once more by whoever finds the record of a dead gateway. */
const DUPLICATE_WINDOW_MS = 120_000;
const OPTION_NAMES: OptionNames = {
  max_age: "--events-max-age",
  storage: "--persist-storage",
  num_replicas: "--persist-replicas",
};

/** What it works with. */
export interface EventStreamParts {
  readonly session: Session;
  readonly inbox: Inbox;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly clock: Clock;
}

/**
 * Opens the stream where events are to be kept.
 *
 * @returns The stream; undefined where events are only told.
 */
export function openEventStream(
  config: GatewayConfig,
  parts: EventStreamParts,
): EventStream | undefined {
  return config.events === undefined ? undefined : new EventStream(config.events, config, parts);
}

/** Keeps the stream there, and publishes into it until it has acknowledged. */
export class EventStream implements Disposable {
  readonly #persist: Persist;
  readonly #provision: Provision;

  /** Sees to the stream at each connect. */
  constructor(
    stream: string,
    { prefix, eventsMaxAge, persistStorage, persistReplicas }: GatewayConfig,
    { session, clock, inbox, metrics, log }: EventStreamParts,
  ) {
    const subjects = [toKeptSubject("*", { prefix, hostTokens: ">" })];
    this.#persist = new Persist({
      ...{ bus: session, inbox, stream, subjects },
      graceMs: () => Number.POSITIVE_INFINITY,
      onOutcome: (outcome) => {
        metrics.streams.eventKept(outcome.kind);
        if (outcome.kind === "refused") log.error("an event is not kept", { ...outcome });
      },
      onNobody: () => this.#provision.again(),
    });
    const windowMs = eventsMaxAge === 0
      ? DUPLICATE_WINDOW_MS
      : Math.min(DUPLICATE_WINDOW_MS, eventsMaxAge);
    this.#provision = new Provision({ session, clock }, {
      task: async (connection) => {
        await openStream(connection, {
          name: stream,
          subjects,
          retention: "limits",
          discard: "old",
          storage: persistStorage,
          num_replicas: persistReplicas,
          max_age: nanos(eventsMaxAge),
          duplicate_window: nanos(windowMs),
        }, OPTION_NAMES);
        log.info("stream ready", { stream });
      },
      onTrouble: ({ message }) => log.error(message),
    });
  }

  /** The stream's name. */
  get name(): string {
    return this.#persist.stream;
  }

  /** Resolves once the stream is there; rejects with a `StreamError` when it cannot be used. */
  get ready(): Promise<void> {
    return this.#provision.ready;
  }

  /** Why nothing can be kept now; undefined when it can. */
  get trouble(): string | undefined {
    return this.#provision.isReady ? undefined : `the stream "${this.name}" is not there`;
  }

  /**
   * Keeps an event, however long JetStream is away.
   *
   * @param subject From `toKeptSubject`.
   * @param headers The whole header block, `Nats-Msg-Id` included.
   */
  keep(subject: string, headers: Uint8Array): void {
    this.#persist.publish({ subject, data: new Uint8Array(), headers }, () => {});
  }

  /** Resolves when all events that were given are kept. */
  settled(): Promise<void> {
    return this.#persist.settled();
  }

  /** Publishes no more. */
  [Symbol.dispose](): void {
    this.#persist[Symbol.dispose]();
    this.#provision[Symbol.dispose]();
  }
}
