/**
 * Which request a key was first used for. A stream knows by a message id that a message came before, but not
 * whether it was this one; and by then a worker may have taken it away.
 *
 * So for each key there is one message in a stream of its own, which takes one message a subject and refuses
 * the second: its subject is the key, its id the key with the request's fingerprint. What the stream says is
 * the answer, in one round trip and whichever gateway asks: stored, the key is new; a duplicate, it was used
 * for the same request; refused, for another one.
 *
 * @module
 */
import { nanos } from "@nats-io/nats-core";
import { GatewayError } from "../../errors.ts";
import { toHeaderBlock } from "../../mapping/headers.ts";
import { toPersistLines } from "../../mapping/jetstream.ts";
import { digest } from "../../mapping/message_id.ts";
import type { Clock } from "../../time/clock.ts";
import type { Inbox } from "../inbox.ts";
import { type Outcome, Persist } from "./persist.ts";
import type { Session } from "../client/session.ts";
import { openStream, type OptionNames, type WantedStream } from "./stream.ts";
import { encodeLatin1 } from "../../mapping/latin1.ts";

/** A message may be stored so much later than its key is used, and is to be recognised from then on. */
const LATER_MS = 60_000;
/** How long to wait before the stream is asked for again, in milliseconds. */
const RETRY_MS = 1000;
const EMPTY = new Uint8Array();
/** JetStream has one code for all that it cannot store; the text tells them apart (nats-server 2.9 to 2.15). */
const SUBJECT_IS_FULL = /messages per subject exceeded/;
const OPTION_NAMES: OptionNames = {
  storage: "--persist-storage",
  num_replicas: "--persist-replicas",
  max_age: "--persist-dupe-window and a minute",
  duplicate_window: "--persist-dupe-window and a minute",
};

/** What they are kept in. */
export interface KeyOptions {
  readonly session: Session;
  readonly clock: Clock;
  readonly inbox: Inbox;
  /** The stream whose messages they are for. */
  readonly stream: string;
  readonly storage: "file" | "memory";
  readonly replicas: number;
  /** How long that stream recognises a message, in milliseconds. */
  readonly windowMs: number;
  /** How long JetStream may stay away, in milliseconds; asked for each key. */
  readonly graceMs: () => number;
  /** Told when the keys cannot be kept. */
  readonly onTrouble: (error: Error) => void;
}

/** The keys that were used within the duplicate window. */
export class IdempotencyKeys implements Disposable {
  readonly #session: Session;
  readonly #wanted: WantedStream;
  readonly #persist: Persist;
  readonly #endState: () => void;
  readonly #onTrouble: (error: Error) => void;
  #opened: Promise<void> | undefined;
  readonly #clock: Clock;
  #endRetry: (() => void) | undefined;

  /**
   * @param options What they are kept in; the stream is made when the first key comes.
   */
  constructor(options: KeyOptions) {
    const { session, clock, inbox, stream, storage, replicas, windowMs, graceMs, onTrouble } =
      options;
    [this.#session, this.#clock] = [session, clock];
    this.#onTrouble = onTrouble;
    const bucket = `${stream}-keys`;
    const keptNs = nanos(windowMs + LATER_MS);
    this.#wanted = {
      name: `KV_${bucket}`,
      subjects: [`$KV.${bucket}.>`],
      storage,
      num_replicas: replicas,
      max_msgs_per_subject: 1,
      discard: "new",
      discard_new_per_subject: true,
      max_age: keptNs,
      duplicate_window: keptNs,
    };
    const { name, subjects = [] } = this.#wanted;
    this.#persist = new Persist({
      ...{ bus: session, inbox, stream: name, subjects, graceMs },
      onOutcome: () => {},
      onNobody: () => this.#reopen(),
    });
    // What was kept in memory may be gone with the server.
    this.#endState = session.onState(() => this.#opened = undefined);
  }

  /**
   * Uses a key for a request, for the first time or again.
   *
   * @param fingerprint One token: what tells the request from others.
   * @throws {GatewayError} `key_reused` when it was used for another request; `not_stored` when that cannot
   * be found out now.
   */
  async use(key: string, fingerprint: string): Promise<void> {
    await this.#open();
    const { promise, resolve } = Promise.withResolvers<Outcome>();
    const name = digest(key);
    const lines = toPersistLines({
      stream: this.#persist.stream,
      messageId: `${name}:${fingerprint}`,
    });
    const headers = encodeLatin1(toHeaderBlock(lines));
    const subject = this.#persist.subjects[0]!.replace(">", name);
    this.#persist.publish({ subject, data: EMPTY, headers }, resolve);
    const outcome = await promise;
    if (outcome.kind === "stored") return;
    if (SUBJECT_IS_FULL.test(outcome.reason)) {
      const detail = "This Idempotency-Key was used for a request with another body or query";
      throw new GatewayError("key_reused", detail);
    }
    throw notStored(outcome.reason);
  }

  /** Waits for nothing any more. */
  [Symbol.dispose](): void {
    this.#endRetry?.();
    this.#endState();
    this.#persist[Symbol.dispose]();
  }

  /** Somebody may have deleted it; who waits asks again in a moment. */
  #reopen(): void {
    if (this.#endRetry !== undefined || this.#session.connection === undefined) return;
    this.#endRetry = this.#clock.after(RETRY_MS, () => {
      this.#endRetry = undefined;
    });
    this.#opened = undefined;
    this.#open().catch(() => {});
  }

  #open(): Promise<void> {
    const { connection } = this.#session;
    if (connection === undefined) throw notStored("NATS is not connected");
    return this.#opened ??= openStream(connection, this.#wanted, OPTION_NAMES).catch((error) => {
      // Not anew for each request.
      this.#endRetry?.();
      this.#endRetry = this.#clock.after(RETRY_MS, () => {
        this.#opened = this.#endRetry = undefined;
      });
      this.#onTrouble(error);
      throw notStored("the stream of the keys is not there", error);
    });
  }
}

function notStored(reason: string, cause?: unknown): GatewayError {
  return new GatewayError("not_stored", `The message is not stored: ${reason}`, { cause });
}
