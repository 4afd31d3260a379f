/**
 * Handshakes whose clients do not wait for the answer.
 *
 * @module
 */

/** As many turns of the event loop as it takes until a reset that came with the handshake is known here. */
const TURNS = 3;

/** Gives back what a handshake holds. */
export interface Opened {
  readonly place: Disposable | undefined;
}

/**
 * Waits for a handshake to be let in, as long as its client does.
 *
 * Once `Deno.upgradeWebSocket` was called, a client that is gone can be seen no more, and its descriptor is
 * lost for good: the platform goes on waiting for the connection whose 101 it could not write. So it is looked
 * for before, and for some turns of the event loop more.
 *
 * @param opening Lets it in.
 * @param signal Of the request.
 * @returns What was let in; undefined when the client is gone, and nothing is held.
 */
export async function whileClientWaits<T extends Opened>(
  opening: Promise<T>,
  signal: AbortSignal,
): Promise<T | undefined> {
  const { promise: gone, resolve: leave } = Promise.withResolvers<undefined>();
  const onAbort = () => leave(undefined);
  signal.addEventListener("abort", onAbort);
  const opened = await Promise.race([opening, gone]);
  for (let left = TURNS; left > 0 && opened !== undefined && !signal.aborted; left--) await turn();
  signal.removeEventListener("abort", onAbort);
  if (!signal.aborted) return opened;
  opening.then(({ place }) => place?.[Symbol.dispose](), () => {});
  return undefined;
}

function turn(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  setTimeout(resolve, 0);
  return promise;
}
