/**
 * The socket to nats-server: what the client library calls a transport, with a {@link FastLane} beside it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { connect as dial, type Socket } from "node:net";
import { connect as dialTls } from "node:tls";
import type { ConnectionOptions, Server, ServerInfo, TlsOptions } from "@nats-io/nats-core";
import { checkOptions, INFO, type Transport } from "@nats-io/nats-core/internal";
import type { FastLane } from "./fast_lane.ts";
import { FrameSplitter } from "./frame_splitter.ts";
import { Output } from "./output.ts";

/** One socket; a new one is made for each attempt. */
export class SocketTransport implements Transport {
  readonly lang = "nats.js";
  readonly version = "h8s";
  closeError?: Error;
  readonly #closed = Promise.withResolvers<void | Error>();
  readonly #output = new Output(() => this.#socket);
  readonly #lane: FastLane | undefined;
  #socket: Socket | undefined;
  #state: "connecting" | "open" | "closed" = "connecting";
  #isEncrypted = false;
  /** What the socket said last; whoever listens hears of it when it closes. */
  #error: Error | undefined;
  #received: Uint8Array[] = [];
  #wake: (() => void) | undefined;

  /**
   * @param lane Opened once there is a connection; undefined where the library does it all.
   */
  constructor(lane: FastLane | undefined) {
    this.#lane = lane;
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  async connect({ hostname, port, tlsName }: Server, options: ConnectionOptions): Promise<void> {
    const tlsOptions = { ...await toTlsOptions(options.tls ?? {}), servername: tlsName };
    const isTlsFirst = options.tls?.handshakeFirst === true;
    let socket = isTlsFirst
      ? await this.#own(dialTls({ host: hostname, port, ...tlsOptions }), "secureConnect")
      : await this.#own(dial({ host: hostname, port }), "connect");
    const { info, bytes } = await this.#readInfo(socket);
    checkOptions(info, options);
    const wantsTls = info.tls_required === true ||
      (info.tls_available === true && options.tls !== null);
    if (wantsTls && !isTlsFirst) {
      socket = await this.#own(dialTls({ socket, ...tlsOptions }), "secureConnect");
    }
    this.#isEncrypted = wantsTls || isTlsFirst;
    this.#open(socket, bytes);
  }

  /** The library's reading of what is not the lane's. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    for (;;) {
      const received = this.#received;
      this.#received = [];
      yield* received;
      if (this.#received.length > 0) continue;
      if (this.isClosed) return;
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  isEncrypted(): boolean {
    return this.#isEncrypted;
  }

  send(frame: Uint8Array): void {
    if (this.#state === "open") this.#output.addBytes(frame);
  }

  disconnect(): void {
    this.#end(undefined);
  }

  close(error?: Error): Promise<void> {
    this.#end(error);
    return Promise.resolve();
  }

  closed(): Promise<void | Error> {
    return this.#closed.promise;
  }

  /** As {@link SocketTransport.close}, and nobody is told: a new one takes its place. */
  discard(): void {
    this.#release();
  }

  /**
   * Waits until a socket is ready. Its errors are listened to until the end, and after: a server that
   * refuses a login resets the connection, and an error that nobody listens to ends the process.
   */
  #own<S extends Socket>(socket: S, ready: "connect" | "secureConnect"): Promise<S> {
    const { promise, resolve, reject } = Promise.withResolvers<S>();
    this.#socket = socket;
    socket.setNoDelay(true);
    socket.once(ready, () => resolve(socket));
    socket.on("error", (error) => this.#error = error);
    socket.on("close", () => {
      reject(this.#error ?? new Error("the server closed the connection"));
      if (this.#socket === socket && this.#state === "open") this.#end(this.#error);
    });
    if (this.isClosed) socket.destroy();
    return promise;
  }

  /** The server speaks first; the line says whether it wants TLS. */
  #readInfo(socket: Socket): Promise<{ info: ServerInfo; bytes: Buffer }> {
    const { promise, resolve, reject } = Promise.withResolvers<
      { info: ServerInfo; bytes: Buffer }
    >();
    let text = "";
    const chunks: Buffer[] = [];
    const onClose = () => reject(this.#error ?? new Error("the server closed the connection"));
    const onData = (chunk: Buffer) => {
      chunks.push(chunk);
      text += chunk.toString("latin1");
      if (!text.includes("\n")) return;
      socket.off("data", onData).off("close", onClose).pause();
      try {
        resolve({ info: parseInfo(text), bytes: Buffer.concat(chunks) });
      } catch (error) {
        reject(error);
      }
    };
    socket.on("data", onData).on("close", onClose);
    return promise;
  }

  #open(socket: Socket, bytes: Buffer): void {
    if (this.isClosed) return void socket.destroy();
    this.#state = "open";
    const lane = this.#lane;
    const passOn = (bytes: Uint8Array) => this.#passOn(bytes);
    const splitter = lane?.isOn && new FrameSplitter({ handlers: lane.handlers, passOn });
    socket.on("data", splitter ? (chunk: Buffer) => splitter.push(chunk) : passOn);
    passOn(bytes);
    lane?.open(this.#output);
    socket.resume();
  }

  #passOn(bytes: Uint8Array): void {
    this.#received.push(bytes);
    this.#wake?.();
  }

  #end(error: Error | undefined): void {
    const wasOpen = this.#state === "open";
    if (wasOpen) this.#output.flush();
    this.#release();
    if (!wasOpen) return;
    if (error !== undefined) this.closeError = error;
    this.#closed.resolve(error);
  }

  #release(): void {
    this.#state = "closed";
    this.#lane?.close(this.#output);
    this.#output.clear();
    this.#socket?.destroy();
    this.#wake?.();
  }
}

function parseInfo(text: string): ServerInfo {
  const json = INFO.exec(text)?.[1];
  if (json === undefined) throw new Error("Cannot connect: this is no NATS server");
  return JSON.parse(json);
}

/** What it names by files is read anew for each connection: a certificate may have been renewed. */
async function toTlsOptions(
  { caFile, certFile, keyFile, ...rest }: TlsOptions,
): Promise<Omit<TlsOptions, "caFile" | "certFile" | "keyFile">> {
  if ((caFile ?? certFile ?? keyFile) === undefined) return rest;
  const { readFile } = await import("node:fs/promises");
  const read = (path: string) => readFile(path, "utf8");
  return {
    ...rest,
    ...(caFile === undefined ? {} : { ca: await read(caFile) }),
    ...(certFile === undefined ? {} : { cert: await read(certFile) }),
    ...(keyFile === undefined ? {} : { key: await read(keyFile) }),
  };
}
