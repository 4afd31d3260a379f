/**
 * Who listens to a client.
 *
 * @module
 */
import type { ClientEvents } from "./client.ts";

type Sets = { readonly [Type in keyof ClientEvents]: Set<(event: ClientEvents[Type]) => void> };

/** Told in the order in which they came. */
export class Listeners {
  readonly #sets: Sets = { message: new Set(), gap: new Set(), state: new Set() };

  /** Listens; returns what ends it. */
  on<Type extends keyof ClientEvents>(type: Type, listener: (event: ClientEvents[Type]) => void) {
    // One who listens twice is told twice.
    const own = (event: ClientEvents[Type]) => listener(event);
    this.#sets[type].add(own);
    return () => void this.#sets[type].delete(own);
  }

  /** What a listener throws is its own affair, and must not end ours. */
  tell<Type extends keyof ClientEvents>(type: Type, event: ClientEvents[Type]): void {
    for (const listener of this.#sets[type]) {
      try {
        listener(event);
      } catch (error) {
        report(error);
      }
    }
  }
}

/** As the platform reports what a listener of its own throws. */
export function report(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}
