/**
 * One WebSocket to the local server, for one client of a gateway.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { CLOSE, type Frame, toCloseReason, toFrameHeader } from "../mapping/frame.ts";
import { toHeaderBlock, toHeaderLine } from "../mapping/headers.ts";
import { encodeLatin1 } from "../nats/wire.ts";
import type { Link } from "../workload/link.ts";

/** How many bytes a client may say before the backend has answered the handshake. */
const MAX_EARLY_BYTES = 1024 * 1024;
const EMPTY = new Uint8Array();

/** What it takes to connect. */
export interface BackendSocketOptions {
  readonly link: Link;
  /** `ws://…` or `wss://…`, path and query included. */
  readonly url: string;
  /** For the handshake. */
  readonly headers: Readonly<Record<string, string>>;
  /** The subprotocol that the client was promised, if any. */
  readonly protocol: string | undefined;
  /** The client's inbox. */
  readonly inbox: string;
  /** Called once when the backend has closed it or cannot be reached. */
  readonly onEnd: () => void;
  /** Told when the connection to the backend fails. */
  readonly onError: (error: unknown) => void;
}

type DataFrame = Extract<Frame, { kind: "text" | "binary" }>;

/** Passes messages both ways until one side closes. */
export class BackendSocket {
  readonly #options: BackendSocketOptions;
  readonly #socket: WebSocket;
  readonly #headers = {
    text: encodeLatin1(toHeaderBlock(toFrameHeader("text"))),
    binary: encodeLatin1(toHeaderBlock(toFrameHeader("binary"))),
  };
  #early: DataFrame[] = [];
  #earlyBytes = 0;
  #isEnded = false;

  /**
   * Begins to connect.
   *
   * @param options Where to, and for whom.
   */
  constructor(options: BackendSocketOptions) {
    this.#options = options;
    const { url, headers, protocol } = options;
    const init = { headers, protocols: protocol === undefined ? [] : [protocol] };
    // Headers are what Deno and Node offer beyond the standard; its type does not know them.
    this.#socket = new WebSocket(url, init as unknown as string[]);
    this.#socket.binaryType = "arraybuffer";
    this.#socket.onopen = () => this.#onOpen();
    this.#socket.onmessage = ({ data }) => this.#onMessage(data);
    this.#socket.onerror = (event) => options.onError((event as ErrorEvent).error ?? event);
    this.#socket.onclose = ({ code, reason }) => this.#onClose(code, reason);
  }

  /** Passes a client's message on. */
  send(frame: DataFrame): void {
    if (this.#socket.readyState !== WebSocket.CONNECTING) return this.#pass(frame);
    this.#earlyBytes += frame.kind === "text" ? frame.text.length : frame.bytes.length;
    if (this.#earlyBytes <= MAX_EARLY_BYTES) this.#early.push(frame);
    else this.closeBoth(CLOSE.tryAgainLater, "the backend does not answer the handshake");
  }

  /**
   * The client is gone: closes the backend's side.
   *
   * @param code As told; those that the platform does not let a client send become none.
   * @param reason As told.
   */
  close(code: number, reason: string): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    if (code === 1000 || (code >= 3000 && code <= 4999)) this.#socket.close(code, reason);
    else this.#socket.close();
  }

  /**
   * Closes both sides.
   *
   * @param code For the client.
   * @param reason For the client.
   */
  closeBoth(code: number, reason: string): void {
    if (this.#isEnded) return;
    this.#end(code, reason);
    this.#socket.close();
  }

  #onOpen(): void {
    for (const frame of this.#early) this.#pass(frame);
    this.#early = [];
  }

  #pass(frame: DataFrame): void {
    if (this.#socket.readyState !== WebSocket.OPEN) return;
    this.#socket.send(frame.kind === "text" ? frame.text : frame.bytes as Uint8Array<ArrayBuffer>);
  }

  #onMessage(data: string | ArrayBuffer): void {
    if (this.#isEnded) return;
    const kind = typeof data === "string" ? "text" : "binary";
    const bytes = typeof data === "string" ? Buffer.from(data) : new Uint8Array(data);
    const headers = this.#headers[kind];
    const { link, inbox } = this.#options;
    if (bytes.length + headers.length > link.maxPayload) {
      return this.closeBoth(CLOSE.tooBig, `message larger than ${link.maxPayload} bytes`);
    }
    link.publish(inbox, bytes, { headers });
  }

  #onClose(code: number, reason: string): void {
    if (this.#isEnded) return;
    if (code !== 0 && code !== CLOSE.abnormal) this.#end(code === 1005 ? 1000 : code, reason);
    else this.#end(CLOSE.internal, "the connection to the backend was lost");
  }

  #end(code: number, reason: string): void {
    this.#isEnded = true;
    const { link, inbox, onEnd } = this.#options;
    const bytes = new TextEncoder().encode(`${code} ${toCloseReason(reason)}`);
    const line = toHeaderLine("X-H8s-Close", String.fromCharCode(...bytes));
    link.publish(inbox, EMPTY, { headers: encodeLatin1(toHeaderBlock(line)) });
    onEnd();
  }
}
