/**
 * One WebSocket to the local server, for one client of a gateway.
 *
 * @module
 */
import type { Buffer } from "node:buffer";
import {
  CLOSE,
  type CloseInfo,
  isSendable,
  NO_STATUS,
  toCloseReason,
  tooBig,
} from "../mapping/close.ts";
import { toCloseBlock, toSendBlock } from "../mapping/socket_message.ts";
import { encodeLatin1 } from "../mapping/latin1.ts";
import type { Link } from "../workload/link.ts";
import { FlushPace } from "../workload/http/reply_writer.ts";
import type { WsSocket } from "./libraries.ts";

/** How many bytes a client may say that the backend does not take. */
const MAX_WAITING_BYTES = 16 * 1024 * 1024;
/** What it costs to keep a message besides its bytes; it may have none. */
const MESSAGE_BYTES = 256;
const CONNECTING = 0;
const OPEN = 1;
const EMPTY = new Uint8Array();
const HEADERS = {
  text: encodeLatin1(toSendBlock("text")),
  binary: encodeLatin1(toSendBlock("binary")),
};

/** What is published to a client. */
interface Outgoing {
  readonly data: Uint8Array;
  readonly headers: Uint8Array;
}

/** Whom it belongs to. */
export interface BackendSocketOptions {
  readonly link: Link;
  readonly socket: WsSocket;
  /** Called once when the backend's side has ended; or ours, before there was a client. */
  readonly onEnd: () => void;
  /** Told when the connection to the backend fails. */
  readonly onError: (error: unknown) => void;
}

/** Passes messages both ways until one side closes. */
export class BackendSocket {
  readonly #options: BackendSocketOptions;
  readonly #socket: WsSocket;
  readonly #pace: FlushPace;
  readonly #abort = new AbortController();
  /** What the client said before the backend was there. */
  #early: (string | Uint8Array)[] = [];
  #earlyBytes = 0;
  /** How many messages the backend has not taken. */
  #untaken = 0;
  readonly #onTaken = () => void this.#untaken--;
  /** What waits for NATS, or for a client to be there. */
  readonly #outgoing: Outgoing[] = [];
  #isSending = false;
  #wasOpen = false;
  #inbox: string | undefined;
  #isEnded = false;

  constructor(options: BackendSocketOptions) {
    this.#options = options;
    this.#pace = new FlushPace(options.link);
    const socket = this.#socket = options.socket;
    socket.on("open", () => this.#onOpen());
    socket.on("message", (data: Buffer, isBinary: boolean) => {
      this.#onMessage(data, isBinary ? "binary" : "text");
    });
    socket.on("error", (error) => this.#onError(error));
    socket.on("close", (code: number, reason: Buffer) => this.#onClose(code, reason.toString()));
    this.#hearGoodbye();
  }

  /** The client is there. */
  bind(inbox: string): void {
    this.#inbox = inbox;
    if (this.#outgoing.length > 0) void this.#send();
    else this.#socket.resume();
  }

  /** The client's; undefined before it is there. */
  get inbox(): string | undefined {
    return this.#inbox;
  }

  /** Passes a client's message on. */
  receive(data: string | Uint8Array): void {
    if (this.#isEnded) return;
    const { readyState, bufferedAmount } = this.#socket;
    if (readyState === OPEN) this.#sendOn(data);
    else if (readyState === CONNECTING) {
      this.#early.push(data);
      this.#earlyBytes += data.length + MESSAGE_BYTES;
    }
    const waiting = bufferedAmount + this.#untaken * MESSAGE_BYTES + this.#earlyBytes;
    if (waiting <= MAX_WAITING_BYTES) return;
    this.close(CLOSE.backendUnread);
    this.#socket.terminate();
  }

  /**
   * The client is gone: closes the backend's side in the same way, without a code where none was told, or
   * one that no close frame may carry.
   */
  leave({ code, reason }: CloseInfo): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#abort.abort();
    if (code === NO_STATUS) this.#socket.close();
    else if (isSendable(code)) this.#socket.close(code, toCloseReason(reason));
    else this.#socket.terminate();
  }

  /** Closes both sides; the backend hears no reason. */
  close(end: CloseInfo): void {
    if (this.#isEnded) return;
    this.#end(end);
    if (this.#socket.readyState === OPEN) this.#socket.close(end.code);
    else this.#socket.terminate();
  }

  #sendOn(data: string | Uint8Array): void {
    this.#untaken++;
    this.#socket.send(data, this.#onTaken);
  }

  /**
   * The library answers a close frame with `close()`, or `close(code, reason)`, at once; but it tells of it
   * only when the backend hangs up, which one that waits for us to do so never does.
   */
  #hearGoodbye(): void {
    const socket = this.#socket;
    const answer = socket.close.bind(socket);
    socket.close = (code, reason) => {
      const isAnswer = code === undefined || reason !== undefined;
      if (isAnswer && !this.#isEnded) this.#onClose(code ?? NO_STATUS, String(reason ?? ""));
      answer(code, reason);
    };
  }

  #onOpen(): void {
    this.#wasOpen = true;
    for (const data of this.#early) this.#sendOn(data);
    this.#early = [];
    this.#earlyBytes = 0;
    if (this.#inbox !== undefined) this.#socket.resume();
  }

  #onMessage(data: Buffer, kind: "text" | "binary"): void {
    if (this.#isEnded) return;
    const headers = HEADERS[kind];
    const { maxPayload } = this.#options.link;
    if (data.length + headers.length > maxPayload) {
      return this.close(tooBig(maxPayload));
    }
    this.#publish({ data, headers });
  }

  #onError(error: Error & { readonly code?: string }): void {
    if (this.#isEnded) return;
    if (error.code === "WS_ERR_UNSUPPORTED_MESSAGE_LENGTH") {
      const { maxPayload } = this.#options.link;
      return this.close(tooBig(maxPayload));
    }
    if (this.#wasOpen) this.#options.onError(error);
  }

  #onClose(code: number, reason: string): void {
    if (this.#isEnded) return;
    const isTold = code === NO_STATUS || isSendable(code);
    this.#end(isTold ? { code, reason } : CLOSE.backendLost);
  }

  #end(end: CloseInfo): void {
    this.#isEnded = true;
    this.#publish({ data: EMPTY, headers: encodeLatin1(toCloseBlock(end)) });
    this.#options.onEnd();
  }

  #publish(message: Outgoing): void {
    if (this.#outgoing.length === 0 && this.#tryPublish(message)) return;
    this.#outgoing.push(message);
    this.#socket.pause();
    if (!this.#isSending && this.#inbox !== undefined) void this.#send();
  }

  #tryPublish({ data, headers }: Outgoing): boolean {
    const { link } = this.#options;
    return this.#inbox !== undefined && link.isConnected && this.#pace.tryTake(data.length) &&
      link.publish(this.#inbox, data, { headers });
  }

  /** One after another; the backend waits meanwhile. */
  async #send(): Promise<void> {
    this.#isSending = true;
    const { link } = this.#options;
    try {
      for (let next = this.#outgoing[0]; next !== undefined; next = this.#outgoing[0]) {
        await link.connected(this.#abort.signal);
        if (this.#tryPublish(next)) this.#outgoing.shift();
        else await this.#pace.flush();
      }
      if (!this.#isEnded) this.#socket.resume();
    } catch {
      // The client has left, or NATS for good: nobody is there to be told.
      this.#socket.terminate();
    } finally {
      this.#isSending = false;
    }
  }
}
