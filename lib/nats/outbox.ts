/**
 * What may not be lost while NATS is away: held in order, published when it is back.
 *
 * @module
 */
import type { Bus, PublishOptions } from "./bus.ts";

interface Held {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly options: PublishOptions;
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
   * @param onError Told of a held message that can never be published, e.g. since a server came back with
   * a smaller `max_payload`; it costs no other.
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
   * @param options Reply subject and headers.
   * @returns False when it is held.
   */
  publish(subject: string, data: Uint8Array, options: PublishOptions = {}): boolean {
    if (this.#held.length === 0 && this.#bus.publish(subject, data, options)) return true;
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
    for (const { subject, data, options } of held) {
      try {
        this.publish(subject, data, options);
      } catch (error) {
        this.#onError(error);
      }
    }
  }
}
