/**
 * One WebSocket of a client, from its handshake to its end.
 *
 * @module
 */
import { fromCloseEventCode, RETURNING, VANISHED } from "../mapping/close.ts";
import { Pulse } from "./pulse.ts";
import type { Sink } from "./outgoing.ts";
import type { Platform } from "./platform.ts";
import type { Settings } from "./options.ts";
import type { End } from "./state.ts";
import { type Payload, type Promises, toPromises } from "./wire.ts";

/** Told of one socket. */
export interface SocketOwner {
  onOpen(socket: Socket): void;
  onData(data: string | ArrayBuffer, promises: Promises): void;
  onLost(end: End): void;
}

/** What it is made of. */
export interface SocketParts {
  readonly url: string;
  readonly protocols: string[];
  /** Whether the one that was picked will do. */
  readonly isAgreed: (protocol: string) => boolean;
  /** What the gateway answers with itself. */
  readonly word: string;
  readonly settings: Settings;
  readonly platform: Platform;
  readonly owner: SocketOwner;
}

/** How long the gateway may take to answer a close, in milliseconds. */
const CLOSE_MS = 2000;
/** The WebSocket standard's; a class of another's making may lack the constant. */
const OPEN = 1;

/** Says nothing any more once it was given up. */
export class Socket implements Sink {
  readonly #parts: SocketParts;
  readonly #socket: WebSocket;
  #pulse: Pulse | undefined;
  #cancelConnect: () => void;
  #promises: Promises = { ack: false, resume: false };

  /** Connects. Throws where the platform takes the address or a subprotocol for none. */
  constructor(parts: SocketParts) {
    const { url, protocols, settings, platform } = this.#parts = parts;
    const socket = this.#socket = new (settings.WebSocket ?? WebSocket)(url, protocols);
    socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#onOpen();
    socket.onmessage = ({ data }) => this.#onMessage(data);
    socket.onclose = ({ code, reason }) => this.#onLost({ code: fromCloseEventCode(code), reason });
    // Where a handshake fails, Node 22 tells no close. What breaks an open socket tells one everywhere.
    socket.onerror = () => {
      if (this.#pulse === undefined) this.#onLost({ ...VANISHED, reason: "" });
    };
    this.#cancelConnect = platform.after(settings.connectMs, () => this.#break("no handshake"));
  }

  /** What was picked. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  /** What is promised there. */
  get promises(): Promises {
    return this.#promises;
  }

  get hasAcks(): boolean {
    return this.#promises.ack;
  }

  get isOpen(): boolean {
    return this.#socket.readyState === OPEN;
  }

  get waiting(): number {
    return this.#socket.bufferedAmount;
  }

  write(data: Payload): void {
    this.#socket.send(data);
  }

  /** Doubts. */
  ask(): void {
    this.#pulse?.ask();
  }

  /** Gives it up, with a word to the gateway that the client comes back. */
  leave(): void {
    this.#release();
    this.#socket.close(RETURNING.code, RETURNING.reason);
  }

  /** Closes it for good; resolves when the gateway has answered, or does not. */
  close(code: number, reason: string): Promise<void> {
    this.#release();
    return new Promise((resolve) => {
      const cancel = this.#parts.platform.after(CLOSE_MS, resolve);
      this.#socket.onclose = () => {
        cancel();
        resolve();
      };
      this.#socket.close(code, reason);
    });
  }

  #onOpen(): void {
    const { settings: { pingMs, pongMs }, platform, word, owner, isAgreed } = this.#parts;
    // Browsers fail such a handshake themselves, except for what was only said in passing.
    if (!isAgreed(this.protocol)) return this.#break("no subprotocol that was asked for");
    this.#cancelConnect();
    this.#promises = toPromises(this.protocol);
    this.#pulse = new Pulse(platform, {
      // Where no subprotocol was picked, it is no gateway, or one that read no word.
      pingMs: this.protocol === "" ? 0 : pingMs,
      pongMs,
      ping: () => this.write(word),
      waiting: () => this.waiting,
      onDead: () => this.#break("no answer"),
    });
    owner.onOpen(this);
  }

  #onMessage(data: string | ArrayBuffer): void {
    this.#pulse?.heard();
    if (data !== this.#parts.word) this.#parts.owner.onData(data, this.#promises);
  }

  #break(reason: string): void {
    this.leave();
    this.#parts.owner.onLost({ ...VANISHED, reason });
  }

  #onLost(end: End): void {
    this.#release();
    this.#parts.owner.onLost(end);
  }

  #release(): void {
    this.#cancelConnect();
    this.#pulse?.stop();
    this.#socket.onopen = this.#socket.onmessage = null;
    this.#socket.onclose = this.#socket.onerror = null;
  }
}
