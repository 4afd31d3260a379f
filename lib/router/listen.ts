/**
 * The contract of a router that listens to NATS: options, failures and the handle that stops it.
 *
 * @module
 */
import type { JetStreamMessage, SourceMessage } from "./source.ts";

/** What JetStream was told about a message. */
export type Settlement = "ack" | "nak" | "term";

/** What an error is about. */
export type ListenFailure =
  | {
    /** A handler threw. */
    readonly stage: "handler";
    readonly message: SourceMessage;
    /** `"none"` on a core subscription. */
    readonly action: "none" | "nak" | "term";
  }
  | {
    /** No pattern fits the subject, and no middleware kept the message. */
    readonly stage: "unmatched";
    readonly message: SourceMessage;
    /** `"none"` on a core subscription. */
    readonly action: "none" | "term";
  }
  | {
    /** JetStream could not be told; it will deliver the message again. */
    readonly stage: "settle";
    readonly message: JetStreamMessage;
    readonly action: Settlement;
  }
  | {
    /** The subscription or the consumer failed: nothing more will come. */
    readonly stage: "source";
  };

/** How a router listens. */
export interface ListenOptions {
  /**
   * How often JetStream may deliver a message whose handling fails, before it is terminated.
   *
   * @default 5
   */
  readonly maxDeliver?: number;
  /**
   * Milliseconds after which JetStream delivers a message again whose handling failed, or that
   * `stop` gave back.
   *
   * @default 1000
   */
  readonly nakDelayMs?: number;
  /**
   * How many messages are handled at a time. With 1 they are handled in order.
   *
   * @default 1
   */
  readonly concurrency?: number;
  /**
   * Told of everything that goes wrong. When it throws, listening stops and `finished` rejects
   * with what it threw.
   *
   * @default writes to `console.error`
   */
  readonly onError?: (error: unknown, failure: ListenFailure) => void | Promise<void>;
}

/** A router that listens. */
export interface Listening extends AsyncDisposable {
  /**
   * Resolves when the last message is handled, after `stop` or the end of the subscription.
   * Rejects when the source failed, or with what `onError` threw.
   */
  readonly finished: Promise<void>;
  /**
   * Takes no more messages, and waits for the handlers that run. A core subscription is drained:
   * what has arrived is handled. JetStream gets back what was fetched and not begun. Close the
   * connection after it, not before. Not to be awaited inside a handler, which would wait for
   * itself.
   *
   * @returns `finished`.
   */
  stop(): Promise<void>;
}

/**
 * A message that no pattern fits.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { UnmatchedSubjectError } from "./listen.ts";
 *
 * const error = new UnmatchedSubjectError("order.new");
 * assert.equal(error.message, 'Cannot route "order.new": no pattern matches');
 * ```
 */
export class UnmatchedSubjectError extends Error {
  /** Always `"UnmatchedSubjectError"`. */
  override readonly name = "UnmatchedSubjectError";

  /**
   * Makes the error.
   *
   * @param subject The subject of the message.
   */
  constructor(readonly subject: string) {
    super(`Cannot route ${JSON.stringify(subject)}: no pattern matches`);
  }
}

/**
 * Fills in the defaults.
 *
 * @param options What the caller wants.
 * @returns All of it.
 * @throws {RangeError} when an option is out of its range.
 */
export function toListenSettings(options: ListenOptions): Required<ListenOptions> {
  const { maxDeliver = 5, nakDelayMs = 1000, concurrency = 1, onError = logFailure } = options;
  assertWhole("maxDeliver", maxDeliver, 1);
  assertWhole("nakDelayMs", nakDelayMs, 0);
  assertWhole("concurrency", concurrency, 1);
  return { maxDeliver, nakDelayMs, concurrency, onError };
}

function assertWhole(name: string, value: number, least: number): void {
  if (Number.isSafeInteger(value) && value >= least) return;
  throw new RangeError(
    `Cannot listen: ${name} must be a whole number of at least ${least}, not "${value}"`,
  );
}

function logFailure(error: unknown, failure: ListenFailure): void {
  const about = failure.stage === "source" ? "" : ` of ${JSON.stringify(failure.message.subject)}`;
  console.error(`Router: the ${failure.stage} stage${about} failed:`, error);
}
