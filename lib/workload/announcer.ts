/**
 * Tells the gateways what this workload serves, again and again.
 *
 * @module
 */
import {
  type Interest,
  INTEREST_INTERVAL_MS,
  type InterestChange,
  parseInterest,
  renderInterest,
  toInterestSubject,
} from "../mapping/interest.ts";
import { type Clock, repeat } from "../time/clock.ts";
import type { Link, LinkSubscription } from "./link.ts";

/**
 * Registers interests at once and every 5 s. An interest does not say whose it is: when one replica
 * takes it back, the others register again at once, so that a gateway misses it for a moment only.
 */
export class Announcer implements Disposable {
  readonly #link: Link;
  readonly #prefix: string;
  readonly #interests: readonly Interest[];
  readonly #subscriptions: readonly LinkSubscription[];
  readonly #endRepeats: () => void;
  readonly #endState: () => void;
  readonly #gateways = new Set<string>();
  #isEnded = false;

  /**
   * Registers.
   *
   * @param options What is served, and how the time is told.
   */
  constructor(
    link: Link,
    { prefix, interests, clock }: {
      prefix: string;
      interests: readonly Interest[];
      clock: Clock;
    },
  ) {
    this.#link = link;
    this.#prefix = prefix;
    this.#interests = interests;
    const subjects = new Set(interests.map((interest) => this.#toSubject("unregister", interest)));
    this.#subscriptions = [...subjects].map((subject) =>
      link.subscribe(subject, ({ data }) => this.#onUnregister(data))
    );
    this.#endRepeats = repeat(clock, INTEREST_INTERVAL_MS, () => this.#tell("register"));
    this.#endState = link.onState((isConnected) => {
      if (isConnected) this.#tell("register");
    });
    this.#tell("register");
  }

  /** A gateway lives. One that was not heard before knows nothing yet. */
  heard(gateway: string): void {
    if (this.#isEnded || this.#gateways.has(gateway)) return;
    this.#gateways.add(gateway);
    this.#tell("register");
  }

  /** A gateway is gone. */
  lost(gateway: string): void {
    this.#gateways.delete(gateway);
  }

  /** Registers no more; what is registered stands until {@link Announcer.unregister}. */
  [Symbol.dispose](): void {
    this.#isEnded = true;
    this.#endRepeats();
    this.#endState();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  /** Takes the interests back. */
  unregister(): void {
    this.#tell("unregister");
  }

  #tell(change: InterestChange): void {
    for (const interest of this.#interests) this.#publish(change, interest);
  }

  #onUnregister(data: Uint8Array): void {
    const ended = renderIfInterest(data);
    for (const interest of this.#interests) {
      if (renderInterest(interest) === ended) this.#publish("register", interest);
    }
  }

  #publish(change: InterestChange, interest: Interest): void {
    const payload = new TextEncoder().encode(renderInterest(interest));
    this.#link.publish(this.#toSubject(change, interest), payload);
  }

  #toSubject(change: InterestChange, { host }: Interest): string {
    return toInterestSubject(change, { prefix: this.#prefix, host });
  }
}

/** Undefined for what is no interest: the gateways complain of it, and it is not ours. */
function renderIfInterest(data: Uint8Array): string | undefined {
  try {
    return renderInterest(parseInterest(data));
  } catch {
    return undefined;
  }
}
