/**
 * Follows the connections of all gateways: control events, a list at the beginning, and heartbeats.
 *
 * @module
 */
import { CLOSE, type CloseInfo } from "../../mapping/close.ts";
import {
  type ConnectionEvent,
  fromKeptSubject,
  toEventId,
  toEventSubject,
  toKeptSubject,
} from "../../mapping/control.ts";
import { SILENCE_MS } from "../../mapping/heartbeat.ts";
import { parseIncoming } from "../../mapping/incoming.ts";
import type { ListedConnection } from "../../mapping/listing.ts";
import { isResumeInbox } from "../../mapping/resume.ts";
import { type ServedHost, servesHost } from "../../mapping/served.ts";
import {
  type KnownConnection,
  toCloseInfo,
  toConnectionId,
  toKnownConnection,
} from "../../mapping/socket_message.ts";
import { type HostTokens, toHostTokens } from "../../mapping/subject.ts";
import type { BusMessage } from "../../nats/bus.ts";
import type { Clock } from "../../time/clock.ts";
import { publishMessage, toMessage } from "../client_message.ts";
import { ConnectionTable } from "./connection_table.ts";
import { GatewayWatch, type LossReason } from "../../nats/gateway_watch.ts";
import { EventLog } from "./event_log.ts";
import { KeptEvents, type KeptEventsOptions } from "./kept_events.ts";
import type { Link, LinkSubscription } from "../link.ts";
import { ListSync } from "./list_sync.ts";
import { LostConnections } from "./lost_connections.ts";

const ENDED = { type: "closed", ...CLOSE.vanished } as const;

/** Who is connected. Every replica has its own registry, and all know the same. */
export interface Registry {
  /** Resolves when the gateways have told who was connected before, or had the time to. */
  readonly ready: Promise<void>;
  /** How many connections there are. */
  readonly size: number;
  /**
   * All connections.
   *
   * @returns In the order in which they became known.
   */
  connections(): KnownConnection[];
  /**
   * The connections whose messages are published to a subject.
   *
   * @param subject E.g. `"h8s.ws.ws.com.example.chat"`.
   * @returns In the order in which they became known.
   */
  connectionsBySubject(subject: string): KnownConnection[];
  /**
   * Sends a message to a client.
   *
   * @param connection Which one.
   * @param payload Text becomes a text message, bytes a binary one.
   * @returns False when NATS is away and the message was not sent. True does not say that it arrived.
   * @throws {RangeError} when it is larger than NATS can carry.
   */
  send(connection: Pick<KnownConnection, "inbox">, payload: string | Uint8Array): boolean;
}

/** What is followed, and who is told. */
export interface ConnectionTrackerOptions {
  readonly prefix: string;
  readonly hosts: readonly ServedHost[];
  readonly clock: Clock;
  /** How long a list may take, in milliseconds. */
  readonly gatherMs: number;
  readonly onOpen?: ((connection: KnownConnection) => void) | undefined;
  readonly onClose?:
    | ((connection: KnownConnection, code: number, reason: string) => void)
    | undefined;
  /** Called when a gateway has fallen silent or left, after `onClose` for each of its connections. */
  readonly onGatewayLost?: (gateway: string, connections: readonly KnownConnection[]) => void;
  readonly onError: (error: unknown) => void;
  /** Where events are kept; undefined where they are only heard. */
  readonly kept?: Pick<KeptEventsOptions, "client" | "stream"> | undefined;
}

/** Knows all connections of some hosts. */
export class ConnectionTracker implements Registry, Disposable {
  readonly #link: Link;
  readonly #options: ConnectionTrackerOptions;
  readonly #table = new ConnectionTable();
  readonly #lost: LostConnections;
  readonly #subscriptions: readonly LinkSubscription[];
  readonly #kept: KeptEvents | undefined;
  readonly #gateways: GatewayWatch;
  readonly #sync: ListSync;
  readonly #endState: () => void;

