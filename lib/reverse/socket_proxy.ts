/**
 * WebSockets from NATS to a local server.
 *
 * The contract gives a connection's messages to whoever subscribes to their subject, and the backend's
 * side of a connection lives in one process. So one replica of the group, that which is asked about the
 * handshake, opens the backend's socket; all replicas hear the messages, and each passes on those of
 * the sockets that it opened. A gateway that asks nobody tells only that a client has connected; one
 * replica of the group opens the socket then.
 *
 * @module
 */
import { backendRefused, CLOSE, type CloseInfo } from "../mapping/close.ts";
import { toEventSubject } from "../mapping/control.ts";
import { type Incoming, parseIncoming, toOriginalTarget } from "../mapping/incoming.ts";
import { toServedHost } from "../mapping/served.ts";
import { toCloseBlock, toInbox, toSocketData } from "../mapping/socket_message.ts";
import { toAuthorizeSubject } from "../mapping/authorize.ts";
import { type PathTokens, readPathTokens, toHostTokens } from "../mapping/subject.ts";
import type { BusMessage } from "../nats/bus.ts";
import { type Clock, systemClock } from "../time/clock.ts";
import { encodeLatin1 } from "../mapping/latin1.ts";
import { ConnectionTracker } from "../workload/registry/connection_tracker.ts";
import type { Link, LinkSubscription } from "../workload/link.ts";
import {
  type BackendAddress,
  type BackendAnswer,
  shakeHands,
  toPromised,
} from "./backend_handshake.ts";
import { BackendSocket } from "./backend_socket.ts";
import type { Ws } from "./libraries.ts";
import { toAnswerMessage } from "./handshake_answer.ts";
import { Ownership } from "./ownership.ts";
import { OtherSubjects } from "./other_subjects.ts";

const EMPTY = new Uint8Array();
/** How long a client may take from the answer to its 101, in milliseconds; it may have left meanwhile. */
const CLAIM_MS = 10_000;
/** What an answer's header block has besides the backend's own lines, in bytes. */
const HEADERS_ROOM = 1024;
const GATHER_MS = 1000;

/** What it takes. */
export interface SocketProxyOptions {
  readonly link: Link;
  readonly ws: Ws;
  readonly prefix: string;
  /** The public host whose sockets are taken. */
  readonly hostname: string;
  readonly backend: BackendAddress;
  /** The replicas that share their work. */
  readonly group: string;
  /** One token that no other replica has. */
  readonly replica: string;
  /** Told of each handshake that the backend did not answer, and of each connection that broke. */
  readonly onError: (error: unknown) => void;
  /** Told of each handshake that it did answer. */
  readonly onAnswer: () => void;
  /** Told of what goes wrong with NATS. */
  readonly onNatsError: (error: unknown) => void;
  /** @default the machine's */
  readonly clock?: Clock;
}

/** A socket without a client. */
interface Unclaimed {
  readonly socket: BackendSocket;
  /** It has one. */
  readonly cancel: () => void;
  /** It will have none. */
  readonly giveUp: () => void;
}

/** The sockets that this replica holds. */
export class SocketProxy implements AsyncDisposable {
  readonly #options: SocketProxyOptions;
  readonly #clock: Clock;
  /** By the client's inbox. */
  readonly #sockets = new Map<string, BackendSocket>();
  /** By the connection's id: the backend has accepted, the client has not got its 101. */
  readonly #unclaimed = new Map<string, Unclaimed>();
  readonly #ownership: Ownership;
  readonly #tracker: ConnectionTracker;
  readonly #others: OtherSubjects;
  readonly #subscriptions: readonly LinkSubscription[];
  #isStopping = false;

