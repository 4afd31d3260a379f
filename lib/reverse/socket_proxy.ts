/**
 * WebSockets from NATS to a local server.
 *
 * The contract gives a connection's messages to whoever subscribes to their subject, and the backend's
 * side of a connection lives in one process. So one replica of the group, that which gets `established`,
 * opens the backend's socket; all replicas hear the messages, and each passes on those of the sockets
 * that it opened.
 *
 * @module
 */
import { CLOSE, toFrame } from "../mapping/frame.ts";
import {
  findHeader,
  type HeaderEntry,
  parseHeaderBlock,
  toHeaderBlock,
} from "../mapping/headers.ts";
import { toHeaderLine } from "../mapping/headers.ts";
import { toHostTokens } from "../mapping/subject.ts";
import type { BusMessage } from "../nats/bus.ts";
import { encodeLatin1 } from "../nats/wire.ts";
import type { Link, LinkSubscription } from "../workload/link.ts";
import { BackendSocket } from "./backend_socket.ts";
import { Ownership } from "./ownership.ts";

const EMPTY = new Uint8Array();
/** RFC 6455's registry: the service restarts; the client may come back at once. */
const SERVICE_RESTART = 1012;

/** Headers of the handshake that the client library writes itself. */
const OF_HANDSHAKE =
  /^(connection|upgrade|host|sec-websocket-.*|x-h8s-(?!(?:subject|claims)$).*|nats-.*|content-length)$/i;

/** What it takes. */
export interface SocketProxyOptions {
  readonly link: Link;
  readonly prefix: string;
  /** The public host whose sockets are taken. */
  readonly hostname: string;
  readonly backendUrl: URL;
  /** The replicas that share their work. */
  readonly group: string;
  /** One token that no other replica has. */
  readonly replica: string;
  readonly onError: (error: unknown) => void;
}

/** The sockets that this replica holds. */
export class SocketProxy implements AsyncDisposable {
  readonly #options: SocketProxyOptions;
  readonly #sockets = new Map<string, BackendSocket>();
  readonly #ownership: Ownership;
  readonly #subscriptions: readonly LinkSubscription[];
  #isStopping = false;

  /**
   * Subscribes.
   *
   * @param options What it takes.
   */
  constructor(options: SocketProxyOptions) {
    this.#options = options;
    const { link, prefix, group, replica } = options;
    const host = toHostTokens(options.hostname);
    this.#ownership = new Ownership(link, {
      prefix,
      group,
      replica,
      onOrphans: (inboxes) => inboxes.forEach((inbox) => this.#closeClient(inbox)),
    });
    const queue = { queue: group };
    const onMessage = (message: BusMessage) => this.#onMessage(message);
    this.#subscriptions = [
      link.subscribe(
        `${prefix}.control.ws.conn.established.${host}`,
        (m) => this.#onEstablished(m),
        queue,
      ),
      link.subscribe(`${prefix}.control.ws.conn.closed.${host}`, (m) => this.#onClosed(m)),
      link.subscribe(`${prefix}.ws.ws.${host}`, onMessage),
      link.subscribe(`${prefix}.ws.ws.${host}.>`, onMessage),
    ];
  }

  /** How many sockets this replica holds. */
  get size(): number {
    return this.#sockets.size;
  }

  /** Takes no more, and tells the clients of this replica to come back to another one. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isStopping = true;
    await Promise.all(this.#subscriptions.map((subscription) => subscription.drain()));
    for (const socket of this.#sockets.values()) {
      socket.closeBoth(SERVICE_RESTART, "the backend's proxy restarts");
    }
    await this.#options.link.flush();
    this.#ownership[Symbol.dispose]();
  }

  #onEstablished({ headers, reply }: BusMessage): void {
    if (this.#isStopping || this.#sockets.has(reply)) return;
    const { link, backendUrl, onError } = this.#options;
    const { entries } = parseHeaderBlock(headers);
    const protocols = findHeader(entries, "sec-websocket-protocol");
    const socket = new BackendSocket({
      link,
      url: toSocketUrl(backendUrl, { entries, prefix: this.#options.prefix }),
      headers: Object.fromEntries(entries.filter(([name]) => !OF_HANDSHAKE.test(name))),
      protocol: protocols?.split(",")[0]?.trim(),
      inbox: reply,
      onEnd: () => this.#forget(reply),
      onError,
    });
    this.#sockets.set(reply, socket);
    this.#ownership.take(reply);
  }

  #onMessage({ headers, data, reply }: BusMessage): void {
    const socket = this.#sockets.get(reply);
    if (socket === undefined) return;
    const frame = toFrame(headers, data);
    if (frame.kind === "text" || frame.kind === "binary") socket.send(frame);
  }

  #onClosed({ headers, reply }: BusMessage): void {
    const socket = this.#sockets.get(reply);
    if (socket === undefined) return;
    const { entries } = parseHeaderBlock(headers);
    // The Go gateway tells no code.
    const code = Number(findHeader(entries, "x-h8s-close-code") ?? CLOSE.abnormal);
    socket.close(code, findHeader(entries, "x-h8s-close-reason") ?? "");
    this.#forget(reply);
  }

  #forget(inbox: string): void {
    if (this.#sockets.delete(inbox)) this.#ownership.release(inbox);
  }

  #closeClient(inbox: string): void {
    const line = toHeaderLine("X-H8s-Close", `${SERVICE_RESTART} the backend's proxy has gone`);
    this.#options.link.publish(inbox, EMPTY, { headers: encodeLatin1(toHeaderBlock(line)) });
  }
}

/** The Go gateway tells no path but in the subject; ours tells it as the client sent it. */
function toSocketUrl(
  backendUrl: URL,
  { entries, prefix }: { entries: readonly HeaderEntry[]; prefix: string },
): string {
  const query = findHeader(entries, "x-h8s-original-query") ?? "";
  const path = findHeader(entries, "x-h8s-original-path") ?? toPathOfSubject(entries, prefix);
  const base = backendUrl.pathname.replace(/\/$/, "");
  const scheme = backendUrl.protocol === "https:" ? "wss:" : "ws:";
  return `${scheme}//${backendUrl.host}${base}${path}${query === "" ? "" : `?${query}`}`;
}

function toPathOfSubject(entries: readonly HeaderEntry[], prefix: string): string {
  const subject = findHeader(entries, "x-h8s-publishsubject") ?? "";
  const root = `${prefix}.ws.ws.${toHostTokens(findHeader(entries, "host") ?? "")}.`;
  return `/${subject.slice(root.length).replaceAll(".", "/")}`;
}
