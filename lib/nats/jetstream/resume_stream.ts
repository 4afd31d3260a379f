/**
 * The stream that keeps what is sent to resumable connections, for as long as they may come back.
 *
 * @module
 */
import type { JetStreamManager } from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import type { GatewayConfig } from "../../config/schema.ts";
import { type ResumeSubjects, toResumeSubjects } from "../../mapping/resume.ts";
import { parseDelivery } from "../../mapping/jetstream.ts";
import type { Clock } from "../../time/clock.ts";
import type { Log } from "../../telemetry/log.ts";
import type { BusMessage } from "../bus.ts";
import type { Inbox } from "../inbox.ts";
import { Provision } from "./provision.ts";
import type { Session } from "../client/session.ts";
import { isNotFound, openStream, type OptionNames } from "./stream.ts";

/** A client may need longer than its window when its gateway dies: until that is noticed. */
const AGE_MARGIN_MS = 30_000;
/** How long JetStream may take to answer, and until the next message of a replay comes. */
const TIMEOUT_MS = 3000;

const OPTION_NAMES: OptionNames = {
  max_age: "--resume",
  max_bytes: "--resume-max-bytes",
  storage: "--persist-storage",
  num_replicas: "--persist-replicas",
};

/** What it works with. */
export interface ResumeStreamParts {
  readonly session: Session;
  readonly clock: Clock;
  readonly inbox: Inbox;
}

/** What the stream is to be like. */
export interface ResumeStreamOptions {
  readonly subjects: ResumeSubjects;
  /** The longest window of any route, in milliseconds. */
  readonly windowMs: number;
  readonly maxBytes: number;
  readonly storage: "file" | "memory";
  readonly replicas: number;
  /** Told of each failure to open the stream. */
  readonly onTrouble: (error: Error) => void;
}

/**
 * Opens the stream where anybody may resume.
 *
 * @param config Says for how long, and what the stream is to be like.
 * @param parts The connection, the inbox by which replays come, and the log.
 * @returns The stream; undefined where nobody may.
 */
export function openResumeStream(
  config: GatewayConfig,
  { session, clock, inbox, log }: ResumeStreamParts & { readonly log: Log },
): ResumeStream | undefined {
  const windowMs = Math.max(config.resume, ...config.routes.map(({ resumeMs = 0 }) => resumeMs));
  if (windowMs === 0 || config.connectionRecords === "off") return undefined;
  return new ResumeStream({ session, clock, inbox }, {
    subjects: toResumeSubjects(config.prefix),
    windowMs,
    maxBytes: config.resumeMaxBytes === 0 ? -1 : config.resumeMaxBytes,
    storage: config.persistStorage,
    replicas: config.persistReplicas,
    onTrouble: ({ message }) => log.error(message),
  });
}

/** Which messages the stream has. */
export interface Extent {
  readonly first: number;
  readonly last: number;
}

/** Keeps the stream there as it is wanted, and reads from it. */
export class ResumeStream implements Disposable {
  readonly #name: string;
  readonly #session: Session;
  readonly #inbox: Inbox;
  readonly #provision: Provision;
  #manager: JetStreamManager | undefined;
  #onReady: () => Promise<void> = () => Promise.resolve();
  #onGone: () => void = () => {};

