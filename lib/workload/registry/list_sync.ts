/**
 * Asks the gateways who is connected, page by page.
 *
 * @module
 */
import { createInbox } from "@nats-io/nats-core";
import { isNoResponders } from "../../mapping/headers.ts";
import {
  type Listing,
  type ListRequest,
  parseListing,
  renderListRequest,
  toListSubject,
} from "../../mapping/listing.ts";
import type { Bus, BusMessage, BusSubscription } from "../../nats/bus.ts";
import type { Clock } from "../../time/clock.ts";

/** A gateway, or undefined for all of them together. */
type Asked = string | undefined;

/** What a gateway has told so far. */
interface Pages {
  /** How many. */
  readonly count: number;
  /** What was known before the first one. */
  readonly known: readonly string[];
  /** What is in them. */
  readonly heard: Set<string>;
}

/** How far somebody is who was asked. */
interface Told {
  /** Undefined when that was all, and for all together. */
  readonly pages?: Pages | undefined;
  /** Ends waiting for the next page; undefined when that was all. */
  readonly end?: () => void;
}

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
 * Who was asked answers to an inbox that says who was asked, and for which page: nobody is believed twice, nor
 * when nobody asked. A gateway that does not answer in time is asked again when it is next heard of.
 */
export class ListSync implements Disposable {
  readonly #link: Pick<Bus, "publish" | "subscribe">;
  readonly #options: ListSyncOptions;
  /** Followed by the one who was asked, where it was one, and how many pages it had told. */
  readonly #inbox: string;
  readonly #subscription: BusSubscription;
  readonly #told = new Map<Asked, Told>();
  readonly #onSettled: (() => void)[] = [];

  /** Makes ready to ask. */
  constructor(link: Pick<Bus, "publish" | "subscribe">, options: ListSyncOptions) {
    this.#link = link;
    this.#options = options;
    const inbox = createInbox();
    this.#inbox = `${inbox}.list`;
    this.#subscription = link.subscribe(`${inbox}.>`, (message) => this.#onReply(message));
  }

  /** Asks all gateways, whatever they told before. */
  askAll(): void {
    for (const { end } of this.#told.values()) end?.();
    this.#told.clear();
    this.#ask(undefined);
  }

  /** Asks a gateway that lives, unless it has told everything or is about to. */
  askIfUnknown(gateway: string): void {
    if (!this.#told.has(gateway) && !this.#told.has(undefined)) this.#ask(gateway);
  }

  /** Forgets what somebody told, and waits for no more of it. */
  forget(asked: Asked): void {
    this.#told.get(asked)?.end?.();
    this.#told.delete(asked);
    this.#tellSettled();
  }

  /** Resolves when no answer is waited for. */
  settled(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onSettled.push(resolve);
    this.#tellSettled();
    return promise;
  }

  /** Asks no more. */
  [Symbol.dispose](): void {
    this.#subscription.unsubscribe();
    for (const asked of this.#told.keys()) this.forget(asked);
  }

  #ask(
    asked: Asked,
    { pages, cursor }: Pick<Told, "pages"> & Pick<ListRequest, "cursor"> = {},
  ): void {
    const { prefix, clock, gatherMs, host } = this.#options;
    this.#told.get(asked)?.end?.();
    this.#told.set(asked, { pages, end: clock.after(gatherMs, () => this.forget(asked)) });
    const request = {
      ...(host === undefined ? {} : { host }),
      ...(cursor === undefined ? {} : { cursor }),
    };
    const isSent = this.#link.publish(
      toListSubject(prefix, asked),
      new TextEncoder().encode(renderListRequest(request)),
      { reply: asked === undefined ? this.#inbox : `${this.#inbox}.${asked}.${pages?.count ?? 0}` },
    );
    if (!isSent) this.forget(asked);
  }

  #onReply({ subject, headers, data }: BusMessage): void {
    const [asked, page = "0"] = subject.slice(this.#inbox.length + 1).split(".");
    // Where all were asked, there is no gateway; where one was, it is no more.
    if (isNoResponders(headers, data.length)) return this.forget(asked || undefined);
    try {
      const listing = parseListing(data);
      if (this.#isAwaited(listing.gateway, Number(page))) this.#onListing(listing);
    } catch (error) {
      this.#options.onError(error);
    }
  }

  /** A first page is always welcome, unless there has been one; the others follow from it. */
  #isAwaited(gateway: string, page: number): boolean {
    const told = this.#told.get(gateway);
    if (told === undefined) return page === 0;
    return told.end !== undefined && (told.pages?.count ?? 0) === page;
  }

  #onListing(listing: Listing): void {
    const { gateway, connections, cursor } = listing;
    const { count, known, heard } = this.#told.get(gateway)?.pages ??
      { count: 0, known: [...this.#options.knownIds(gateway)], heard: new Set<string>() };
    const before = heard.size;
    for (const { id } of connections) heard.add(id);
    this.#options.onPage(listing);
    if (cursor !== undefined && heard.size > before) {
      return this.#ask(gateway, { pages: { count: count + 1, known, heard }, cursor });
    }
    this.#told.get(gateway)?.end?.();
    this.#told.set(gateway, {});
    if (cursor === undefined) {
      this.#options.onComplete(gateway, new Set(known.filter((id) => !heard.has(id))));
    } else {
      const text = `Cannot list who is connected to the gateway "${gateway}": its list has no end`;
      this.#options.onError(new Error(text));
    }
    this.#tellSettled();
  }

  #tellSettled(): void {
    if ([...this.#told.values()].some(({ end }) => end !== undefined)) return;
    for (const listener of this.#onSettled.splice(0)) listener();
  }
}
