/**
 * Which gateways there are, by their heartbeats.
 *
 * @module
 */
import {
  type About,
  fromHeartbeatSubject,
  parseAbout,
  SILENCE_MS,
  toHeartbeatPattern,
} from "../../mapping/heartbeat.ts";
import type { Bus, BusMessage, BusSubscription } from "../bus.ts";

/** A gateway that lives. */
export interface KnownGateway {
  readonly gateway: string;
  /** It takes no new work. */
  readonly isDraining: boolean;
  /** What it tells of itself; undefined where it is older. */
  readonly about: About | undefined;
  /** How far its clock is ahead of ours, in milliseconds, the way of the message included. */
  readonly aheadMs: number | undefined;
}

/** Hears all gateways, this one as well. */
export class GatewayList implements Disposable {
  readonly #heard = new Map<string, KnownGateway & { readonly at: number }>();
  readonly #subscription: BusSubscription;
  readonly #now: () => number;

  /**
   * Listens.
   *
   * @param options `prefix` of all subjects; `now`: a clock in milliseconds.
   */
  constructor(
    bus: Pick<Bus, "subscribe">,
    { prefix, now = () => performance.now() }: { prefix: string; now?: () => number },
  ) {
    this.#now = now;
    this.#subscription = bus.subscribe(
      toHeartbeatPattern(prefix),
      (message) => this.#onHeartbeat(message),
    );
  }

  /** Those that were heard lately, by name. */
  list(): KnownGateway[] {
    const oldest = this.#now() - SILENCE_MS;
    for (const [gateway, { at }] of this.#heard) if (at < oldest) this.#heard.delete(gateway);
    return [...this.#heard.values()].map(({ at: _, ...known }) => known)
      .sort((a, b) => a.gateway < b.gateway ? -1 : 1);
  }

  /** Listens no more. */
  [Symbol.dispose](): void {
    this.#subscription.unsubscribe();
  }

  #onHeartbeat({ subject, data }: BusMessage): void {
    const heartbeat = fromHeartbeatSubject(subject);
    if (heartbeat === undefined) return;
    const { gateway, event } = heartbeat;
    if (event === "gone") return void this.#heard.delete(gateway);
    const about = parseAbout(data);
    // Who drains beats on.
    const isDraining = event === "draining" || this.#heard.get(gateway)?.isDraining === true;
    const known = { gateway, isDraining, about, aheadMs: about && toAhead(about) };
    this.#heard.set(gateway, { ...known, at: this.#now() });
  }
}

/**
 * How far a gateway's clock is ahead of ours.
 *
 * @returns Milliseconds, the way of the message included.
 */
export function toAhead({ now }: Pick<About, "now">): number | undefined {
  const time = Date.parse(now);
  return Number.isNaN(time) ? undefined : time - Date.now();
}
