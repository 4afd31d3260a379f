/**
 * Where a workload hears of its streams: credit for what it sends, and the chunks of uploads.
 *
 * @module
 */
import { nuid } from "@nats-io/nats-core";
import type { BusMessage } from "../../nats/bus.ts";
import type { Link, LinkSubscription } from "../link.ts";

/** A subject of one's own. */
export interface FlowAddress {
  readonly subject: string;
  /** Messages that come later are ignored. */
  close(): void;
}

/** One wildcard subscription for all streams of a service, made when the first one begins. */
export class FlowInbox implements Disposable {
  readonly #link: Link;
  readonly #root = `_INBOX.h8s-workload.${nuid.next()}.`;
  readonly #listeners = new Map<string, (message: BusMessage) => void>();
  #subscription: LinkSubscription | undefined;
  #count = 0;

  constructor(link: Link) {
    this.#link = link;
  }

  /**
   * Opens an address.
   *
   * @param onMessage Called for each message that is published there.
   */
  open(onMessage: (message: BusMessage) => void): FlowAddress {
    this.#subscription ??= this.#link.subscribe(
      `${this.#root}*`,
      (message) => this.#listeners.get(message.subject)?.(message),
    );
    const subject = this.#root + (this.#count++).toString(36);
    this.#listeners.set(subject, onMessage);
    return { subject, close: () => this.#listeners.delete(subject) };
  }

  /** Ends the subscription. */
  [Symbol.dispose](): void {
    this.#listeners.clear();
    this.#subscription?.unsubscribe();
  }
}