  /**
   * Sees to the stream at each connect.
   *
   * @param parts The connection, and the inbox by which replays come.
   */
  constructor(
    { session, clock, inbox }: ResumeStreamParts,
    options: ResumeStreamOptions,
  ) {
    const { subjects, windowMs, maxBytes, storage, replicas } = options;
    this.#name = subjects.stream;
    this.#session = session;
    this.#inbox = inbox;
    this.#provision = new Provision({ session, clock }, {
      task: async (connection) => {
        await openStream(connection, {
          name: subjects.stream,
          subjects: [subjects.inboxes],
          retention: "limits",
          discard: "old",
          storage,
          num_replicas: replicas,
          max_bytes: maxBytes,
          max_age: nanos(windowMs + AGE_MARGIN_MS),
          republish: { src: subjects.inboxes, dest: subjects.republished },
        }, OPTION_NAMES);
        const { jetstreamManager } = await import("@nats-io/jetstream");
        this.#manager = await jetstreamManager(connection, {
          checkAPI: false,
          timeout: TIMEOUT_MS,
        });
        await this.#onReady();
      },
      onTrouble: options.onTrouble,
    });
  }

  /** Resolves once the stream is there; rejects with a `StreamError` when it cannot be used. */
  get ready(): Promise<void> {
    return this.#provision.ready;
  }

  /** True once the stream is there. */
  get isReady(): boolean {
    return this.#provision.isReady;
  }

  /** Does something at each connect once the stream is there, and when a new one is. */
  onReady(task: () => Promise<void>): void {
    this.#onReady = task;
  }

  /** Does something when it turns out that somebody deleted the stream. */
  onGone(task: () => void): void {
    this.#onGone = task;
  }

  /** Asks which messages there are. A stream that was deleted is made again. */
  async extent(): Promise<Extent> {
    try {
      const { state } = await this.#opened().streams.info(this.#name);
      return { first: state.first_seq, last: state.last_seq };
    } catch (error) {
      if (isNotFound(error)) this.#seeToItAgain();
      throw error;
    }
  }

  /**
   * Reads what was sent to a connection.
   *
   * @param options `from`: the first number; `onMessage`: gets each message with its number, in order.
   * @returns When all that there is has been read.
   * @throws {Error} when the stream does not tell all of it.
   */
  async replay(
    inbox: string,
    { from, onMessage }: { from: number; onMessage: (seq: number, message: BusMessage) => void },
  ): Promise<void> {
    const done = Promise.withResolvers<void>();
    let count = 0;
    const slot = this.#inbox.open({
      onMessage: () => {},
      onDeadline: () => done.reject(new Error("Cannot replay: JetStream does not answer")),
      onAbort: (reason) => done.reject(new Error(`Cannot replay: ${reason}`)),
    });
    // What a consumer delivers keeps its subject: only a subscription of its own tells it from the rest.
    const deliverSubject = `${slot.subject}.replay`;
    const subscription = this.#session.subscribe(deliverSubject, (message) => {
      const { seq, consumerSeq, pending } = parseDelivery(message.reply);
      if (consumerSeq !== ++count) {
        return done.reject(new Error("Cannot replay: a message is missing"));
      }
      slot.setDeadline(TIMEOUT_MS);
      onMessage(seq, message);
      if (pending === 0) done.resolve();
    });
    // It may fail before anybody waits for it.
    done.promise.catch(() => {});
    const { consumers } = this.#opened();
    try {
      const { name, num_pending } = await consumers.add(this.#name, {
        deliver_subject: deliverSubject,
        filter_subject: inbox,
        deliver_policy: "by_start_sequence",
        opt_start_seq: from,
        ack_policy: "none",
        mem_storage: true,
        num_replicas: 1,
      });
      if (num_pending > 0 || count > 0) {
        slot.setDeadline(TIMEOUT_MS);
        await done.promise;
      }
      // It would go by itself after a while.
      consumers.delete(this.#name, name).catch(() => {});
    } finally {
      subscription.unsubscribe();
      slot.release();
    }
  }

  /** Removes what was sent to a connection. */
  async forget(inbox: string): Promise<void> {
    await this.#opened().streams.purge(this.#name, { filter: inbox });
  }

  /** Sees to the stream no more. */
  [Symbol.dispose](): void {
    this.#provision[Symbol.dispose]();
  }

  #seeToItAgain(): void {
    this.#onGone();
    this.#provision.again();
  }

  #opened(): JetStreamManager {
    if (this.#manager === undefined) throw new Error("Cannot read the stream: it is not there");
    return this.#manager;
  }
}

/** The stream, whatever it is made of. */
export type ResumeStore = Pick<ResumeStream, keyof ResumeStream>;
