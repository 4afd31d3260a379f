/**
 * Waiting with an end.
 *
 * @module
 */
import { type Clock, systemClock } from "./clock.ts";

/**
 * Waits for a promise, but not for ever.
 *
 * @param timeoutMs How long, in milliseconds.
 * @returns False when it has not settled by then.
 */
export async function settlesWithin(
  promise: Promise<unknown>,
  timeoutMs: number,
): Promise<boolean> {
  const { promise: timeout, resolve } = Promise.withResolvers<boolean>();
  const timer = setTimeout(() => resolve(false), timeoutMs);
  const settled = promise.then(() => true, () => true);
  const result = await Promise.race([settled, timeout]);
  clearTimeout(timer);
  return result;
}

/**
 * Waits for a time, or for a signal.
 *
 * @param ms How long, in milliseconds.
 * @param options `signal`: ends it at once; `clock`: whose time, @default the machine's
 */
export function pause(
  ms: number,
  { signal, clock = systemClock() }: { signal?: AbortSignal; clock?: Clock } = {},
): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const cancel = clock.after(ms, resolve);
  const end = () => {
    cancel();
    resolve();
  };
  if (signal?.aborted) end();
  else signal?.addEventListener("abort", end, { once: true });
  return promise.finally(() => signal?.removeEventListener("abort", end));
}
