/**
 * Events from the stream that keeps them: those from before, and those that come, in order and each once.
 *
 * @module
 */
import { createInbox, type NatsConnection } from "@nats-io/nats-core";
import { parseDelivery } from "../../mapping/jetstream.ts";
import type { BusMessage } from "../../nats/bus.ts";
import type { Clock } from "../../time/clock.ts";
import type { Link, LinkSubscription, NatsClient } from "../link.ts";

/** A consumer that has nothing to deliver says so as often. */
const HEARTBEAT_MS = 5000;
/** A consumer that says nothing for so long is gone. */
const SILENCE_MS = 3 * HEARTBEAT_MS;
const RETRY_MS = 1000;
const NANOS = 1e6;

/** What is read, and who gets it. */
export interface KeptEventsOptions {
  readonly client: NatsClient;
  readonly stream: string;
  /** Which of its subjects. */
  readonly filters: readonly string[];
  readonly clock: Clock;
  /** Called with each event, and when the stream took it, in milliseconds since 1970. */
  readonly onEvent: (message: BusMessage, time: number) => void;
  readonly onError: (error: unknown) => void;
}

/** Reads on after the last one that came, with a new consumer, whenever the old one may have missed one. */
export class KeptEvents implements Disposable {
  readonly #link: Link;
  readonly #options: KeptEventsOptions;
  readonly #ready = Promise.withResolvers<void>();
  readonly #endState: () => void;
  #subscription: LinkSubscription | undefined;
  #last = 0;
  #isOver = false;
  #cancel: () => void = () => {};

  constructor(link: Link, options: KeptEventsOptions) {
    this.#link = link;
    this.#options = options;
    this.#endState = link.onState((isConnected) => isConnected && this.#start());
    this.#start();
  }

  /** Resolves when all has come that was kept before. */
  get ready(): Promise<void> {
    return this.#ready.promise;
  }

  /** Reads no more. */
  [Symbol.dispose](): void {
    this.#isOver = true;
    this.#endState();
    this.#stop();
    this.#ready.resolve();
  }

  #stop(): void {
    this.#cancel();
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  #start(): void {
    this.#stop();
    if (this.#isOver || !this.#link.isConnected) return;
    const inbox = createInbox();
    let count = 0;
    // Until it is there, and whenever it falls silent.
    const watch = (delayMs: number) => {
      this.#cancel();
      this.#cancel = this.#options.clock.after(delayMs, () => this.#start());
    };
    watch(SILENCE_MS);
    const subscription = this.#subscription = this.#link.subscribe(inbox, (message) => {
      watch(SILENCE_MS);
      const { seq, consumerSeq, time, pending } = parseDelivery(message.reply);
      // A heartbeat; one with a number that did not come says that it was lost.
      if (Number.isNaN(seq)) return;
      if (consumerSeq !== ++count) return this.#start();
      this.#last = seq;
      this.#options.onEvent(message, time);
      if (pending === 0) this.#ready.resolve();
    });
    this.#consume(inbox).then((pending) => {
      if (pending === 0) this.#ready.resolve();
    }).catch((error) => {
      if (this.#isOver || this.#subscription !== subscription) return;
      if (this.#link.isConnected) this.#options.onError(error);
      watch(RETRY_MS);
    });
  }

  async #consume(inbox: string): Promise<number> {
    const { client, stream, filters } = this.#options;
    // Only who uses it pays for loading it.
    const { jetstreamManager } = await import("@nats-io/jetstream");
    const { consumers } = await jetstreamManager(client as NatsConnection, { checkAPI: false });
    const { num_pending } = await consumers.add(stream, {
      deliver_subject: inbox,
      ...(filters.length === 1
        ? { filter_subject: filters[0]! }
        : { filter_subjects: [...filters] }),
      ...(this.#last === 0
        ? { deliver_policy: "all" }
        : { deliver_policy: "by_start_sequence", opt_start_seq: this.#last + 1 }),
      ack_policy: "none",
      mem_storage: true,
      num_replicas: 1,
      idle_heartbeat: HEARTBEAT_MS * NANOS,
      inactive_threshold: 2 * SILENCE_MS * NANOS,
    });
    return num_pending;
  }
}
