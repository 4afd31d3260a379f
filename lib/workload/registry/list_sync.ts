/**
 * Asks the gateways who is connected, page by page.
 *
 * @module
 */
import { createInbox } from "@nats-io/nats-core";
import { parseHeaderBlock } from "../../mapping/headers.ts";
import {
  type Listing,
  type ListRequest,
  parseListing,
  renderListRequest,
  toListSubject,
} from "../../mapping/listing.ts";
import type { BusMessage } from "../../nats/bus.ts";
import type { Clock } from "../../time/clock.ts";
import type { Link, LinkSubscription } from "../link.ts";

/** Stands for all gateways, where one would be named. */
const ALL = "-";

/** What is asked, and who gets the answers. */
export interface ListSyncOptions {
  readonly prefix: string;
  readonly clock: Clock;
  /** How long a reply may take, in milliseconds. */
  readonly gatherMs: number;
  /** Only those of this host; undefined for all. */
  readonly host: string | undefined;
  /** What is known of a gateway when it begins to tell. */
  readonly knownIds: (gateway: string) => Iterable<string>;
  /** Called with each page. */
  readonly onPage: (listing: Listing) => void;
  /** Called after a gateway's last page with what was known and is not in any page. */
  readonly onComplete: (gateway: string, vanishedIds: ReadonlySet<string>) => void;
  readonly onError: (error: unknown) => void;
}

/**
 * Who was asked answers to an inbox that says who was asked. A gateway that does not answer in time is
 * asked again when it is next heard of.
 */
export class ListSync implements Disposable {
  readonly #link: Link;
  readonly #options: ListSyncOptions;
  readonly #inbox = createInbox();
  readonly #subscription: LinkSubscription;
  /** Who owes an answer; with what ends the waiting. */
  readonly #owing = new Map<string, () => void>();
  /** Who has told some pages; with what was known before and is in none of them. */
  readonly #missing = new Map<string, Set<string>>();
  readonly #complete = new Set<string>();
  #onSettled: (() => void)[] = [];

  /** Makes ready to ask. */
  constructor(link: Link, options: ListSyncOptions) {
    this.#link = link;
    this.#options = options;
    this.#subscription = link.subscribe(`${this.#inbox}.*`, (message) => this.#onReply(message));
  }

  /** Asks all gateways, whatever they told before. */
  askAll(): void {
    for (const cancel of this.#owing.values()) cancel();
    this.#owing.clear();
    this.#missing.clear();
    this.#complete.clear();
    this.#ask(ALL, {});
  }

  /** Asks a gateway that lives, unless it has told everything or is about to. */
  askIfUnknown(gateway: string): void {
    if (this.#complete.has(gateway) || this.#owing.has(gateway) || this.#owing.has(ALL)) return;
    this.#ask(gateway, {});
  }

  /** Forgets what a gateway told. */
  forget(gateway: string): void {
    this.#complete.delete(gateway);
    this.#settle(gateway);
  }

  /** Resolves when no answer is waited for. */
  settled(): Promise<void> {
    if (this.#owing.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#onSettled.push(resolve));
  }

  /** Asks no more. */
  [Symbol.dispose](): void {
    this.#subscription.unsubscribe();
    for (const asked of [...this.#owing.keys()]) this.#settle(asked);
  }

  #ask(asked: string, page: Pick<ListRequest, "cursor">): void {
    const { prefix, clock, gatherMs, host } = this.#options;
    this.#owing.get(asked)?.();
    this.#owing.set(asked, clock.after(gatherMs, () => this.#settle(asked)));
    const request = { ...(host === undefined ? {} : { host }), ...page };
    const isSent = this.#link.publish(
      toListSubject(prefix, asked === ALL ? undefined : asked),
      new TextEncoder().encode(renderListRequest(request)),
      { reply: `${this.#inbox}.${asked}` },
    );
    if (!isSent) this.#settle(asked);
  }

  #onReply({ subject, headers, data }: BusMessage): void {
    const asked = subject.slice(this.#inbox.length + 1);
    if (isNoResponders(headers, data)) return this.#settle(asked);
    try {
      this.#onListing(parseListing(data));
    } catch (error) {
      this.#options.onError(error);
    }
  }

  #onListing(listing: Listing): void {
    const { gateway, connections, cursor } = listing;
    const missing = this.#missing.get(gateway) ?? new Set(this.#options.knownIds(gateway));
    for (const { id } of connections) missing.delete(id);
    this.#missing.set(gateway, missing);
    this.#options.onPage(listing);
    if (cursor !== undefined) return this.#ask(gateway, { cursor });
    this.#complete.add(gateway);
    this.#options.onComplete(gateway, missing);
    this.#settle(gateway);
  }

  #settle(asked: string): void {
    this.#missing.delete(asked);
    this.#owing.get(asked)?.();
    if (!this.#owing.delete(asked) || this.#owing.size > 0) return;
    const listeners = this.#onSettled;
    this.#onSettled = [];
    for (const listener of listeners) listener();
  }
}

/** Nobody listens: where all were asked, there is no gateway; where one was, it is no more. */
function isNoResponders(headers: string, data: Uint8Array): boolean {
  return data.length === 0 && headers !== "" && parseHeaderBlock(headers).status === 503;
}
