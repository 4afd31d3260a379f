/**
 * Publishing into a JetStream stream: a message counts as taken when the stream has it, and not before.
 *
 * The reply subject of such a message is a slot of the gateway's own inbox, where JetStream acknowledges.
 * What is not acknowledged in time, or was under way when the connection was lost, is published again
 * under the same `Nats-Msg-Id`, which the stream keeps once (NATS ADR-2, duplicate window).
 *
 * @module
 */
import { SubjectIndex } from "../../mapping/subject_index.ts";
import { isCovered } from "../../mapping/subject_pattern.ts";
import { parsePubAck, type PubAck } from "../../mapping/jetstream.ts";
import type { Bus, BusMessage } from "../bus.ts";
import type { Inbox, Receiver, Slot } from "../inbox.ts";

/**
 * How long JetStream may take before a message is published again, in milliseconds; the same as in the client
 * libraries. Whoever listens live hears it twice then, so a busy server is given time.
 */
const ACK_TIMEOUT_MS = 5000;
/** The same where nobody answered at all: the stream may be between two leaders. */
const NOBODY_TIMEOUT_MS = 500;
/** While so much waits for the system nothing is sent again. */
const BUSY_BYTES = 4 * 1024 * 1024;
const BUSY_MS = 20;

/** What became of a message. */
export type Outcome =
  | Extract<PubAck, { kind: "stored" }>
  /** JetStream does not take it, e.g. since the stream is full. */
  | { readonly kind: "refused"; readonly reason: string; readonly isTooLarge?: boolean }
  /** JetStream did not answer within the grace; it may have the message or not. */
  | { readonly kind: "unavailable"; readonly reason: string };

/** A message for the stream. */
export interface PersistentMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  /** The whole header block; it has `Nats-Msg-Id` and `Nats-Expected-Stream`. */
  readonly headers: Uint8Array;
}

/** What it works with. */
export interface PersistOptions {
  readonly bus: Bus;
  readonly inbox: Pick<Inbox, "open">;
  /** The stream's name. */
  readonly stream: string;
  /** What it captures. */
  readonly subjects: readonly string[];
  /** How long JetStream may stay away, in milliseconds; asked for each message. */
  readonly graceMs: () => number;
  /** Told of each outcome. */
  readonly onOutcome: (outcome: Outcome) => void;
  /** Told whenever a message that had been published is published again. */
  readonly onRepeat?: (cause: RepeatCause) => void;
  /** Told when no stream takes a message, which is said again meanwhile: it may be gone. */
  readonly onNobody?: () => void;
}

/** Why a message is published again: what was under way is lost with its connection, or JetStream is late. */
export type RepeatCause = "reconnect" | "late";

/** The messages on their way into the stream. */
export class Persist implements Disposable {
  readonly #options: PersistOptions;
  /** In the order in which they were given. */
  readonly #pending = new Set<Pending>();
  readonly #captured = new SubjectIndex<string>();
  readonly #endState: () => void;
  /** Those that are sent again after a reconnect; what is new goes behind them. */
  #toSend: Iterator<Pending> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #onIdle: (() => void) | undefined;

