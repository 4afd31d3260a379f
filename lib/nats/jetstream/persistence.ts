/**
 * The stream that was asked for, and the way into it.
 *
 * @module
 */
import type { GatewayConfig } from "../../config/schema.ts";
import { listCaptured, toConventionCapture } from "../../mapping/capture.ts";
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import { IdempotencyKeys } from "./idempotency_keys.ts";
import type { Inbox } from "../inbox.ts";
import { type Outcome, Persist } from "./persist.ts";
import { Provision } from "./provision.ts";
import type { Session } from "../client/session.ts";
import { openStream, type OptionNames, toWantedStream, type WantedStream } from "./stream.ts";

/** The flags of what is asked of the stream. */
const OPTION_NAMES: OptionNames = {
  storage: "--persist-storage",
  num_replicas: "--persist-replicas",
  max_bytes: "--persist-max-bytes",
  max_age: "--persist-max-age",
  duplicate_window: "--persist-dupe-window",
};

/** Whoever listens live hears it twice. */
const LATE = "JetStream is late, and a message is published again";

/** What it works with. */
export interface PersistenceParts {
  readonly session: Session;
  readonly clock: Clock;
  readonly inbox: Inbox;
  /** How long a message may wait while NATS is away, in milliseconds. */
  readonly graceMs: () => number;
  readonly metrics: Metrics;
  readonly log: Log;
}

/** Keeps the stream there as it is wanted, and publishes into it. */
export class Persistence implements Disposable {
  /** The way into the stream. */
  readonly persist: Persist;
  /** Which request a key was used for. */
  readonly keys: IdempotencyKeys;
  readonly #provision: Provision;

  /**
   * Sees to the stream at each connect.
   *
   * @param config What it is to be like, and which routes it serves.
   */
  constructor(stream: string, config: GatewayConfig, parts: PersistenceParts) {
    const { session, clock, inbox, graceMs, metrics, log } = parts;
    const subjects = listCaptured(config.routes, config.prefix);
    const convention = toConventionCapture(config.prefix);
    if (!subjects.includes(convention)) {
      const hint =
        "a route's subject overlaps with it; begin it with a token of its own to keep both";
      log.info("WebSockets without a route are not persisted", { subject: convention, hint });
    }
    this.persist = new Persist({
      bus: session,
      inbox,
      stream,
      subjects,
      graceMs,
      onOutcome: (outcome) => report(outcome, { metrics, log }),
      onRepeat: (cause) => {
        metrics.streams.messageRepeated(cause);
        if (cause === "late") log.warn(LATE);
      },
      onNobody: () => this.#provision.again(),
    });
    this.keys = new IdempotencyKeys({
      ...{ session, clock, inbox, stream, graceMs },
      storage: config.persistStorage,
      replicas: config.persistReplicas,
      windowMs: config.persistDupeWindow,
      onTrouble: ({ message }) => log.error(message),
    });
    const wanted = toPersistStream(stream, config);
    this.#provision = new Provision({ session, clock }, {
      task: async (connection) => {
        await openStream(connection, wanted, OPTION_NAMES);
        log.info("stream ready", { stream });
      },
      onTrouble: ({ message }) => log.error(message),
    });
  }

  /** Resolves once the stream is there; rejects with a `StreamError` when it cannot be used. */
  get ready(): Promise<void> {
    return this.#provision.ready;
  }

  /** Why nothing can be kept now; undefined when it can. */
  get trouble(): string | undefined {
    return this.#provision.isReady ? undefined : `the stream "${this.persist.stream}" is not there`;
  }

  /** Publishes no more. */
  [Symbol.dispose](): void {
    this.persist[Symbol.dispose]();
    this.keys[Symbol.dispose]();
    this.#provision[Symbol.dispose]();
  }
}

function report(outcome: Outcome, { metrics, log }: { metrics: Metrics; log: Log }): void {
  metrics.streams.messagePersisted(outcome.kind);
  if (outcome.kind !== "stored") log.warn("a message is not stored", { ...outcome });
}

/** What the stream is to be like. */
export function toPersistStream(name: string, config: GatewayConfig): WantedStream {
  return toWantedStream({
    name,
    subjects: listCaptured(config.routes, config.prefix),
    storage: config.persistStorage,
    replicas: config.persistReplicas,
    maxBytes: config.persistMaxBytes,
    maxAge: config.persistMaxAge,
    duplicateWindow: config.persistDupeWindow,
  });
}
