/**
 * Which requests in flight nobody waits for any more.
 *
 * @module
 */
import { type EndReason, toRequestClosedSubject } from "../mapping/control.ts";
import type { BusMessage } from "../nats/bus.ts";
import type { Link, LinkSubscription } from "./link.ts";

/** A request whose end is watched. */
interface Watched {
  readonly gateway: string;
  readonly onGone: (reason: string) => void;
}

/**
 * One subscription for the ends of all requests, and only while there are some: it hears those of other
 * workloads, too. It is given up at the first {@link CloseWatch.sweep} that finds nothing in flight,
 * not at once, so that a quiet service does not subscribe for every single request.
 */
export class CloseWatch implements Disposable {
  readonly #link: Link;
  readonly #root: string;
  readonly #watched = new Map<string, Watched>();
  #subscription: LinkSubscription | undefined;

  constructor(link: Link, prefix: string) {
    this.#link = link;
    this.#root = toRequestClosedSubject(prefix, "");
  }

  /**
   * Watches a request.
   *
   * @param closeSubject Its `X-H8s-Connection-Close-Subject`; one that is elsewhere is not watched.
   * @param options `gateway`: who holds the client; `onGone`: called once, when the client will not take
   * the response any more.
   */
  watch(closeSubject: string, { gateway, onGone }: Watched): () => void {
    if (!closeSubject.startsWith(this.#root)) return () => {};
    this.#subscription ??= this.#link.subscribe(
      `${this.#root}*`,
      (message) => this.#onClosed(message),
    );
    this.#watched.set(closeSubject, { gateway, onGone });
    return () => this.#watched.delete(closeSubject);
  }

  /** Ends the requests of a gateway that is lost. */
  gatewayLost(gateway: string): void {
    for (const [subject, watched] of this.#watched) {
      if (watched.gateway === gateway) this.#end(subject, "gateway lost");
    }
  }

  /** Gives up the subscription when nothing is in flight. */
  sweep(): void {
    if (this.#watched.size > 0) return;
    this.#subscription?.unsubscribe();
    this.#subscription = undefined;
  }

  /** Ends the subscription. */
  [Symbol.dispose](): void {
    this.#watched.clear();
    this.sweep();
  }

  #onClosed({ subject, data }: BusMessage): void {
    if (!this.#watched.has(subject)) return;
    const reason = new TextDecoder().decode(data);
    if (isOrderly(reason)) this.#watched.delete(subject);
    else this.#end(subject, reason);
  }

  #end(subject: string, reason: string): void {
    const watched = this.#watched.get(subject);
    this.#watched.delete(subject);
    watched?.onGone(reason);
  }
}

function isOrderly(reason: string): boolean {
  const orderly: readonly EndReason[] = ["completed", "termination_chunk"];
  return (orderly as readonly string[]).includes(reason);
}
