/**
 * One WebSocket: its messages out as NATS messages, its inbox back to the client.
 *
 * @module
 */
import type { Seated } from "../../crowd.ts";
import { GatewayError } from "../../errors.ts";
import { CLOSE, type CloseInfo, fromCloseEventCode, toCloseReason } from "../../mapping/close.ts";
import type { ConnectionRecord, ResumeRoute } from "../../mapping/connection_record.ts";
import { type DataFrame, type Frame, toFrame } from "../../mapping/frame.ts";
import {
  type HeaderLines,
  isNoResponders,
  joinLines,
  NO_LINES,
  toHeaderLine,
} from "../../mapping/headers.ts";
import type { ListedConnection } from "../../mapping/listing.ts";
import { HEADER } from "../../mapping/names.ts";
import { MAX_SUBJECT_LENGTH } from "../../mapping/subject.ts";
import type { BusMessage } from "../../nats/bus.ts";
import type { Receiver, Slot } from "../../nats/inbox.ts";
import type { KeptLease } from "../lifetime/connection_records.ts";
import type { Admitted } from "../admission.ts";
import { describeHandshake, type Handshake, hasReply, toKeptHandshake } from "./handshake.ts";
import type { Place } from "../admission/load.ts";
import { closeWithHandshake } from "./close_handshake.ts";
import { Downlink, type DownlinkOwner, type DownlinkParts } from "./downlink.ts";
import type { EdgeParts } from "../parts.ts";
import { asksForCredit } from "../../mapping/flow.ts";
import { cancelAsk } from "../../nats/credit.ts";
import { listenToSocket, type SocketListener } from "./socket_events.ts";
import { Uplink, type UplinkOwner, type UplinkParts } from "./uplink.ts";

/** How long the 101 may take to leave; the platform does not tell of one that never will. */
const OPEN_TIMEOUT_MS = 5000;
/** How long a client may take to answer a close frame before it is taken for gone. */
const CLOSE_TIMEOUT_MS = 2000;
/** What an event adds to the handshake's headers: the code, a reason of 123 bytes, a subject. */
const EVENT_HEADERS_ROOM = 256 + MAX_SUBJECT_LENGTH;

/** What is told of a connection's beginning and end, and says what the connection is. */
export interface ConnectionOwner {
  /** What is published there reaches the client; undefined for what the socket itself listens to. */
  readonly inbox: string | undefined;
  /** What a client gets of a message that is not for it alone. */
  wrap(frame: DataFrame, protocol: string | undefined): string | Uint8Array;
  /** The client has its 101: the workloads are to be told. */
  add(connection: Connection): void;
  /** The client is gone: the workloads are to be told why. */
  remove(connection: Connection, end: CloseInfo): void;
}

/** A handshake that is let in. */
export interface Opening {
  readonly admitted: Admitted;
  readonly place: Place;
  readonly owner: ConnectionOwner;
}

/** What it takes. */
export type ConnectionParts =
  & UplinkParts
  & DownlinkParts
  & Pick<EdgeParts, "fanout" | "gatewayId" | "inbox" | "log" | "metrics" | "onFault">;

/** A client that is connected, or about to be. */
export class Connection implements Seated, Receiver, SocketListener, UplinkOwner, DownlinkOwner {
  readonly #admitted: Handshake;
  readonly #parts: ConnectionParts;
  readonly #owner: ConnectionOwner;
  readonly #slot: Slot;
  readonly #inbox: string;
  readonly #lines: HeaderLines;
  /** Made when it is used first, as the next: most of many sockets are quiet. */
  #uplink: Uplink | undefined;
  #downlink: Downlink | undefined;
  #socket: WebSocket | undefined;
  #state: "opening" | "open" | "closing" | "closed" = "opening";
  /** Why we closed it; a client that does not answer cannot tell another story. */
  #closing: CloseInfo | undefined;
  #drop: (() => void) | undefined;
  #since = Date.now();
  #subscriptions: (() => void)[] | undefined;
  #wasUnheard = false;
  /** Its place among the connections, which its owner gives back once it is told of the end. */
  readonly place: Place;
  seat: number | undefined;
  /** Among the connections of its gateway; for its owner alone, as the next. */
  number = 0;
  /** The platform copies what it is to send. */
  readonly borrows = true;
  /** The right to tell its end; undefined where that needs none. */
  lease: KeptLease | undefined;

