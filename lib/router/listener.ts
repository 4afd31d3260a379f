/**
 * Takes messages from NATS to the handlers, and tells JetStream what became of each.
 *
 * @module
 */
import type { RouterMessage } from "./chain.ts";
import { ConsumerSpan } from "./consumer_span.ts";
import {
  type ListenFailure,
  type Listening,
  type ListenOptions,
  type Settlement,
  toListenSettings,
  UnmatchedSubjectError,
} from "./listen.ts";
import type { CoreMessage, JetStreamMessage, MessageSource, SourceMessage } from "./source.ts";

/** Runs the handlers for a message; resolves to false when there was none. */
export type RouteMessage = (message: RouterMessage<Uint8Array>) => Promise<boolean>;

/**
 * Starts to take messages from a source.
 *
 * @param source A subscription without callback, or the messages of a JetStream consumer.
 * @param route What to do with each.
 * @param options How.
 * @returns The handle that stops it.
 * @throws {RangeError} when an option is out of its range.
 */
export function listenTo(
  source: MessageSource,
  route: RouteMessage,
  options: ListenOptions = {},
): Listening {
  return new Listener(source, route, toListenSettings(options));
}

type Fault = { readonly stage: "handler" | "unmatched"; readonly error: unknown };

class Listener implements Listening {
  readonly finished: Promise<void>;
  readonly #source: MessageSource;
  readonly #route: RouteMessage;
  readonly #settings: Required<ListenOptions>;
  #halted: Promise<void> | undefined;
  #failure: { readonly error: unknown } | undefined;

  constructor(
    source: MessageSource,
    route: RouteMessage,
    settings: Required<ListenOptions>,
  ) {
    this.#source = source;
    this.#route = route;
    this.#settings = settings;
    this.finished = this.#run();
  }

  stop(): Promise<void> {
    this.#halted ??= halt(this.#source);
    return this.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #run(): Promise<void> {
    const iterator = this.#source[Symbol.asyncIterator]();
    const workers = Array.from(
      { length: this.#settings.concurrency },
      () => this.#work(iterator),
    );
    await Promise.all(workers);
    await this.#halted;
    if (this.#failure !== undefined) throw this.#failure.error;
  }

  /** The workers share an iterator: each takes the next message when it has done its own. */
  async #work(iterator: AsyncIterator<SourceMessage>): Promise<void> {
    for (;;) {
      let step: IteratorResult<SourceMessage>;
      try {
        step = await iterator.next();
      } catch (error) {
        await this.#fail(error);
        return;
      }
      if (step.done) return;
      if ("ack" in step.value) await this.#takePersisted(step.value);
      else await this.#takeLive(step.value);
    }
  }

  async #takeLive(message: CoreMessage): Promise<void> {
    const fault = await this.#attempt({
      ...toRouterMessage(message),
      respond: message.respond.bind(message),
    });
    if (fault !== undefined) {
      await this.#report(fault.error, { stage: fault.stage, message, action: "none" });
    }
  }

  async #takePersisted(message: JetStreamMessage): Promise<void> {
    if (this.#halted !== undefined) {
      // Not at once: until the server has noticed that the pull request is dead, a message that
      // is given back may be sent there, or be queued twice.
      await this.#settle(message, "nak", () => message.nak(this.#settings.nakDelayMs));
      return;
    }
    const fault = await this.#attempt(toRouterMessage(message));
    if (fault === undefined) {
      await this.#settle(message, "ack", () => message.ack());
    } else if (fault.stage === "unmatched") {
      await this.#terminate(message, { reason: "no pattern matches", limit: 1 });
      await this.#report(fault.error, { stage: fault.stage, message, action: "term" });
    } else if (message.info.deliveryCount < this.#settings.maxDeliver) {
      await this.#settle(message, "nak", () => message.nak(this.#settings.nakDelayMs));
      await this.#report(fault.error, { stage: fault.stage, message, action: "nak" });
    } else {
      await this.#terminate(message, {
        reason: "handler failed",
        limit: this.#settings.maxDeliver,
      });
      await this.#report(fault.error, { stage: fault.stage, message, action: "term" });
    }
  }

  async #attempt(message: RouterMessage<Uint8Array>): Promise<Fault | undefined> {
    const { subject, headers } = message;
    const traceparent = headers.get?.("Traceparent");
    const span = new ConsumerSpan({ name: "process message", subject, traceparent });
    try {
      if (await span.run(() => this.#route(message))) return undefined;
      return { stage: "unmatched", error: new UnmatchedSubjectError(subject) };
    } catch (error) {
      span.fail(error);
      return { stage: "handler", error };
    } finally {
      span.end();
    }
  }

  async #settle(message: JetStreamMessage, action: Settlement, send: () => void): Promise<void> {
    try {
      send();
    } catch (error) {
      await this.#report(error, { stage: "settle", message, action });
    }
  }

  /**
   * A server before 2.10.4 ignores a termination that has a reason (nats-server#4697) and delivers
   * the message once more than the limit; that time it is terminated without.
   */
  #terminate(
    message: JetStreamMessage,
    { reason, limit }: { reason: string; limit: number },
  ): Promise<void> {
    const isBack = message.info.deliveryCount > limit;
    return this.#settle(message, "term", () => isBack ? message.term() : message.term(reason));
  }

  async #fail(error: unknown): Promise<void> {
    this.#failure ??= { error };
    const wasTold = await this.#report(error, { stage: "source" });
    // Whoever passed onError knows; a `finished` that nobody awaits must not end the process too.
    if (wasTold) this.finished.catch(() => {});
  }

  /** Returns false when the hook itself failed, which stops everything. */
  async #report(error: unknown, failure: ListenFailure): Promise<boolean> {
    try {
      await this.#settings.onError(error, failure);
      return true;
    } catch (thrown) {
      this.#failure ??= { error: thrown };
      this.#halted ??= halt(this.#source);
      return false;
    }
  }
}

function toRouterMessage(message: SourceMessage): RouterMessage<Uint8Array> {
  const { subject, data, headers } = message;
  return { subject, data, headers: headers ?? {}, source: message };
}

/** Makes the iterator of a source end after what it has; resolves at once or when it is drained. */
async function halt(source: MessageSource): Promise<void> {
  if (!("drain" in source)) {
    // Its promise resolves when the iterator has ended, which the workers wait for anyway.
    void source.close();
    return;
  }
  if (source.isClosed()) return;
  try {
    await source.drain();
  } catch {
    // The connection closed meanwhile, which ends the iterator as well.
  }
}
