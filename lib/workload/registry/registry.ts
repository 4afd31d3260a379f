/**
 * Who is connected, wherever: the registry of WebSocket connections for a workload.
 *
 * @module
 */
import { toServedHost } from "../../mapping/served.ts";
import type { KnownConnection } from "../../mapping/socket_message.ts";
import { isSubjectPrefix } from "../../mapping/subject.ts";
import { type Clock, systemClock } from "../../time/clock.ts";
import {
  ConnectionTracker,
  type ConnectionTrackerOptions,
  type Registry,
} from "./connection_tracker.ts";
import { Link, type NatsClient } from "../link.ts";

/** How to know who is connected, and whom to tell. */
export interface RegistryOptions {
  /**
   * Only the connections of these hosts; `"*"` for all.
   *
   * @default "*"
   */
  readonly host?: string | readonly string[];
  /**
   * The first tokens of every subject, as the gateway has them.
   *
   * @default "h8s"
   */
  readonly prefix?: string;
  /**
   * Called once for each connection when it becomes known; those that were there before included.
   *
   * @default nothing is called
   */
  readonly onOpen?: (connection: KnownConnection) => void;
  /**
   * Called once for each connection that was known and is no more; with code 1006 where its gateway was
   * lost.
   *
   * @default nothing is called
   */
  readonly onClose?: (connection: KnownConnection, code: number, reason: string) => void;
  /**
   * The stream in which the gateways keep who came and who went (`--events`). All that it has is told first,
   * in order, those included who came and went while this workload was away; then what happens, and what
   * happened while NATS was away.
   *
   * @default undefined: who is connected is asked for, and what happens is heard
   */
  readonly events?: string;
  /**
   * Told of what goes wrong: a message that cannot be read, a missing permission, a hook that throws.
   *
   * @default writes to `console.error`
   */
  readonly onError?: (error: unknown) => void;
  /**
   * How long the gateways' answers are waited for, in milliseconds. Who answers later is known later.
   *
   * @default 1000
   */
  readonly gatherMs?: number;
  /**
   * The time, for tests.
   *
   * @default the machine's
   */
  readonly clock?: Clock;
}

/** A {@link Registry} that stands alone and ends by itself. */
export interface OpenRegistry extends Registry, Disposable {
  /** Ends it: no hook is called any more. The connection to NATS stays open. */
  close(): void;
}

/**
 * Opens a registry.
 *
 * @param nc A connection to NATS.
 * @param options Which connections, and whom to tell.
 * @returns The registry, once the gateways have told who is connected.
 * @throws {TypeError} when a host or the prefix is none.
 *
 * @example
 * ```ts ignore
 * import { connect, createRegistry } from "@h8s/gateway/workload";
 *
 * await using nc = await connect();
 * using registry = await createRegistry(nc, { host: "chat.example.com" });
 * for (const connection of registry.connections()) registry.send(connection, "hello");
 * ```
 */
export async function createRegistry(
  nc: NatsClient,
  options: RegistryOptions = {},
): Promise<OpenRegistry> {
  const { host = "*", prefix = "h8s", gatherMs = 1000, onError = logError } = options;
  if (!isSubjectPrefix(prefix)) {
    throw new TypeError(`Cannot open a registry: prefix must be tokens, not "${prefix}"`);
  }
  const hosts = [host].flat().map(toServedHost);
  const { onOpen, onClose, clock = systemClock(), events } = options;
  const registry = new StandaloneRegistry(nc, {
    ...{ prefix, hosts, clock, gatherMs, onOpen, onClose, onError },
    kept: events === undefined ? undefined : { client: nc, stream: events },
  });
  await registry.ready;
  return registry;
}

class StandaloneRegistry implements OpenRegistry {
  readonly #link: Link;
  readonly #tracker: ConnectionTracker;

  constructor(nc: NatsClient, options: ConnectionTrackerOptions) {
    this.#link = new Link(nc, options.onError);
    this.#tracker = new ConnectionTracker(this.#link, options);
  }

  get ready(): Promise<void> {
    return this.#tracker.ready;
  }

  get size(): number {
    return this.#tracker.size;
  }

  connections(): KnownConnection[] {
    return this.#tracker.connections();
  }

  connectionsBySubject(subject: string): KnownConnection[] {
    return this.#tracker.connectionsBySubject(subject);
  }

  send(connection: Pick<KnownConnection, "inbox">, payload: string | Uint8Array): boolean {
    return this.#tracker.send(connection, payload);
  }

  close(): void {
    this.#tracker[Symbol.dispose]();
    this.#link[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

function logError(error: unknown): void {
  console.error("registry:", error);
}