  constructor(options: PersistOptions) {
    this.#options = options;
    for (const subject of options.subjects) this.#captured.add(subject, subject);
    this.#endState = options.bus.onState((state) => {
      if (state !== "connected") return;
      this.#toSend = this.#pending.values();
      this.#sendAgain();
    });
  }

  /** The stream's name. */
  get stream(): string {
    return this.#options.stream;
  }

  /** What the stream captures. */
  get subjects(): readonly string[] {
    return this.#options.subjects;
  }

  /**
   * Publishes a message, held while NATS is away. Whoever publishes bounds how many wait.
   *
   * @param onOutcome Called once.
   */
  publish(message: PersistentMessage, onOutcome: (outcome: Outcome) => void): void {
    const pending: Pending = new Pending(message, this.#options, (outcome) => {
      this.#pending.delete(pending);
      this.#options.onOutcome(outcome);
      onOutcome(outcome);
      if (this.#pending.size === 0) this.#onIdle?.();
    });
    this.#pending.add(pending);
    if (this.#toSend === undefined) pending.send();
    else pending.wait();
  }

  /**
   * Says whether a stream would answer a request on a subject with its own acknowledgement.
   *
   * @returns True when the stream captures it.
   */
  captures(subject: string): boolean {
    return this.#captured.someOverlap(subject, (pattern) => isCovered(subject, pattern));
  }

  /** Resolves when nothing waits. */
  async settled(): Promise<void> {
    if (this.#pending.size === 0) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    await promise;
  }

  /** Waits for nothing any more. */
  [Symbol.dispose](): void {
    this.#endState();
    clearTimeout(this.#timer);
    for (const pending of this.#pending) pending.release();
    this.#pending.clear();
  }

  /** In order, and not faster than the system takes it. */
  #sendAgain(): void {
    clearTimeout(this.#timer);
    while (!isBusy(this.#options.bus)) {
      const { done, value } = this.#toSend!.next();
      if (done) return void (this.#toSend = undefined);
      value.send("reconnect");
    }
    this.#timer = setTimeout(() => this.#sendAgain(), BUSY_MS);
  }
}

/** What is sent again has its headers encoded for it, which may be a hundred times what it says. */
function isBusy({ unsentBytes }: Bus): boolean {
  return unsentBytes >= BUSY_BYTES;
}

/** One message. */
class Pending implements Receiver {
  readonly takesAcks = true;
  readonly #message: PersistentMessage;
  readonly #options: PersistOptions;
  readonly #onOutcome: (outcome: Outcome) => void;
  readonly #slot: Slot;
  readonly #giveUpAt: number;
  #wasOut = false;

  constructor(
    message: PersistentMessage,
    options: PersistOptions,
    onOutcome: (outcome: Outcome) => void,
  ) {
    this.#message = message;
    this.#options = options;
    this.#onOutcome = onOutcome;
    this.#slot = options.inbox.open(this);
    this.#giveUpAt = performance.now() + options.graceMs();
  }

  /** @param cause Why it is published again, if it was before. */
  send(cause?: RepeatCause): void {
    const { subject, data, headers } = this.#message;
    try {
      const isOut = this.#options.bus.publish(subject, data, {
        headers,
        reply: this.#slot.subject,
      });
      if (isOut && this.#wasOut && cause !== undefined) this.#options.onRepeat?.(cause);
      this.#wasOut ||= isOut;
    } catch (error) {
      const isTooLarge = headers.length + data.length > this.#options.bus.maxPayload;
      return this.#end({ kind: "refused", reason: String(error), isTooLarge });
    }
    this.#wait(ACK_TIMEOUT_MS);
  }

  /** Its turn comes. */
  wait(): void {
    this.#wait(ACK_TIMEOUT_MS);
  }

  onMessage({ headers, data }: BusMessage): void {
    const ack = parsePubAck(headers, data);
    switch (ack?.kind) {
      case undefined:
        // A subscriber who saw the message as well has answered it; that says nothing of the stream.
        return;
      case "nobody":
        this.#options.onNobody?.();
        return this.#wait(NOBODY_TIMEOUT_MS);
      case "stored":
      case "refused":
        return this.#end(ack);
    }
  }

  onDeadline(): void {
    if (performance.now() < this.#giveUpAt) {
      return isBusy(this.#options.bus) ? this.#wait(BUSY_MS) : this.send("late");
    }
    this.#end({ kind: "unavailable", reason: "JetStream does not answer" });
  }

  release(): void {
    this.#slot.release();
  }

  #wait(timeoutMs: number): void {
    this.#slot.setDeadline(Math.min(timeoutMs, this.#giveUpAt - performance.now()));
  }

  #end(outcome: Outcome): void {
    this.#slot.release();
    this.#onOutcome(outcome);
  }
}
