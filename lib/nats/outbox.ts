/**
 * What may not be lost while NATS is away: held in order, published when it is back.
 *
 * @module
 */
import type { Bus, PublishOptions } from "./bus.ts";

/** What a message may have, and who cares for it. */
export interface OutboxOptions extends PublishOptions {
  /**
   * Called when it can never be published, now or once NATS is back: it is larger than the server's
   * `max_payload`, which may be another one by then. @default the outbox's own `onError`
   */
  readonly onRefused?: (error: unknown) => void;
}

interface Held {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly options: OutboxOptions;
  /** It is published again where it may have been lost with the connection. */
  readonly isRetold: boolean;
}

/**
 * Publishes at once while NATS is connected, else keeps the message and its place in the order.
 * Whoever publishes bounds what it lets pile up here.
 *
 * What the operating system has taken may still be lost with the connection: so what is told is kept until
 * the server has answered a question that was asked after it.
 */
export class Outbox implements Disposable {
  readonly #bus: Bus;
  readonly #onError: (error: unknown) => void;
  readonly #endState: () => void;
  #held: Held[] = [];
  /** Published over this connection, and not known to be with the server; in order. */
  #told: Held[] = [];
  /** Of this connection to NATS; what another one answers says nothing. */
  #epoch = 0;
  #isAsking = false;

  /** @param onError Told of a message that can never be published where nobody else is; it costs no other. */
  constructor(bus: Bus, onError: (error: unknown) => void = () => {}) {
    this.#bus = bus;
    this.#onError = onError;
    this.#endState = bus.onState((state) => {
      this.#epoch++;
      this.#isAsking = false;
      if (state === "connected") this.#release();
    });
  }

  /** How many messages wait for NATS. */
  get size(): number {
    return this.#held.length;
  }

  /**
   * Publishes or holds a message.
   *
   * @param options Reply subject, headers, and whom to tell.
   * @returns False when it is held. Never throws: that would end whoever happened to be the one to publish.
   */
  publish(subject: string, data: Uint8Array, options: OutboxOptions = {}): boolean {
    return this.#publish({ subject, data, options, isRetold: false });
  }

  /**
   * The same for a message that is published once more where the connection was lost before the server had
   * it for certain: it may come twice.
   *
   * @param options Reply subject, headers, and whom to tell.
   * @returns False when it is held.
   */
  tell(subject: string, data: Uint8Array, options: OutboxOptions = {}): boolean {
    return this.#publish({ subject, data, options, isRetold: true });
  }

  /** Forgets what is held. */
  [Symbol.dispose](): void {
    this.#endState();
    this.#held = [];
    this.#told = [];
  }

  #publish(message: Held): boolean {
    const { subject, data, options, isRetold } = message;
    try {
      if (this.#held.length > 0 || !this.#bus.publish(subject, data, options)) {
        this.#held.push(message);
        return false;
      }
    } catch (error) {
      (options.onRefused ?? this.#onError)(error);
      return true;
    }
    if (isRetold) {
      this.#told.push(message);
      if (!this.#isAsking) void this.#ask(this.#epoch);
    }
    return true;
  }

  /** One question for all that was told before it. */
  async #ask(epoch: number): Promise<void> {
    this.#isAsking = true;
    while (this.#told.length > 0) {
      // What is told in the same turn need not ask for itself.
      await Promise.resolve();
      const count = this.#told.length;
      try {
        await this.#bus.flush();
      } catch {
        // The connection is lost, as a rule: then all of it is told again.
        break;
      }
      if (epoch !== this.#epoch) return;
      this.#told.splice(0, count);
    }
    if (epoch === this.#epoch) this.#isAsking = false;
  }

  #release(): void {
    const messages = [...this.#told, ...this.#held];
    this.#told = [];
    this.#held = [];
    for (const message of messages) this.#publish(message);
  }
}
