/**
 * Who of several replicas holds which WebSocket, so that a replica that dies leaves no client behind.
 *
 * Each replica says what it holds: `<prefix>.control.reverse.<group>.<replica>.<event>` with the event
 * `owns` or `released` and a list of inboxes as JSON, and `alive` every 5 s. One that starts asks by
 * `hello`, and the others say again what they hold; so does one that was cut off from NATS. When one has
 * been silent for 13 s, the first of those that live, by id, takes what it held. Who hears nobody, not
 * even itself, takes nothing: it is the one that is cut off.
 *
 * @module
 */
import { HEARTBEAT_INTERVAL_MS, SILENCE_MS } from "../mapping/heartbeat.ts";
import { toOwnSubject } from "../mapping/names.ts";
import { type Clock, repeat, systemClock } from "../time/clock.ts";
import { GatewayWatch } from "../nats/gateway_watch.ts";
import type { Link, LinkSubscription } from "../workload/link.ts";

/** How many inboxes one announcement names at most. */
const BATCH = 1000;

type Announcement = "alive" | "hello" | "owns" | "released";

/** What replicas share. */
export interface OwnershipOptions {
  readonly prefix: string;
  /** One token: the replicas that share their work. */
  readonly group: string;
  /** One token that no other replica has. */
  readonly replica: string;
  /** Called on one replica with what a dead one held. */
  readonly onOrphans: (inboxes: readonly string[]) => void;
  /** @default the machine's */
  readonly clock?: Clock;
}

/** This replica's part of the announcements. */
export class Ownership implements Disposable {
  readonly #link: Link;
  readonly #options: OwnershipOptions;
  readonly #own = new Set<string>();
  /** What the others hold. */
  readonly #peers = new Map<string, Set<string>>();
  readonly #subscription: LinkSubscription;
  readonly #watch: GatewayWatch;
  readonly #endTicks: () => void;
  readonly #endState: () => void;

  /** Begins to listen and to announce. */
  constructor(link: Link, options: OwnershipOptions) {
    this.#link = link;
    this.#options = options;
    const { prefix, group, replica, clock = systemClock() } = options;
    const root = toOwnSubject(prefix, "reverse", group);
    this.#subscription = link.subscribe(
      `${root}.*.*`,
      ({ subject, data }) => this.#onAnnouncement(subject, data),
    );
    this.#watch = new GatewayWatch(link, {
      ...{ prefix, clock, silenceMs: SILENCE_MS, pattern: `${root}.*.alive` },
      onAlive: () => {},
      onLost: (peer) => this.#onLost(peer),
      own: { gateway: replica, onReturn: () => {} },
    });
    this.#endTicks = repeat(clock, HEARTBEAT_INTERVAL_MS, () => this.#announce("alive"));
    this.#endState = link.onState((isConnected) => {
      if (isConnected) this.#greet();
    });
    this.#greet();
  }

  /** This replica holds a connection from now on. */
  take(inbox: string): void {
    this.#own.add(inbox);
    this.#announce("owns", [inbox]);
  }

  /** The connection is gone. */
  release(inbox: string): void {
    if (this.#own.delete(inbox)) this.#announce("released", [inbox]);
  }

  /** Stops listening. */
  [Symbol.dispose](): void {
    this.#endTicks();
    this.#endState();
    this.#watch[Symbol.dispose]();
    this.#subscription.unsubscribe();
  }

  #greet(): void {
    this.#announce("hello");
    this.#tellAll();
  }

  #onLost(peer: string): void {
    const orphans = [...this.#peers.get(peer) ?? []];
    this.#peers.delete(peer);
    const isFirst = this.#watch.living.every((living) => this.#options.replica < living);
    if (isFirst && orphans.length > 0) this.#options.onOrphans(orphans);
  }

  #onAnnouncement(subject: string, data: Uint8Array): void {
    const [replica = "", event = ""] = subject.split(".").slice(-2);
    if (replica === this.#options.replica) return;
    const inboxes = this.#peers.get(replica) ?? new Set();
    this.#peers.set(replica, inboxes);
    this.#watch.heard(replica);
    switch (event as Announcement) {
      case "alive":
        return;
      case "hello":
        return this.#tellAll();
      case "owns":
        for (const inbox of parseInboxes(data)) inboxes.add(inbox);
        return;
      case "released":
        for (const inbox of parseInboxes(data)) inboxes.delete(inbox);
        return;
    }
  }

  #tellAll(): void {
    const inboxes = [...this.#own];
    for (let start = 0; start < inboxes.length; start += BATCH) {
      this.#announce("owns", inboxes.slice(start, start + BATCH));
    }
    this.#announce("alive");
  }

  #announce(event: Announcement, inboxes: readonly string[] = []): void {
    const { prefix, group, replica } = this.#options;
    const payload = new TextEncoder().encode(JSON.stringify(inboxes));
    this.#link.publish(toOwnSubject(prefix, "reverse", group, replica, event), payload);
  }
}

function parseInboxes(data: Uint8Array): string[] {
  const value: unknown = JSON.parse(new TextDecoder().decode(data));
  return Array.isArray(value) ? value.filter((inbox) => typeof inbox === "string") : [];
}
