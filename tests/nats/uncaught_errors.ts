/**
 * What nobody caught, and would have ended the process.
 *
 * @module
 */

/** Collects errors until it is disposed of, and keeps them from ending the tests. */
export class UncaughtErrors implements Disposable {
  readonly messages: string[] = [];

  /** Begins to collect. */
  constructor() {
    globalThis.addEventListener("error", this.#onError);
  }

  /** Ends it. */
  [Symbol.dispose](): void {
    globalThis.removeEventListener("error", this.#onError);
  }

  #onError = (event: ErrorEvent): void => {
    if (event.defaultPrevented) return;
    event.preventDefault();
    this.messages.push(event.message);
  };
}
