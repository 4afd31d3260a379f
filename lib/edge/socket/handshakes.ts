/**
 * Handshakes whose clients do not wait for the answer.
 *
 * @module
 */
import { setImmediate } from "node:timers";

type Next = (callback: () => void) => unknown;

/** Gives back what a handshake holds. */
export interface Opened {
  readonly place: Disposable | undefined;
}

/** Waits for handshakes to be let in, as long as their clients do. */
export class Handshakes {
  /**
   * As many turns of the event loop as it takes until a reset that came with the handshake is known to the
   * platform, and as many more, of microseconds, until what is known to it has been told here. One more of
   * each, since the first one may be nearly over.
   */
  readonly #turns: readonly Turns[] = [
    new Turns((next) => setTimeout(next), 4),
    new Turns((next) => setImmediate(next), 11),
  ];

  /**
   * Waits for a handshake to be let in, as long as its client does.
   *
   * Once `Deno.upgradeWebSocket` was called, a client that is gone can be seen no more, and its descriptor is
   * lost for good: the platform goes on waiting for the connection whose 101 it could not write. So it is looked
   * for before, and for some turns of the event loop more.
   *
   * @param opening What is let in, at once or when somebody has been asked.
   * @returns What was let in; undefined when the client is gone, and nothing is held.
   */
  async whileClientWaits<T extends Opened>(
    opening: T | Promise<T>,
    signal: AbortSignal,
  ): Promise<T | undefined> {
    const opened = opening instanceof Promise ? await firstOf(opening, signal) : opening;
    for (const turns of this.#turns) if (!signal.aborted) await turns.pass();
    if (!signal.aborted) return opened;
    const giveBack = ({ place }: T) => place?.[Symbol.dispose]();
    if (opening instanceof Promise) opening.then(giveBack, () => {});
    else giveBack(opening);
    return undefined;
  }
}

/** Undefined where the client goes first. */
async function firstOf<T>(opening: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  const { promise: gone, resolve: leave } = Promise.withResolvers<undefined>();
  const onAbort = () => leave(undefined);
  signal.addEventListener("abort", onAbort);
  try {
    return await Promise.race([opening, gone]);
  } finally {
    signal.removeEventListener("abort", onAbort);
  }
}

/** Somebody who waits for some turns. */
interface Waiting {
  left: number;
  readonly resolve: () => void;
}

/** Turns that many wait for together: a timer and a promise for each of them cost more than all else of a handshake. */
class Turns {
  readonly #next: Next;
  readonly #count: number;
  #waiting: Waiting[] = [];

  constructor(next: Next, count: number) {
    this.#next = next;
    this.#count = count;
  }

  /** Waits for all of them; for the first one no longer than those who wait for it already. */
  pass(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#waiting.push({ left: this.#count, resolve }) === 1) this.#next(this.#onTurn);
    });
  }

  readonly #onTurn = (): void => {
    for (const waiting of this.#waiting) if (--waiting.left === 0) waiting.resolve();
    this.#waiting = this.#waiting.filter(({ left }) => left > 0);
    if (this.#waiting.length > 0) this.#next(this.#onTurn);
  };
}
