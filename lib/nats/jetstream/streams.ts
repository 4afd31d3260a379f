/**
 * What a gateway keeps in JetStream: messages, events, and what waits for clients that may come back.
 *
 * @module
 */
import type { GatewayConfig } from "../../config/schema.ts";
import type { Log } from "../../telemetry/log.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { Clock } from "../../time/clock.ts";
import type { Session } from "../client/session.ts";
import type { Inbox } from "../inbox.ts";
import { type EventStream, openEventStream } from "./event_stream.ts";
import { Persistence } from "./persistence.ts";
import { openResumeStream, type ResumeStream } from "./resume_stream.ts";

/** What they work with. */
export interface StreamsParts {
  readonly session: Session;
  readonly clock: Clock;
  readonly inbox: Inbox;
  readonly metrics: Metrics;
  readonly log: Log;
  /** How long JetStream may be away, in milliseconds. */
  readonly graceMs: () => number;
}

/** Each as it is configured; undefined where nothing is kept. */
export class Streams implements Disposable {
  readonly persistence: Persistence | undefined;
  readonly events: EventStream | undefined;
  readonly resume: ResumeStream | undefined;

  constructor(config: GatewayConfig, parts: StreamsParts) {
    this.persistence = config.persist === undefined
      ? undefined
      : new Persistence(config.persist, config, parts);
    this.events = openEventStream(config, parts);
    this.resume = openResumeStream(config, parts);
  }

  /** Resolves once all are there; rejects with a `StreamError` when one cannot be used. */
  get ready(): Promise<void> {
    return Promise.all(this.#all.map((stream) => stream?.ready)).then(() => {});
  }

  /** Why one of them cannot be used now. */
  get trouble(): string | undefined {
    if (this.resume?.isReady === false) return "the stream of resumable WebSockets is not there";
    return this.persistence?.trouble ?? this.events?.trouble;
  }

  /** Resolves once they have taken all that they were given. */
  async settled(): Promise<void> {
    await Promise.all([this.persistence?.persist.settled(), this.events?.settled()]);
  }

  /** Sees to them no more. */
  [Symbol.dispose](): void {
    for (const stream of this.#all) stream?.[Symbol.dispose]();
  }

  get #all() {
    return [this.persistence, this.resume, this.events];
  }
}
