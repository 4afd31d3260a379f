/**
 * Handshakes whose clients do not wait for the answer.
 *
 * @module
 */
import { setImmediate } from "node:timers";

type Next = (callback: () => void) => unknown;

/**
 * As many turns of the event loop as it takes until a reset that came with the handshake is known to the
 * platform, and as many more, of microseconds, until what is known to it has been told here. One more of
 * each, since the first one may be nearly over.
 */
const TURNS: readonly Next[] = [
  ...Array<Next>(4).fill(setTimeout),
  ...Array<Next>(11).fill(setImmediate),
];

/** Gives back what a handshake holds. */
export interface Opened {
  readonly place: Disposable | undefined;
}

/** Waits for handshakes to be let in, as long as their clients do. */
export class Handshakes {
  /** What somebody waits for already: a timer for each handshake and turn costs more than its events do. */
  readonly #pending = new Map<Next, Promise<void>>();

  /**
   * Waits for a handshake to be let in, as long as its client does.
   *
   * Once `Deno.upgradeWebSocket` was called, a client that is gone can be seen no more, and its descriptor is
   * lost for good: the platform goes on waiting for the connection whose 101 it could not write. So it is looked
   * for before, and for some turns of the event loop more.
   *
   * @returns What was let in; undefined when the client is gone, and nothing is held.
   */
  async whileClientWaits<T extends Opened>(
    opening: Promise<T>,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const { promise: gone, resolve: leave } = Promise.withResolvers<undefined>();
    const onAbort = () => leave(undefined);
    signal.addEventListener("abort", onAbort);
    const opened = await Promise.race([opening, gone]);
    for (const next of TURNS) {
      if (opened === undefined || signal.aborted) break;
      await this.#turn(next);
    }
    signal.removeEventListener("abort", onAbort);
    if (!signal.aborted) return opened;
    opening.then(({ place }) => place?.[Symbol.dispose](), () => {});
    return undefined;
  }

  #turn(next: Next): Promise<void> {
    const pending = this.#pending.get(next);
    if (pending !== undefined) return pending;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#pending.set(next, promise);
    next(() => {
      this.#pending.delete(next);
      resolve();
    });
    return promise;
  }
}
