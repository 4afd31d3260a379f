/**
 * A loop over what comes.
 *
 * @module
 */
import type { Message } from "./position.ts";

type Result = IteratorResult<Message, undefined>;
const DONE: Result = { done: true, value: undefined };

/** One `for await`: messages wait until the loop takes them. */
export class Unread implements AsyncIterableIterator<Message> {
  readonly #max: number;
  readonly #onReturn: (unread: Unread) => void;
  readonly #messages: Message[] = [];
  #takers: PromiseWithResolvers<Result>[] = [];
  #end: { error?: unknown } | undefined;

  constructor(max: number, onReturn: (unread: Unread) => void) {
    this.#max = max;
    this.#onReturn = onReturn;
  }

  push(message: Message): void {
    if (this.#end !== undefined) return;
    const taker = this.#takers.shift();
    if (taker !== undefined) return taker.resolve({ done: false, value: message });
    if (this.#messages.length < this.#max) return void this.#messages.push(message);
    this.end({ error: new RangeError(`Cannot keep up: ${this.#max} messages wait to be read`) });
  }

  /** After what waits, the loop ends, or throws. */
  end(end: { error?: unknown }): void {
    this.#end ??= end;
    for (const taker of this.#takers.splice(0)) this.#finish(taker);
  }

  next(): Promise<Result> {
    const value = this.#messages.shift();
    if (value !== undefined) return Promise.resolve({ done: false, value });
    const taker = withResolvers<Result>();
    if (this.#end === undefined) this.#takers.push(taker);
    else this.#finish(taker);
    return taker.promise;
  }

  return(): Promise<Result> {
    this.#messages.length = 0;
    this.end({});
    this.#onReturn(this);
    return Promise.resolve(DONE);
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #finish(taker: PromiseWithResolvers<Result>): void {
    const end = this.#end!;
    // Thrown once; then it is over.
    this.#end = {};
    if ("error" in end) taker.reject(end.error);
    else taker.resolve(DONE);
  }
}

/** `Promise.withResolvers()` is younger than some telephones. */
export function withResolvers<T>(): PromiseWithResolvers<T> {
  let resolve!: PromiseWithResolvers<T>["resolve"];
  let reject!: PromiseWithResolvers<T>["reject"];
  const promise = new Promise<T>((...both) => [resolve, reject] = both);
  return { promise, resolve, reject };
}
