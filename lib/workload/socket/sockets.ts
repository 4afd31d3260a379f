/**
 * WebSockets in a workload: messages and events to the handlers, in the order of each connection.
 *
 * @module
 */
import { CLOSE, type CloseInfo } from "../../mapping/close.ts";
import { toEventSubject } from "../../mapping/control.ts";
import { findHeader } from "../../mapping/headers.ts";
import { type Incoming, parseIncoming, toDestination } from "../../mapping/incoming.ts";
import {
  findServed,
  type ServedHost,
  type ServedPath,
  servesHost,
  toHostLabel,
  toServedSubjects,
} from "../../mapping/served.ts";
import {
  type KnownConnection,
  toCloseInfo,
  toConnectionId,
  toInbox,
  toSocketData,
} from "../../mapping/socket_message.ts";
import type { PathTokens } from "../../mapping/subject.ts";
import type { BusMessage } from "../../nats/bus.ts";
import { ConnectionTracker } from "../registry/connection_tracker.ts";
import { Election } from "./election.ts";
import { KeyedQueue } from "../keyed_queue.ts";
import type { Link, LinkSubscription } from "../link.ts";
import { ConnectionClosedError, SendWindows } from "../send_windows.ts";
import type { ServeSettings, SocketRoute } from "../serve_options.ts";
import {
  SocketHandle,
  type SocketIdentity,
  toHandshake,
  toKnownHandshake,
} from "../socket_handle.ts";
import { ConsumerSpan } from "../../router/consumer_span.ts";
import type { SocketConnection, SocketHandlers } from "./socket_handlers.ts";

/** How much of one connection's messages may wait for its handler. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** How long the gateways' lists are waited for. */
const GATHER_MS = 1000;

/** A path on a host, whose connections one queue group shares. */
interface Group {
  readonly host: ServedHost;
  readonly route: SocketRoute;
  readonly name: string;
  readonly election: Election;
}

/** A message or an event that is for a group. */
interface Received {
  readonly group: Group;
  readonly incoming: Incoming;
  readonly message: BusMessage;
  readonly handle: SocketHandle;
  readonly id: string;
  readonly inbox: string;
}

/** Serves the WebSockets of all hosts and paths of a workload. */
export class Sockets implements Disposable {
  readonly #link: Link;
  readonly #windows: SendWindows;
  readonly #settings: ServeSettings;
  readonly #groups: readonly Group[];
  readonly #queue = new KeyedQueue(MAX_WAITING_BYTES);
  readonly #overflowed = new Set<string>();
  readonly #subscriptions: readonly LinkSubscription[];

  /** Who is connected to these hosts. */
  readonly registry: ConnectionTracker;

