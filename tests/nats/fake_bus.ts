/**
 * A {@link Bus} in memory whose connection is lost and found at a word: for what is built on a bus.
 *
 * @module
 */
import { decodeLatin1 } from "../../lib/mapping/latin1.ts";
import { isCovered } from "../../lib/mapping/subject_pattern.ts";
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

/** Passes on what buses say, as a server does. */
export class FakeNats {
  readonly buses = new Set<FakeBus>();

  /** Returns how many took it: each subscription, and one of each queue group. */
  pass(message: BusMessage): number {
    const all = [...this.buses].filter(({ state }) => state === "connected")
      .flatMap((bus) => bus.subscriptionsTo(message.subject).map((to) => ({ bus, to })));
    const groups = Object.groupBy(all, ({ to }) => to.options.queue ?? "");
    const { "": alone = [], ...shared } = groups;
    const chosen = Object.values(shared).map((members = []) =>
      members[Math.floor(Math.random() * members.length)]!
    );
    for (const { bus, to } of [...alone, ...chosen]) bus.hear(to, message);
    return alone.length + chosen.length;
  }
}

/** Everything that goes through it can be looked at. */
export class FakeBus implements Bus, AsyncDisposable {
  maxPayload = 1024 * 1024;
  reconnects = 0;
  unsentBytes = 0;
  /** What is published is kept here, and nobody is told that it is written. */
  readonly published: Published[] = [];
  readonly subscriptions = new Set<FakeSubscription>();
  readonly listeners = new Set<(state: BusState) => void>();
  /** How many more messages are taken before the connection is lost again, without a word. */
  budget = Number.POSITIVE_INFINITY;
  /** Makes a message one that can never be published: publish() throws. */
  isRefused: (subject: string) => boolean = () => false;
  /** What listeners threw, and subscribers of what was passed on. */
  readonly errors: unknown[] = [];
  /** Whether {@link FakeBus.flush} waits for {@link FakeBus.answer}. */
  holdsAnswers = false;
  readonly #unanswered: { resolve: () => void; reject: (error: Error) => void }[] = [];
  readonly #nats: FakeNats | undefined;
  #state: BusState;

  /**
   * @param state To begin with.
   * @param nats Who passes on what is published; @default nobody
   */
  constructor(state: BusState = "connected", nats?: FakeNats) {
    this.#state = state;
    this.#nats = nats;
    nats?.buses.add(this);
  }

  get state(): BusState {
    return this.#state;
  }

  publish(subject: string, data: Uint8Array, options: PublishOptions = {}): boolean {
    if (this.#state !== "connected" || this.budget === 0) return false;
    if (this.isRefused(subject)) throw new RangeError(`Cannot publish to ${subject}`);
    this.budget--;
    this.published.push({ subject, data, options });
    const nats = this.#nats;
    // Later, as over a network.
    if (nats !== undefined) queueMicrotask(() => pass(nats, { subject, data, options }));
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
    if (this.#state === "disconnected" && state === "connected") this.reconnects++;
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

  /** Delivers a message as NATS would. */
  deliver(subject: string, text = "", headers = ""): void {
    const message = { subject, reply: "", headers, data: new TextEncoder().encode(text) };
    for (const to of this.subscriptionsTo(subject)) lend(message, to);
  }

  /** Those that take a subject. */
  subscriptionsTo(subject: string): FakeSubscription[] {
    return [...this.subscriptions].filter((to) => isCovered(subject, to.subject));
  }

  /** One of its subscriptions gets a message. */
  hear(to: FakeSubscription, message: BusMessage): void {
    try {
      lend(message, to);
    } catch (error) {
      this.errors.push(error);
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    if (this.#state !== "closed") this.setState("closed");
    this.#nats?.buses.delete(this);
    return Promise.resolve();
  }
}

/** Who borrows has nothing left of a message once it has returned. */
function lend(message: BusMessage, { onMessage, options: { borrows } }: FakeSubscription): void {
  if (!borrows) return onMessage(message);
  const data = message.data.slice();
  try {
    onMessage({ ...message, data, isBorrowed: true });
  } finally {
    data.fill(0xff);
  }
}

function pass(
  nats: FakeNats,
  { subject, data, options: { reply = "", headers } }: Published,
): void {
  const block = typeof headers === "object" ? decodeLatin1(headers) : headers ?? "";
  const heard = nats.pass({ subject, reply, headers: block, data });
  if (heard > 0 || reply === "") return;
  nats.pass({ subject: reply, reply: "", headers: "NATS/1.0 503\r\n\r\n", data: new Uint8Array() });
}
