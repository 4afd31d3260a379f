/**
 * Moving from one connection to another without losing, doubling or overtaking a message.
 *
 * @module
 */
import { createInbox, type NatsConnection } from "@nats-io/nats-core";
import type { NatsConnectionImpl } from "@nats-io/nats-core/internal";
import { COPY_MS, Overlap } from "./overlap.ts";
import {
  type Hooks,
  publishVia,
  type Registration,
  type ServerLink,
  subscribeVia,
} from "./server_link.ts";
import { toUrl } from "./server_url.ts";
import { pause, settlesWithin } from "../../time/within.ts";

/** How long both connections deliver: longer than copies of a message may be apart. */
const OVERLAP_MS = COPY_MS + 100;
/** How long the two servers may take for what should take a moment. */
const PATIENCE_MS = 1000;

/**
 * Lists where else one could be.
 *
 * @param configured Addresses, with or without a scheme.
 * @returns These and what the cluster has told, without the present one.
 */
export function otherServers(connection: NatsConnection, configured: readonly string[]): string[] {
  const here = connection.getServer();
  const told = connection.info?.connect_urls ?? [];
  const all = [...configured, ...told.map((address) => toUrl(address, configured))];
  // A WebSocket's URL may have a path.
  return [...new Set(all)].filter((server) => server.replace(/^\w+:\/\/|\/.*$/g, "") !== here);
}

/** One move. */
export class Handover {
  readonly #from: ServerLink;
  readonly #to: ServerLink;
  readonly #moves: {
    readonly registration: Registration;
    readonly overlap: Overlap;
    readonly endOld: () => void;
  }[] = [];

  /**
   * Subscribes to everything on the new connection, too.
   *
   * @param hooks Told of what goes wrong with the new ones.
   */
  constructor(
    { from, to }: { from: ServerLink; to: ServerLink },
    registrations: Iterable<Registration>,
    hooks: Hooks,
  ) {
    this.#from = from;
    this.#to = to;
    for (const registration of registrations) this.#add(registration, hooks);
  }

  /** Resolves when the new connection hears everything; not for ever, the old one may be about to go. */
  async listening(): Promise<void> {
    await settlesWithin(this.#to.connection.flush(), PATIENCE_MS);
  }

  /**
   * Resolves when what was published on the old connection has come as far as the new one's server: what
   * is published there from now on does not overtake it. Not for ever; then order is not known.
   */
  async passed(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    // Within what the connection may subscribe to.
    const probe = createInbox((this.#to.connection as NatsConnectionImpl).options.inboxPrefix);
    const subscription = this.#to.connection.subscribe(probe, { callback: () => resolve() });
    await settlesWithin(this.#to.connection.flush(), PATIENCE_MS);
    publishVia(this.#from, { subject: probe, data: new Uint8Array(), options: {} });
    await settlesWithin(promise, PATIENCE_MS);
    subscription.unsubscribe();
  }

  /** Resolves when nothing comes over the old connection any more, and all has been delivered. */
  async finished(): Promise<void> {
    await pause(OVERLAP_MS);
    for (const { endOld } of this.#moves) endOld();
    await settlesWithin(this.#from.connection.flush(), PATIENCE_MS);
    for (const { registration, overlap } of this.#moves) {
      registration.onMessage = overlap.deliver;
      overlap.end();
    }
  }

  #add(registration: Registration, hooks: Hooks): void {
    const overlap = new Overlap(registration.onMessage);
    const endOld = registration.end ?? (() => {});
    const endNew = subscribeVia(this.#to, registration, {
      onMessage: (message) =>
        overlap.hasEnded ? registration.onMessage(message) : overlap.onNew(message),
      ...hooks,
    });
    registration.onMessage = (message) => overlap.onOld(message);
    registration.end = () => {
      endOld();
      endNew();
    };
    this.#moves.push({ registration, overlap, endOld });
  }
}