  /**
   * Subscribes.
   *
   * @param settings What is served; `sockets` is not empty.
   */
  constructor(link: Link, settings: ServeSettings, replicaId: string) {
    this.#link = link;
    this.#settings = settings;
    const { prefix, hosts, clock, onError } = settings;
    const windows = this.#windows = new SendWindows(link, clock);
    this.registry = new ConnectionTracker(link, {
      ...{ prefix, hosts, clock, gatherMs: GATHER_MS },
      onClose: ({ inbox }) => windows.closed(inbox),
      onGatewayLost: (gateway, connections) => this.#onGatewayLost(gateway, connections),
      onError: (error) => onError(error, "registry"),
    });
    this.#groups = hosts.flatMap((host) =>
      settings.sockets.map((route) => {
        const name = toGroupName(settings.queue, { host, path: route.path });
        const election = new Election(link, { prefix, group: name, id: replicaId, clock });
        return { host, route, name, election };
      })
    );
    this.#subscriptions = this.#groups.flatMap((group) => this.#subscribe(group));
  }

  /**
   * Takes no more messages and events.
   *
   * @returns When those that were under way wait for their handlers.
   */
  async drain(): Promise<void> {
    this.registry[Symbol.dispose]();
    for (const { election } of this.#groups) election[Symbol.dispose]();
    await Promise.all(this.#subscriptions.map((subscription) => subscription.drain()));
  }

  /** Resolves when no handler runs or has anything to do. */
  idle(): Promise<void> {
    return this.#queue.idle();
  }

  /** Ends everything at once. */
  [Symbol.dispose](): void {
    this.registry[Symbol.dispose]();
    for (const { election } of this.#groups) election[Symbol.dispose]();
    for (const subscription of this.#subscriptions) subscription.unsubscribe();
    this.#windows[Symbol.dispose]();
  }

  #subscribe(group: Group): LinkSubscription[] {
    const { prefix } = this.#settings;
    const { host, route: { path }, name: queue } = group;
    const messages = toServedSubjects(`${prefix}.ws.ws`, { host, path });
    const label = host.kind === "any" ? ">" : host.tokens;
    const on = (subject: string, handle: (received: Received) => void) =>
      this.#link.subscribe(subject, (message) => {
        const received = this.#receive(group, message);
        if (received !== undefined) handle(received);
      }, { queue });
    return [
      ...messages.map((subject) => on(subject, (received) => this.#onMessage(received))),
      on(toEventSubject("established", prefix, label), (received) => this.#onOpen(received)),
      on(toEventSubject("closed", prefix, label), (received) => this.#onClose(received)),
    ];
  }

  #receive(group: Group, message: BusMessage): Received | undefined {
    const incoming = parseIncoming(message.headers);
    const { control, host: sentHost } = incoming;
    const subject = control.get("publishsubject") ?? message.subject;
    const pathTokens = this.#toPath(group, { subject, host: sentHost });
    if (pathTokens === undefined) return undefined;
    const { host } = group;
    const place = { host: host.kind === "one" ? host.name : "", pathTokens };
    const inbox = toInbox(incoming, message.reply);
    const id = toConnectionId(incoming, message.reply);
    const identity = { id, inbox, subject, gateway: control.get("gateway-id") ?? "" };
    const handle = this.#toHandle(identity, () => toHandshake(incoming, place));
    return { group, incoming, message, handle, id, inbox };
  }

  #onOpen({ group, incoming, handle, inbox }: Received): void {
    const { open } = group.route.handlers;
    if (open === undefined || this.#isRepeated(incoming)) return;
    this.#queue.add(inbox, () => this.#run("open", () => group.route.handlers.open?.(handle)));
  }

  #onMessage({ group, incoming, message, handle, inbox }: Received): void {
    const { handlers } = group.route;
    if (handlers.message === undefined || this.#overflowed.has(inbox)) return;
    const data = toSocketData(incoming.control, message.data);
    const bytes = message.data.length + message.headers.length;
    const about = { incoming, subject: message.subject };
    const inSpan = () => this.#handle(() => handlers.message?.(handle, data), about);
    const task = () => this.#run("message", inSpan);
    if (!this.#queue.add(inbox, task, bytes)) this.#onOverflow(handle, inbox);
  }

  /** In a span of its own: the handshake may be days old. */
  async #handle(
    handler: () => unknown,
    { incoming, subject }: { incoming: Incoming; subject: string },
  ): Promise<void> {
    const traceparent = findHeader(incoming.headers, "traceparent");
    const span = new ConsumerSpan({
      name: "process message",
      subject,
      traceparent,
      relation: "link",
    });
    try {
      await span.run(handler);
    } catch (error) {
      span.fail(error);
      throw error;
    } finally {
      span.end();
    }
  }

  #onClose({ group, incoming, handle, id, inbox }: Received): void {
    if (this.#isRepeated(incoming)) return;
    // Either a gateway tells the end of what another one held, or the replicas do; never both.
    const gateway = incoming.control.get("gateway-id") ?? "";
    if (this.registry.lost.has(id) && group.election.isOver(gateway)) return;
    this.#close(group.route.handlers, { handle, inbox, ...toCloseInfo(incoming.control) });
  }

  /** The registry has heard it before: it is delivered first what is for everybody. */
  #isRepeated({ control }: Incoming): boolean {
    return this.registry.events.isRepeated(control.get("event-id"));
  }

  #close(
    handlers: SocketHandlers,
    { handle, inbox, code, reason }: CloseInfo & {
      handle: SocketConnection;
      inbox: string;
    },
  ): void {
    if (handlers.close === undefined) return;
    this.#queue.add(inbox, () => this.#run("close", () => handlers.close?.(handle, code, reason)));
  }

  /** NATS cannot be slowed down, and nothing is dropped in silence: so the client is told. */
  #onOverflow(handle: SocketHandle, inbox: string): void {
    this.#overflowed.add(inbox);
    this.#queue.add(inbox, () => {
      this.#overflowed.delete(inbox);
      return Promise.resolve();
    });
    handle.close(CLOSE.workloadTooSlow.code, CLOSE.workloadTooSlow.reason);
    const error = new Error(`Cannot keep up with the connection "${handle.id}": it was closed`);
    this.#settings.onError(error, "overflow");
  }

  #onGatewayLost(gateway: string, connections: readonly KnownConnection[]): void {
    for (const group of this.#groups) {
      const own = connections.filter((connection) => this.#toPath(group, connection) !== undefined);
      if (own.length === 0) continue;
      group.election.run(gateway, () => {
        for (const connection of own) {
          if (this.registry.lost.tell(connection.id)) this.#closeLost(group, connection);
        }
      });
    }
  }

  #closeLost(group: Group, connection: KnownConnection): void {
    const { inbox } = connection;
    const handle = this.#toHandle(connection, () => toKnownHandshake(connection));
    this.#close(group.route.handlers, { handle, inbox, ...CLOSE.gatewayGone });
  }

  #toHandle(identity: SocketIdentity, toRequest: () => Request): SocketHandle {
    return new SocketHandle({ link: this.#link, windows: this.#windows }, identity, toRequest);
  }

  /** The path of a connection; undefined where another host, path or workload is to handle it. */
  #toPath(
    { host, route }: Group,
    { subject, host: sentHost }: { subject: string; host: string | undefined },
  ): PathTokens | undefined {
    const root = `${this.#settings.prefix}.ws.ws.`;
    if (!subject.startsWith(root)) return undefined;
    const assumedTokens = host.kind === "one" ? host.tokens : undefined;
    const options = { host: sentHost, assumedTokens };
    const destination = toDestination(subject.slice(root.length), options);
    if (destination?.pathTokens === undefined || !servesHost(host, destination)) return undefined;
    const { pathTokens } = destination;
    return findServed(this.#settings.sockets, pathTokens) === route ? pathTokens : undefined;
  }

  async #run(stage: "open" | "message" | "close", handler: () => unknown): Promise<void> {
    try {
      await handler();
    } catch (error) {
      // That the client is gone is told to `close`, and no fault of the handler that was sending.
      if (!(error instanceof ConnectionClosedError)) this.#settings.onError(error, stage);
    }
  }
}

/**
 * One group per path: events do not have the path in their subject, so that members of one group must
 * not differ in the paths that they serve. `/` is in no token, so that a path is never another host.
 */
function toGroupName(
  queue: string,
  { host, path }: { host: ServedHost; path: ServedPath },
): string {
  const below = path.match === "prefix" ? "/" : "";
  return `${queue}.${toHostLabel(host)}/${path.tokens}${below}`;
}
