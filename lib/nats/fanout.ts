/**
 * One subscription per subject, however many sockets.
 *
 * @module
 */
import { type Frame, toFrame } from "../mapping/frame.ts";
import type { Bus, BusMessage, BusSubscription } from "./bus.ts";

/** Gets each message of a subject, read once for all; keeps none. */
export type FrameListener = (frame: Frame, payloadLength: number) => void;

interface Shared {
  readonly listeners: Set<FrameListener>;
  readonly subscription: BusSubscription;
}

/** Subscriptions that are shared and counted. */
export class Fanout {
  readonly #bus: Bus;
  readonly #shared = new Map<string, Shared>();

  constructor(bus: Bus) {
    this.#bus = bus;
  }

  /**
   * Listens to a subject.
   *
   * @param listener Called for each message; an own function for each call of this method.
   * @returns Ends it; the last one to go ends the subscription.
   */
  subscribe(subject: string, listener: FrameListener): () => void {
    const shared = this.#shared.get(subject) ?? this.#open(subject);
    shared.listeners.add(listener);
    return () => {
      shared.listeners.delete(listener);
      if (shared.listeners.size > 0 || this.#shared.get(subject) !== shared) return;
      this.#shared.delete(subject);
      shared.subscription.unsubscribe();
    };
  }

  #open(subject: string): Shared {
    const listeners = new Set<FrameListener>();
    const subscription = this.#bus.subscribe(subject, ({ headers, data }: BusMessage) => {
      const frame = toFrame(headers, data);
      for (const listener of listeners) listener(frame, data.length);
    }, { borrows: true });
    const shared = { listeners, subscription };
    this.#shared.set(subject, shared);
    return shared;
  }
}
