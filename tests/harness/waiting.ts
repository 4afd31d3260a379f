/**
 * Waiting for what happens, with an end where it never does, and a word for what was waited for.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";

/** More than this, on however busy a machine, and it does not come. */
const PATIENCE_MS = 60_000;
const LOOK_MS = 20;

/**
 * Waits, but not for ever.
 *
 * @param what Its name in the error.
 * @throws {Error} when it takes longer.
 */
export async function within<T>(
  promise: Promise<T>,
  what: string | (() => string),
  patienceMs: number = PATIENCE_MS,
): Promise<T> {
  const { promise: late, reject } = Promise.withResolvers<never>();
  // Unlike a timer's, its end is nobody's leak: a test may wait for what is not to come.
  AbortSignal.timeout(patienceMs).addEventListener("abort", () => {
    const name = typeof what === "string" ? what : what();
    reject(new Error(`Waited ${patienceMs} ms in vain for ${name}`));
  });
  return await Promise.race([promise, late]);
}

/**
 * Looks again and again, where there is nothing to listen to.
 *
 * @param isSo What should come true.
 * @param what Its name in the error, e.g. `"every client is told"`.
 * @throws {Error} when it takes too long.
 */
export async function until(
  isSo: () => boolean | Promise<boolean>,
  what: string,
  patienceMs: number = PATIENCE_MS,
): Promise<void> {
  const latest = performance.now() + patienceMs;
  while (!await isSo()) {
    if (performance.now() > latest) {
      throw new Error(`Waited ${patienceMs} ms in vain until ${what}`);
    }
    await pause(LOOK_MS);
  }
}

/** Things that come, to be taken one after another. */
export class Unread<Value> {
  readonly #what: string;
  readonly #unread: Value[] = [];
  readonly #waiting: ((value: Value) => void)[] = [];

  /**
   * @param what One of them is called in the error.
   */
  constructor(what: string) {
    this.#what = what;
  }

  /** One more has come. */
  add(value: Value): void {
    const resolve = this.#waiting.shift();
    if (resolve === undefined) this.#unread.push(value);
    else resolve(value);
  }

  /** Waits for the next one. */
  next(): Promise<Value> {
    if (this.#unread.length > 0) return Promise.resolve(this.#unread.shift()!);
    const { promise, resolve } = Promise.withResolvers<Value>();
    this.#waiting.push(resolve);
    const next = within(promise, this.#what);
    // Nobody may wait for it any more when it is too late.
    next.catch(() => {});
    return next;
  }
}

/** Those that are kept besides, to be looked at all together. */
export class Events<Value> extends Unread<Value> {
  readonly all: Value[] = [];
  /** Told of each. */
  onAdd: ((value: Value) => void) | undefined;

  constructor(what = "the next event") {
    super(what);
  }

  override add(value: Value): void {
    this.all.push(value);
    this.onAdd?.(value);
    super.add(value);
  }
}