  /** Subscribes. */
  constructor(options: SocketProxyOptions) {
    this.#options = options;
    const { link, prefix, group, replica, hostname, clock = systemClock() } = options;
    this.#clock = clock;
    const host = toHostTokens(hostname);
    this.#ownership = new Ownership(link, {
      ...{ prefix, group, replica, clock },
      onOrphans: (inboxes) => inboxes.forEach((inbox) => this.#closeClient(inbox)),
    });
    this.#tracker = new ConnectionTracker(link, {
      ...{ prefix, clock, hosts: [toServedHost(hostname)], gatherMs: GATHER_MS },
      onClose: ({ inbox }, code, reason) => this.#onClosed(inbox, { code, reason }),
      onError: options.onNatsError,
    });
    const queue = { queue: group };
    const established = toEventSubject("established", prefix, host);
    const question = toAuthorizeSubject("websocket", { prefix, hostTokens: host });
    const own = `${prefix}.ws.ws.${host}`;
    const onMessage = (message: BusMessage) => this.#onMessage(message);
    this.#others = new OtherSubjects(link, { own, onMessage });
    this.#subscriptions = [
      link.subscribe(question, (message) => this.#onQuestion(message), queue),
      link.subscribe(established, (message) => this.#onClaim(message)),
      link.subscribe(established, (message) => this.#onEstablished(message), queue),
      link.subscribe(own, onMessage),
      link.subscribe(`${own}.>`, onMessage),
    ];
  }

  /** Takes no more, and tells the clients of this replica to come back to another one. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#subscriptions.map((subscription) => subscription.drain()));
    this.#tracker[Symbol.dispose]();
    for (const { giveUp } of [...this.#unclaimed.values()]) giveUp();
    for (const socket of [...this.#sockets.values()]) {
      socket.close(CLOSE.proxyRestarts);
    }
    this.#others[Symbol.dispose]();
    await this.#options.link.flush();
    this.#ownership[Symbol.dispose]();
  }

  /** An authorizer's question names no connection: that one is not for us. */
  #onQuestion({ headers, reply }: BusMessage): void {
    const incoming = parseIncoming(headers);
    const id = incoming.control.get("connection-id");
    if (id === undefined || reply === "" || this.#isStopping) return;
    const { socket, answer } = this.#connect(incoming, incoming.headers);
    void answer.then((answer) => {
      if (answer.kind === "accepted" && !this.#isStopping) {
        // Before the answer: the client may say something as soon as it has its 101.
        this.#others.add(id, incoming.control.get("publishsubject") ?? "");
        const cancel = this.#clock.after(CLAIM_MS, () => this.#unclaimed.get(id)?.giveUp());
        const giveUp = () => {
          cancel();
          this.#unclaimed.delete(id);
          this.#others.remove(id);
          socket.leave(CLOSE.vanished);
        };
        this.#unclaimed.set(id, { socket, cancel, giveUp });
      }
      const { data, headers } = toAnswerMessage(this.#isStopping ? STOPPING : answer, {
        replica: this.#options.replica,
        maxPayload: this.#options.link.maxPayload,
      });
      this.#options.link.publish(reply, data, { headers });
    });
  }

  /** All replicas hear it: the one that was asked knows the connection. */
  #onClaim({ headers, reply }: BusMessage): void {
    const incoming = parseIncoming(headers);
    this.#claim(incoming, toInbox(incoming, reply));
  }

  #claim(incoming: Incoming, inbox: string): BackendSocket | undefined {
    const id = incoming.control.get("connection-id") ?? "";
    const { socket, cancel } = this.#unclaimed.get(id) ?? {};
    if (socket === undefined) return undefined;
    cancel?.();
    this.#unclaimed.delete(id);
    this.#take(incoming, { inbox, socket });
    this.#others.remove(id);
    return socket;
  }

  /** One replica hears it: of a connection that nobody was asked about. */
  #onEstablished({ headers, reply }: BusMessage): void {
    const incoming = parseIncoming(headers);
    const inbox = toInbox(incoming, reply);
    if (incoming.control.has("handshake") || this.#isStopping || this.#sockets.has(inbox)) return;
    const protocol = toPromised(incoming.headers);
    const rest = incoming.headers.filter(([name]) => !/^sec-websocket-protocol$/i.test(name));
    const { socket, answer } = this.#connect(
      incoming,
      protocol === undefined ? rest : [...rest, ["Sec-WebSocket-Protocol", protocol]],
    );
    this.#take(incoming, { inbox, socket });
    void answer.then((answer) => {
      if (answer.kind === "accepted") return;
      socket.close(
        answer.kind === "refused" ? backendRefused(answer.status) : CLOSE.backendSilent,
      );
    });
  }

  #connect(
    incoming: Incoming,
    headers: Incoming["headers"],
  ): { socket: BackendSocket; answer: Promise<BackendAnswer> } {
    const { link, ws, backend, prefix, onError, onAnswer } = this.#options;
    const { control } = incoming;
    const path = toPathTokens(incoming, prefix);
    const { socket, answer } = shakeHands(ws, {
      ...backend,
      target: toOriginalTarget(control, path),
      headers,
      maxBytes: link.maxPayload - HEADERS_ROOM,
    });
    void answer.then((answer) => answer.kind === "failed" ? onError(answer.error) : onAnswer());
    const proxied = new BackendSocket({
      ...{ link, socket, onError },
      onEnd: () => this.#forget(proxied),
    });
    return { socket: proxied, answer };
  }

  #take(
    { control }: Incoming,
    { inbox, socket }: { inbox: string; socket: BackendSocket },
  ): void {
    this.#sockets.set(inbox, socket);
    this.#others.add(inbox, control.get("publishsubject") ?? "");
    this.#ownership.take(inbox);
    socket.bind(inbox);
  }

  #onMessage({ headers, data, reply }: BusMessage): void {
    const known = this.#sockets.get(reply);
    const incoming = parseIncoming(headers);
    const inbox = toInbox(incoming, reply);
    const socket = known ?? this.#sockets.get(inbox) ?? this.#claim(incoming, inbox);
    socket?.receive(toSocketData(incoming.control, data));
  }

  #onClosed(inbox: string, end: CloseInfo): void {
    const socket = this.#sockets.get(inbox);
    if (socket === undefined) return;
    socket.leave(end);
    this.#forget(socket);
  }

  #forget(socket: BackendSocket): void {
    const { inbox } = socket;
    if (inbox === undefined || !this.#sockets.delete(inbox)) return;
    this.#others.remove(inbox);
    this.#ownership.release(inbox);
  }

  #closeClient(inbox: string): void {
    const block = toCloseBlock(CLOSE.proxyGone);
    this.#options.link.publish(inbox, EMPTY, { headers: encodeLatin1(block) });
  }
}

const STOPPING: BackendAnswer = { kind: "failed", error: undefined };

/** The Go gateway tells no path but in the subject. */
function toPathTokens({ control, host = "" }: Incoming, prefix: string): PathTokens {
  if (control.has("original-path")) return readPathTokens("");
  const subject = control.get("publishsubject") ?? "";
  const root = `${prefix}.ws.ws.${toHostTokens(host)}.`;
  return readPathTokens(subject.startsWith(root) ? subject.slice(root.length) : "");
}