  /**
   * Upgrades a handshake.
   *
   * @returns The 101 for the client.
   * @throws {GatewayError} `headers_too_large` when NATS cannot carry its headers.
   */
  static upgrade(opening: Opening, parts: ConnectionParts): Response {
    const { admitted } = opening;
    admitted.visit.onUpgraded(admitted.subject);
    return new Connection(opening, parts).#upgrade(admitted);
  }

  private constructor({ admitted, place, owner }: Opening, parts: ConnectionParts) {
    this.#admitted = toKeptHandshake(admitted);
    this.#parts = parts;
    this.#owner = owner;
    this.place = place;
    this.#slot = parts.inbox.open(this);
    const inbox = this.#inbox = owner.inbox ?? this.#slot.subject;
    this.#lines = joinLines(
      admitted.headerLines,
      toHeaderLine(HEADER.connectionId, this.id),
      toHeaderLine(HEADER.gatewayId, parts.gatewayId),
      hasReply(admitted) ? NO_LINES : toHeaderLine(HEADER.replySubject, inbox),
    );
    const room = parts.bus.maxPayload - this.#lines.length;
    if (room < EVENT_HEADERS_ROOM) {
      this.#release();
      const detail = "The handshake's header block is larger than NATS can carry";
      throw new GatewayError("headers_too_large", detail);
    }
  }

  /** Unique among all gateways. */
  get id(): string {
    return this.#admitted.connectionId!;
  }

  /** What its control events are made of. */
  get record(): ConnectionRecord {
    const { subject, target: { hostTokens } } = this.#admitted;
    return { inbox: this.#inbox, subject, hostTokens, lines: this.#lines };
  }

  /** What another gateway needs to go on with it. */
  get route(): ResumeRoute {
    const { subscribe, mode, isPersistent } = this.#admitted;
    return { subscribe, mode, isPersistent };
  }

  /** How long its client may be away, in milliseconds. */
  get windowMs(): number {
    return this.#admitted.windowMs;
  }

  /** What is told to those who ask who is connected. */
  describe(): ListedConnection {
    return describeHandshake(this.#admitted, { inbox: this.#inbox, since: this.#since });
  }

  /** Closes it from our side, and sees to it that its end is told whether the client answers or not. */
  close({ code, reason }: CloseInfo): void {
    if (this.#state !== "open") return;
    this.#state = "closing";
    this.#closing = { code, reason };
    this.#downlink?.end({ isSlow: reason === CLOSE.slowConsumer.reason });
    this.#slot.setDeadline(CLOSE_TIMEOUT_MS);
    this.#drop = closeWithHandshake(this.#socket!, { code, reason: toCloseReason(reason) });
  }

  tell(text: string): void {
    this.push(text, text.length);
  }

  push(data: string | Uint8Array, length: number): void {
    if (this.#state === "open") this.#send(data, length);
  }

  /** NATS is back, and what was held has been published. */
  onReconnect(): void {
    this.#uplink?.onReconnect();
  }

  onMessage(message: BusMessage): void {
    const { headers, data, reply } = message;
    // Of an event, as long as the client has said nothing.
    if (this.#uplink === undefined && isNoResponders(headers, data.length)) return;
    this.#onFrame(toFrame(headers, data), data.length);
    if (!asksForCredit(message)) return;
    if (this.#state === "open") this.#toDownlink().credit.ask(reply, data.length);
    else cancelAsk(this.#parts.bus, reply);
  }

  #onFrame(frame: Frame, payloadLength: number): void {
    if (this.#state !== "open") return;
    switch (frame.kind) {
      case "no_responders":
        return this.#onUnheard(frame.subject);
      case "close":
        return this.close(frame);
      case "text":
      case "binary":
        return this.#send(this.#owner.wrap(frame, this.#admitted.protocol), payloadLength);
    }
  }

  onDeadline(): void {
    // Its 101 could not be written, and the platform waits for ever (see handshakes.ts).
    if (this.#state === "opening") this.#parts.metrics.handshakeAbandoned({ isLost: true });
    if (this.#state === "open") return this.close(CLOSE.expired);
    this.#drop?.();
    this.#finish(this.#closing ?? CLOSE.vanished);
  }

  #upgrade({ request, protocol, setCookies, answerHeaders }: Admitted): Response {
    const idleTimeout = Math.ceil(this.#parts.config().wsIdleTimeout / 1000);
    const { socket, response } = this.#takeOver(request, { idleTimeout });
    // Deno's own `protocol` option cannot read "a,b".
    if (protocol !== undefined) response.headers.set("sec-websocket-protocol", protocol);
    for (const setCookie of setCookies) response.headers.append("set-cookie", setCookie);
    for (const [name, value] of answerHeaders) response.headers.append(name, value);
    this.#socket = socket;
    this.#slot.setDeadline(OPEN_TIMEOUT_MS);
    socket.binaryType = "arraybuffer";
    listenToSocket(socket, this);
    return response;
  }

  #takeOver(request: Request, options: Deno.UpgradeWebSocketOptions): Deno.WebSocketUpgrade {
    try {
      return Deno.upgradeWebSocket(request, options);
    } catch (cause) {
      this.#release();
      throw new GatewayError("malformed_request", "Cannot upgrade the connection", { cause });
    }
  }

  onOpen(): void {
    if (this.#state === "closed") return this.#socket!.close();
    this.#state = "open";
    this.#since = Date.now();
    const { expiresAt = Number.POSITIVE_INFINITY } = this.#admitted;
    this.#slot.setDeadline(expiresAt - Date.now());
    if (this.#admitted.subscribe.length > 0) this.#subscriptions = this.#subscribe();
    this.#parts.metrics.socketOpened();
    this.#owner.add(this);
  }

  onSaid(data: string | ArrayBuffer): void {
    if (this.#state === "open") this.#toUplink().receive(data);
  }

  onClosed({ code, reason }: CloseInfo): void {
    this.#finish(this.#closing ?? { code: fromCloseEventCode(code), reason });
  }

  onSocketError(error: string): void {
    this.#parts.log.debug("websocket failed", { connection: this.id, error });
  }

  onThrown(error: unknown): void {
    this.#parts.onFault("websocket", error);
    this.close(CLOSE.failed);
  }

  #subscribe(): (() => void)[] {
    const listener = (frame: Frame, length: number) => this.#onFrame(frame, length);
    return this.#admitted.subscribe.map((subject) =>
      this.#parts.fanout.subscribe(subject, listener)
    );
  }

  #toUplink(): Uplink {
    const [parts, inbox, lines] = [this.#parts, this.#inbox, this.#lines];
    return this.#uplink ??= new Uplink(this.#admitted, { parts, owner: this, inbox, lines });
  }

  #toDownlink(): Downlink {
    return this.#downlink ??= new Downlink(this.#socket!, this.#parts, this);
  }

  #send(data: string | Uint8Array, length: number): void {
    if (this.#toDownlink().send(data, length)) this.#admitted.visit.onMessage("out", length);
  }

  onSlow(): void {
    this.close(CLOSE.slowConsumer);
  }

  /** Events are unheard, too, where no workload cares who comes and goes; that is no loss. */
  #onUnheard(subject: string | undefined): void {
    const isMessage = subject === undefined
      ? this.#uplink?.hasSpoken
      : subject === this.#admitted.subject;
    if (!isMessage) return;
    this.#parts.metrics.messageUnheard();
    if (this.#wasUnheard) return;
    this.#wasUnheard = true;
    this.#parts.log.warn("no workload subscribes to what a client says", {
      subject: this.#admitted.subject,
    });
  }

  /** Tells the end once, whatever comes first: the close event, our patience, or a failed upgrade. */
  #finish({ code, reason }: CloseInfo): void {
    if (this.#state === "closed") return;
    const wasOpen = this.#state !== "opening";
    this.#state = "closed";
    this.#release();
    if (!wasOpen) this.place[Symbol.dispose]();
    this.#admitted.visit.onClosed(this.id, { code, reason });
    if (!wasOpen) return;
    this.#parts.metrics.socketClosed(code);
    this.#owner.remove(this, { code, reason: toCloseReason(reason) });
  }

  #release(): void {
    this.#slot.release();
    this.#uplink?.close();
    this.#downlink?.close();
    this.#subscriptions?.forEach((unsubscribe) => unsubscribe());
  }
}
