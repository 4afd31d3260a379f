/**
 * A {@link Bus} in memory whose connection is lost and found at a word: for what is built on a bus.
 *
 * @module
 */
import type {
  Bus,
  BusMessage,
  BusState,
  BusSubscription,
  PublishOptions,
  SubscribeOptions,
} from "../../lib/nats/bus.ts";

/** What was published. */
export interface Published {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly options: PublishOptions;
}

interface FakeSubscription {
  readonly subject: string;
  readonly onMessage: (message: BusMessage) => void;
  readonly options: SubscribeOptions;
}

/** Everything that goes through it can be looked at. */
export class FakeBus implements Bus {
  readonly maxPayload = 1024 * 1024;
  readonly reconnects = 0;
  unsentBytes = 0;
  readonly published: Published[] = [];
  readonly subscriptions = new Set<FakeSubscription>();
  readonly listeners = new Set<(state: BusState) => void>();
  /** How many more messages are taken before the connection is lost again, without a word. */
  budget = Number.POSITIVE_INFINITY;
  /** Makes a message one that can never be published: publish() throws. */
  isRefused: (subject: string) => boolean = () => false;
  /** What listeners threw. */
  readonly errors: unknown[] = [];
  /** Whether {@link FakeBus.flush} waits for {@link FakeBus.answer}. */
  holdsAnswers = false;
  readonly #unanswered: { resolve: () => void; reject: (error: Error) => void }[] = [];
  #state: BusState;

  /**
   * @param state To begin with.
   */
  constructor(state: BusState = "connected") {
    this.#state = state;
  }

  get state(): BusState {
    return this.#state;
  }

  publish(subject: string, data: Uint8Array, options: PublishOptions = {}): boolean {
    if (this.#state !== "connected" || this.budget === 0) return false;
    if (this.isRefused(subject)) throw new RangeError(`Cannot publish to ${subject}`);
    this.budget--;
    this.published.push({ subject, data, options });
    return true;
  }

  subscribe(
    subject: string,
    onMessage: (message: BusMessage) => void,
    options: SubscribeOptions = {},
  ): BusSubscription {
    const subscription = { subject, onMessage, options };
    this.subscriptions.add(subscription);
    return { unsubscribe: () => this.subscriptions.delete(subscription) };
  }

  onState(listener: (state: BusState) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  flush(): Promise<void> {
    if (!this.holdsAnswers) return Promise.resolve();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#unanswered.push({ resolve, reject });
    return promise;
  }

  /** The server answers what it was asked; what it read is not lost any more. */
  answer(): void {
    for (const { resolve } of this.#unanswered.splice(0)) resolve();
  }

  /** Changes the state; the listeners hear of it, also those behind one that throws. */
  setState(state: BusState): void {
    this.#state = state;
    if (state !== "connected") {
      for (const { reject } of this.#unanswered.splice(0)) reject(new Error("NATS is lost"));
    }
    for (const listener of this.listeners) {
      try {
        listener(state);
      } catch (error) {
        this.errors.push(error);
      }
    }
  }

  /** Changes the state before anyone has heard of it. */
  setStateInSilence(state: BusState): void {
    this.#state = state;
  }

  /** Delivers a message as NATS would; `*` is the only wildcard that is understood. */
  deliver(subject: string, text = "", headers = ""): void {
    const message = { subject, reply: "", headers, data: new TextEncoder().encode(text) };
    const tokens = subject.split(".");
    for (const subscription of this.subscriptions) {
      const pattern = subscription.subject.split(".");
      const isMatch = pattern.length === tokens.length &&
        pattern.every((token, index) => token === "*" || token === tokens[index]);
      if (isMatch) subscription.onMessage(message);
    }
  }
}