  /** What has happened to connections, so far as it was heard. */
  readonly events = new EventLog();
  readonly ready: Promise<void>;

  /** Subscribes, and asks who is connected. */
  constructor(link: Link, options: ConnectionTrackerOptions) {
    this.#link = link;
    this.#options = options;
    const { prefix, clock, hosts, kept, onError } = options;
    const tokens = toEventTokens(hosts);
    this.#lost = new LostConnections(clock);
    this.#subscriptions = kept === undefined
      ? tokens.flatMap((tokens) => this.#subscribe(tokens))
      : [];
    this.#gateways = new GatewayWatch(link, {
      ...{ prefix, clock, silenceMs: SILENCE_MS },
      onAlive: (gateway) => this.#sync.askIfUnknown(gateway),
      onLost: (gateway, reason) => this.#onGatewayLost(gateway, reason),
    });
    const [only] = hosts.length === 1 ? hosts : [];
    this.#sync = new ListSync(link, {
      ...options,
      host: only?.kind === "one" ? only.name : undefined,
      knownIds: (gateway) => this.#table.ofGateway(gateway).map(({ id }) => id),
      onPage: ({ gateway, connections }) => this.#onPage(gateway, connections),
      onComplete: (_gateway, vanishedIds) => this.#onVanished(vanishedIds),
    });
    this.#kept = kept && new KeptEvents(link, {
      ...{ ...kept, clock, onError },
      filters: tokens.map((hostTokens) => toKeptSubject("*", { prefix, hostTokens })),
      onEvent: (message, time) => this.#onKept(message, time),
    });
    // What happened while NATS was away was told to nobody.
    this.#endState = link.onState((isConnected) => {
      if (isConnected) this.#sync.askAll();
    });
    if (this.#kept === undefined) this.#sync.askAll();
    // Whoever is there has come after those who are gone.
    this.ready = Promise.resolve(this.#kept?.ready.then(() => this.#sync.askAll()))
      .then(() => this.#sync.settled());
  }

  get size(): number {
    return this.#table.size;
  }

  connections(): KnownConnection[] {
    return this.#table.all();
  }

  connectionsBySubject(subject: string): KnownConnection[] {
    return this.#table.ofSubject(subject);
  }

  send({ inbox }: Pick<KnownConnection, "inbox">, payload: string | Uint8Array): boolean {
    return publishMessage(this.#link, inbox, toMessage(payload));
  }

  /** Connections whose end the replicas tell, unless another gateway does. */
  get lost(): LostConnections {
    return this.#lost;
  }

  /** Follows no more. */
  [Symbol.dispose](): void {
    this.#endState();
    this.#kept?.[Symbol.dispose]();
    this.#sync[Symbol.dispose]();
    this.#gateways[Symbol.dispose]();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
  }

  /** Not in a queue group: each replica hears all. */
  #subscribe(tokens: HostTokens | ">"): LinkSubscription[] {
    const { prefix } = this.#options;
    const toSubject = (type: ConnectionEvent["type"]) => toEventSubject(type, prefix, tokens);
    return [
      this.#link.subscribe(
        toSubject("established"),
        (message) => this.#onEstablished(message),
      ),
      this.#link.subscribe(toSubject("resumed"), (message) => this.#onResumed(message)),
      this.#link.subscribe(toSubject("closed"), (message) => this.#onClosed(message)),
    ];
  }

  #onKept(message: BusMessage, time: number): void {
    const type = fromKeptSubject(message.subject, this.#options.prefix);
    const since = new Date(time).toISOString();
    if (type === "established") this.#onEstablished(message, since);
    else if (type === "resumed") this.#onResumed(message, since);
    else if (type === "closed") this.#onClosed(message);
  }

  #onEstablished({ headers, reply }: BusMessage, since: string = new Date().toISOString()): void {
    const incoming = parseIncoming(headers);
    if (!this.events.hear(incoming.control.get("event-id"))) return;
    const connection = toKnownConnection(incoming, { reply, since });
    if (connection === undefined) {
      return this.#options.onError(new Error("Cannot read an established event: it lacks headers"));
    }
    this.#heard(connection.gateway);
    if (!this.#hasEnded(connection)) this.#add(connection);
  }

  /** Another gateway holds it now. */
  #onResumed({ headers, reply }: BusMessage, since: string = new Date().toISOString()): void {
    const incoming = parseIncoming(headers);
    if (!this.events.hear(incoming.control.get("event-id"))) return;
    const connection = toKnownConnection(incoming, { reply, since });
    if (connection === undefined) return;
    this.#heard(connection.gateway);
    if (this.#table.move(connection.id, connection.gateway)) return;
    if (!this.#hasEnded(connection)) this.#add(connection);
  }

  #onClosed({ headers, reply }: BusMessage): void {
    const incoming = parseIncoming(headers);
    const { control } = incoming;
    if (!this.events.hear(control.get("event-id"))) return;
    this.#heard(control.get("gateway-id") ?? "");
    const id = toConnectionId(incoming, reply);
    this.#lost.tell(id);
    this.#remove(id, toCloseInfo(control));
  }

  #heard(gateway: string): void {
    if (gateway !== "") this.#gateways.heard(gateway);
  }

  #onPage(gateway: string, connections: readonly ListedConnection[]): void {
    this.#heard(gateway);
    for (const connection of connections) {
      if (this.#hasEnded(connection) || !this.#isServed(connection.host)) continue;
      this.#lost.forget(connection.id);
      this.#add({ ...connection, gateway });
    }
  }

  #onVanished(ids: ReadonlySet<string>): void {
    // It is kept how they ended, and comes.
    if (this.#kept !== undefined) return;
    for (const id of ids) this.#remove(id, CLOSE.toldWhileAway);
  }

  #onGatewayLost(gateway: string, reason: LossReason): void {
    this.#sync.forget(gateway);
    // Those that can be resumed outlive their gateway: another one holds them, and tells their end.
    const connections = this.#table.ofGateway(gateway).filter(({ inbox }) => !isResumeInbox(inbox));
    this.#lost.add(connections.map(({ id }) => id));
    const end = reason === "silent" ? CLOSE.gatewaySilent : CLOSE.gatewayLeft;
    for (const { id } of connections) this.#remove(id, end);
    this.#options.onGatewayLost?.(gateway, connections);
  }

  /** A list may be older than what was heard meanwhile, and what two gateways tell comes in any order. */
  #hasEnded({ id }: Pick<KnownConnection, "id">): boolean {
    return this.events.has(toEventId(ENDED, id));
  }

  /** With several hosts, the gateways are asked for all. */
  #isServed(host: string): boolean {
    const { hosts } = this.#options;
    if (hosts.some(({ kind }) => kind === "any")) return true;
    try {
      const hostTokens = toHostTokens(host);
      return hosts.some((served) => servesHost(served, { hostTokens }));
    } catch {
      // No gateway lets such a host in; whoever says so does not hide the others of its page.
      return false;
    }
  }

  #add(connection: KnownConnection): void {
    if (!this.#table.add(connection)) return;
    this.#call(() => this.#options.onOpen?.(connection));
  }

  #remove(id: string, { code, reason }: CloseInfo): void {
    const connection = this.#table.remove(id);
    if (connection === undefined) return;
    this.#call(() => this.#options.onClose?.(connection, code, reason));
  }

  /** A hook that throws must not keep the others from being told. */
  #call(hook: () => void): void {
    try {
      hook();
    } catch (error) {
      this.#options.onError(error);
    }
  }
}

/** Each event is heard once: what all hosts have covers each of them. */
function toEventTokens(hosts: readonly ServedHost[]): (HostTokens | ">")[] {
  const tokens = hosts.map((host) => host.kind === "any" ? ">" : host.tokens);
  return tokens.includes(">") ? [">"] : [...new Set(tokens)];
}
