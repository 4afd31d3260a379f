/**
 * How far a workload may be ahead of the clients of its WebSockets.
 *
 * @module
 */
import { parseFlowSignal } from "../mapping/flow.ts";
import type { BusMessage } from "../nats/bus.ts";
import type { Clock } from "../time/clock.ts";
import { awayError, type ClientMessage, publishMessage, toIgnorable } from "./client_message.ts";
import { type FlowAddress, FlowInbox } from "./http/flow_inbox.ts";
import { type Link, LinkLostError } from "./link.ts";

/** How much may be on its way to a client before a sender waits. */
const WINDOW_BYTES = 256 * 1024;
/** How often the gateway is asked. */
const ASK_BYTES = WINDOW_BYTES / 4;
/** What was sent so long ago has been taken, or its client was closed as a slow one. */
const FORGET_MS = 10_000;
/**
 * How long a gateway may grant nothing. One that knows of credit has closed a client by then that takes
 * nothing, unless its `--ws-send-timeout` is longer; one that does not, or that never got the question, would
 * be waited for until the connection ends.
 */
const SILENCE_MS = 30_000;
const DONE = Promise.resolve();

/** The connection of a client has ended, so that it takes nothing more. */
export class ConnectionClosedError extends Error {
  /** Always `"ConnectionClosedError"`. */
  override readonly name = "ConnectionClosedError";
}

/** A message that the gateway was asked about. */
interface Ask {
  readonly address: FlowAddress;
  /** Its own, and those of the messages before it that it was not asked about. */
  readonly bytes: number;
}

/** What is on its way to one client. */
interface Window {
  readonly asks: Ask[];
  /** In bytes, those of {@link Window.asks}. */
  asked: number;
  /** In bytes, since the last of them. */
  unasked: number;
  /** Settled when there is room; undefined while there is. */
  room: PromiseWithResolvers<void> | undefined;
  usedAt: number;
  /** Since when nothing was granted that was asked for. */
  since: number;
  /** Nothing was granted for so long that nobody waits for it; it is asked for all the same. */
  isSilent: boolean;
  endTimer: (() => void) | undefined;
}

/** Section 5 of the contract: credit for what is sent to a connection. Handles come and go, so it is kept here. */
export class SendWindows implements Disposable {
  readonly #link: Link;
  readonly #clock: Clock;
  readonly #inbox: FlowInbox;
  readonly #windows = new Map<string, Window>();
  readonly #endState: () => void;
  #forgetAt = 0;

  constructor(link: Link, clock: Clock) {
    this.#link = link;
    this.#clock = clock;
    this.#inbox = new FlowInbox(link);
    this.#endState = link.onState((isConnected) => {
      if (!isConnected) this.#failAll("Cannot tell whether the client takes it: NATS was lost");
    });
  }

  /**
   * Sends a message.
   *
   * @returns When so little is on its way to the client that the next one may be sent, or when its gateway
   * has granted nothing for 30 s: then nothing is waited for until it does again. It rejects when the
   * connection has ended, or NATS was lost, of which nobody has to take notice.
   * @throws {RangeError} when it is larger than NATS can carry.
   */
  send(inbox: string, message: ClientMessage): Promise<void> {
    const window = this.#find(inbox);
    const bytes = window.unasked + message.bytes.length;
    if (bytes < ASK_BYTES || window.isSilent && window.asks.length > 0) {
      if (!publishMessage(this.#link, inbox, message)) return toIgnorable(awayError());
      window.unasked = bytes;
    } else {
      const address = this.#inbox.open((answer) => this.#onAnswer(inbox, ask, answer));
      const ask: Ask = { address, bytes };
      if (!this.#tryPublish(inbox, { ...message, address })) return toIgnorable(awayError());
      this.#await(window, ask);
    }
    if (window.isSilent || window.asked + window.unasked <= WINDOW_BYTES) return DONE;
    if (window.room === undefined) {
      window.room = Promise.withResolvers();
      window.room.promise.catch(() => {});
    }
    return window.room.promise;
  }

  /** A connection has ended. */
  closed(inbox: string): void {
    const error = () => new ConnectionClosedError("Cannot send: the client's connection has ended");
    this.#fail(inbox, error);
  }

  /** Waits for nobody any more. */
  [Symbol.dispose](): void {
    this.#endState();
    this.#failAll("Cannot tell whether the client takes it: the service has stopped");
    this.#inbox[Symbol.dispose]();
  }

  #find(inbox: string): Window {
    const now = this.#clock.now();
    if (now >= this.#forgetAt) {
      this.#forgetAt = now + FORGET_MS;
      for (const [inbox, { asks, usedAt, endTimer }] of this.#windows) {
        if (asks.length > 0 || now < usedAt + FORGET_MS) continue;
        endTimer?.();
        this.#windows.delete(inbox);
      }
    }
    let window = this.#windows.get(inbox);
    if (window === undefined) {
      window = {
        ...{ asks: [], asked: 0, unasked: 0, room: undefined },
        ...{ usedAt: now, since: now, isSilent: false, endTimer: undefined },
      };
      this.#windows.set(inbox, window);
    }
    window.usedAt = now;
    return window;
  }

  #tryPublish(inbox: string, { address, ...message }: ClientMessage & { address: FlowAddress }) {
    let isPublished = false;
    try {
      isPublished = publishMessage(this.#link, inbox, { ...message, reply: address.subject });
      return isPublished;
    } finally {
      if (!isPublished) address.close();
    }
  }

  #await(window: Window, ask: Ask): void {
    if (window.asks.length === 0) window.since = this.#clock.now();
    window.asks.push(ask);
    window.asked += ask.bytes;
    window.unasked = 0;
    window.endTimer ??= this.#clock.after(SILENCE_MS, () => this.#look(window));
  }

  /** One timer for many asks: where something was granted meanwhile, it is set again. */
  #look(window: Window): void {
    window.endTimer = undefined;
    if (window.asks.length === 0) return;
    const leftMs = window.since + SILENCE_MS - this.#clock.now();
    if (leftMs > 0) {
      window.endTimer = this.#clock.after(leftMs, () => this.#look(window));
      return;
    }
    for (const { address } of window.asks.splice(0)) address.close();
    window.asked = window.unasked = 0;
    window.isSilent = true;
    window.usedAt = this.#clock.now();
    window.room?.resolve();
    window.room = undefined;
  }

  /** Messages arrive in order: who has taken one has taken those before it. */
  #onAnswer(inbox: string, ask: Ask, { headers }: BusMessage): void {
    const window = this.#windows.get(inbox);
    const index = window?.asks.indexOf(ask) ?? -1;
    if (window === undefined || index === -1) return;
    // All else says that no credit will come: that the gateway takes no more, or that there is none.
    if (parseFlowSignal(headers)?.kind !== "credit") return this.closed(inbox);
    for (const { address, bytes } of window.asks.splice(0, index + 1)) {
      address.close();
      window.asked -= bytes;
    }
    window.since = this.#clock.now();
    window.isSilent = false;
    if (window.asked + window.unasked > WINDOW_BYTES) return;
    window.room?.resolve();
    window.room = undefined;
  }

  #failAll(reason: string): void {
    for (const inbox of [...this.#windows.keys()]) {
      this.#fail(inbox, () => new LinkLostError(reason));
    }
  }

  #fail(inbox: string, toError: () => Error): void {
    const window = this.#windows.get(inbox);
    if (window === undefined) return;
    this.#windows.delete(inbox);
    window.endTimer?.();
    for (const { address } of window.asks) address.close();
    window.room?.reject(toError());
  }
}
