/**
 * Waiting with an end.
 *
 * @module
 */

/**
 * Waits for a promise, but not for ever.
 *
 * @param promise A rejection counts as settled, too.
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
 * @param signal Ends it at once; @default none
 */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  const end = () => {
    clearTimeout(timer);
    resolve();
  };
  if (signal?.aborted) end();
  else signal?.addEventListener("abort", end, { once: true });
  return promise.finally(() => signal?.removeEventListener("abort", end));
}
