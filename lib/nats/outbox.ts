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
}

/**
 * Publishes at once while NATS is connected, else keeps the message and its place in the order.
 * Whoever publishes bounds what it lets pile up here.
 */
export class Outbox implements Disposable {
  readonly #bus: Bus;
  readonly #onError: (error: unknown) => void;
  readonly #endState: () => void;
  #held: Held[] = [];

  /**
   * @param bus Where messages go.
   * @param onError Told of a message that can never be published where nobody else is; it costs no other.
   */
  constructor(bus: Bus, onError: (error: unknown) => void = () => {}) {
    this.#bus = bus;
    this.#onError = onError;
    this.#endState = bus.onState((state) => {
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
   * @param subject Literal tokens.
   * @param data The payload.
   * @param options Reply subject, headers, and whom to tell.
   * @returns False when it is held. Never throws: that would end whoever happened to be the one to publish.
   */
  publish(subject: string, data: Uint8Array, options: OutboxOptions = {}): boolean {
    try {
      if (this.#held.length === 0 && this.#bus.publish(subject, data, options)) return true;
    } catch (error) {
      (options.onRefused ?? this.#onError)(error);
      return true;
    }
    this.#held.push({ subject, data, options });
    return false;
  }

  /** Forgets what is held. */
  [Symbol.dispose](): void {
    this.#endState();
    this.#held = [];
  }

  #release(): void {
    const held = this.#held;
    this.#held = [];
    for (const { subject, data, options } of held) this.publish(subject, data, options);
  }
}
