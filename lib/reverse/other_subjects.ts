/**
 * Where a route sends what clients say elsewhere than the convention does.
 *
 * @module
 */
import type { BusMessage } from "../nats/bus.ts";
import type { Link, LinkSubscription } from "../workload/link.ts";

/** One subscription for each such subject, for as long as there is a connection whose messages it has. */
export class OtherSubjects implements Disposable {
  readonly #link: Link;
  readonly #own: string;
  readonly #onMessage: (message: BusMessage) => void;
  readonly #subjects = new Map<
    string,
    { readonly subscription: LinkSubscription; count: number }
  >();
  readonly #byKey = new Map<string, string>();

  /** @param options `own`: the subject that is heard anyway, with all below it. */
  constructor(
    link: Link,
    { own, onMessage }: { own: string; onMessage: (message: BusMessage) => void },
  ) {
    this.#link = link;
    this.#own = own;
    this.#onMessage = onMessage;
  }

  /**
   * A connection begins.
   *
   * @param subject Where its messages go; empty where that is not told.
   */
  add(key: string, subject: string): void {
    if (subject === "" || subject === this.#own || subject.startsWith(`${this.#own}.`)) return;
    const entry = this.#subjects.get(subject) ??
      { subscription: this.#link.subscribe(subject, this.#onMessage), count: 0 };
    entry.count++;
    this.#subjects.set(subject, entry);
    this.#byKey.set(key, subject);
  }

  /**
   * A connection is over.
   *
   * @param key Of {@link OtherSubjects.add}.
   */
  remove(key: string): void {
    const subject = this.#byKey.get(key);
    const entry = subject === undefined ? undefined : this.#subjects.get(subject);
    if (subject === undefined || entry === undefined) return;
    this.#byKey.delete(key);
    if (--entry.count > 0) return;
    entry.subscription.unsubscribe();
    this.#subjects.delete(subject);
  }

  /** Ends all subscriptions. */
  [Symbol.dispose](): void {
    for (const { subscription } of this.#subjects.values()) subscription.unsubscribe();
    this.#subjects.clear();
  }
}
