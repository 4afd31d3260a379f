/**
 * Requests to JetStream by a slot of the gateway's own inbox and its own way to the socket: through the client
 * library one takes several times as much of the processor.
 *
 * @module
 */
import type { HeaderBlock } from "../../mapping/headers.ts";
import { parseApiAnswer } from "../../mapping/jetstream.ts";
import type { Bus, BusMessage } from "../bus.ts";
import type { Inbox, Receiver, Slot } from "../inbox.ts";

/** What is asked. */
export interface JetStreamRequest {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly headers?: HeaderBlock;
  /** How long JetStream may take to answer, in milliseconds. */
  readonly timeoutMs: number;
}

/** What it takes to ask. */
export interface RequestParts {
  readonly bus: Pick<Bus, "publish">;
  readonly inbox: Pick<Inbox, "open">;
}

/** JetStream does not do what it was asked. */
export class JetStreamError extends Error {
  override readonly name = "JetStreamError";

  /** @param code Its own, e.g. 10071 for another last sequence than was expected; undefined where nobody answers. */
  constructor(message: string, readonly code?: number) {
    super(message);
  }
}

/**
 * Asks JetStream. The request is on its way when this returns.
 *
 * @returns The fields of its answer.
 * @throws {JetStreamError} when it refuses, or there is nobody who could answer.
 * @throws {Error} when NATS is away, or the answer does not come in time: it may be done or not.
 */
export function requestJetStream(request: JetStreamRequest, parts: RequestParts): Promise<Fields> {
  return new Promise((resolve, reject) => new Question(request, parts, { resolve, reject }));
}

type Fields = Readonly<Record<string, unknown>>;

/** One that waits for its answer. */
class Question implements Receiver {
  readonly takesAcks = true;
  /** The answer is read at once. */
  readonly borrows = true;
  readonly #request: JetStreamRequest;
  readonly #slot: Slot;
  readonly #settle: Pick<PromiseWithResolvers<Fields>, "resolve" | "reject">;

  constructor(
    request: JetStreamRequest,
    { bus, inbox }: RequestParts,
    settle: Pick<PromiseWithResolvers<Fields>, "resolve" | "reject">,
  ) {
    const { subject, data, headers, timeoutMs } = this.#request = request;
    this.#settle = settle;
    const { subject: reply } = this.#slot = inbox.open(this);
    this.#slot.setDeadline(timeoutMs);
    try {
      const options = headers === undefined ? { reply } : { reply, headers };
      if (bus.publish(subject, data, options)) return;
      this.#fail(new Error("Cannot ask JetStream: NATS is not connected"));
    } catch (error) {
      this.#fail(error);
    }
  }

  onMessage({ headers, data }: BusMessage): void {
    const answer = parseApiAnswer(headers, data);
    switch (answer.kind) {
      case "done":
        this.#slot.release();
        return this.#settle.resolve(answer.fields);
      case "refused":
        return this.#fail(new JetStreamError(answer.reason, answer.code));
      case "nobody": {
        const { subject } = this.#request;
        return this.#fail(
          new JetStreamError(`Cannot ask JetStream: nobody listens on "${subject}"`),
        );
      }
    }
  }

  onDeadline(): void {
    const { timeoutMs } = this.#request;
    this.#fail(new Error(`Cannot ask JetStream: it did not answer within ${timeoutMs} ms`));
  }

  #fail(error: unknown): void {
    this.#slot.release();
    this.#settle.reject(error);
  }
}
