/**
 * The socket to nats-server: what the client library calls a transport, with a {@link FastLane} beside it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { connect as dial, type OnReadOpts, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connect as dialTls } from "node:tls";
import type { ConnectionOptions, Server, ServerInfo, TlsOptions } from "@nats-io/nats-core";
import { checkOptions, hasWsProtocol, INFO, type Transport } from "@nats-io/nats-core/internal";
import { toError } from "../../errors.ts";
import type { FastLane } from "./fast_lane.ts";
import { ProtocolSplitter } from "./protocol_splitter.ts";
import { Output } from "./output.ts";
import { toUrl } from "./server_url.ts";

/** One socket; a new one is made for each attempt. */
export class SocketTransport implements Transport {
  readonly lang = "nats.js";
  readonly version = "h8s";
  readonly lane: FastLane | undefined;
  closeError?: Error;
  readonly #closed = Promise.withResolvers<void | Error>();
  readonly #output = new Output(() => this.#socket);
  /** Undefined where all that comes is the library's. */
  readonly #splitter: ProtocolSplitter | undefined;
  #socket: Duplex | undefined;
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
    this.lane = lane;
    const passOn = (bytes: Uint8Array) => this.#passOn(bytes);
    if (lane?.isOn) this.#splitter = new ProtocolSplitter({ takers: lane.takers, passOn });
  }

  get isClosed(): boolean {
    return this.#state === "closed";
  }

  async connect(server: Server, options: ConnectionOptions): Promise<void> {
    if (hasWsProtocol(options)) return await this.#connectWebSocket(server, options);
    const { hostname, port, tlsName } = server;
    const tlsOptions = { ...await toTlsOptions(options.tls ?? {}), servername: tlsName };
    const isTlsFirst = options.tls?.handshakeFirst === true;
    const address = { host: hostname, port };
    let socket = isTlsFirst
      ? await this.#own(dialTls({ ...address, ...tlsOptions }).setNoDelay(true), "secureConnect")
      : await this.#dial(address, options);
    const info = await this.#readInfo();
    checkOptions(info, options);
    const wantsTls = info.tls_required === true ||
      (info.tls_available === true && options.tls !== null);
    if (wantsTls && !isTlsFirst) {
      if (!options.tls) socket = await this.#dialAgain(address, socket);
      socket.removeAllListeners("data").pause();
      socket = await this.#own(dialTls({ socket, ...tlsOptions }), "secureConnect");
    }
    this.#isEncrypted = wantsTls || isTlsFirst;
    this.#open(socket);
  }

  /** Whether it is encrypted is for the URL to say, not for the server: a proxy may stand before it. */
  async #connectWebSocket({ src, tlsName }: Server, options: ConnectionOptions): Promise<void> {
    const { openWebSocket } = await import("./websocket.ts");
    const url = toUrl(src, options.servers);
    const servername = tlsName === "" ? {} : { servername: tlsName };
    const tlsOptions = { ...await toTlsOptions(options.tls ?? {}), ...servername };
    const socket = await this.#own(openWebSocket(url, tlsOptions), "connect");
    await this.#readInfo();
    this.#isEncrypted = /^wss:/i.test(url);
    this.#open(socket);
  }

  /** The library's reading of what is not the lane's. */
  async *[Symbol.asyncIterator](): AsyncIterableIterator<Uint8Array> {
    try {
      for (;;) {
        const received = this.#received;
        this.#received = [];
        yield* received;
        if (this.#received.length > 0) continue;
        if (this.isClosed) return;
        await new Promise<void>((resolve) => this.#wake = resolve);
      }
    } finally {
      // The library reads no further where it has thrown, and would not say so.
      this.#end(new Error("the NATS client does not read any more"));
    }
  }

  isEncrypted(): boolean {
    return this.#isEncrypted;
  }

  send(bytes: Uint8Array): void {
    if (this.#state === "open") this.#output.addBytes(bytes);
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
  #own<S extends Duplex>(socket: S, ready: "connect" | "secureConnect"): Promise<S> {
    const { promise, resolve, reject } = Promise.withResolvers<S>();
    this.#socket = socket;
    socket.once(ready, () => resolve(socket));
    // What a socket reads into the splitter's memory is not told here.
    socket.on("data", (chunk) => {
      const splitter = this.#splitter;
      if (splitter === undefined) this.#passOn(chunk);
      else this.#read(() => splitter.push(chunk));
    });
    socket.on("error", (error) => this.#error = error);
    socket.on("close", () => {
      reject(this.#error ?? closedByServer());
      this.#wake?.();
      if (this.#socket === socket && this.#state === "open") this.#end(this.#error);
    });
    if (this.isClosed) socket.destroy();
    return promise;
  }

  /** Where no TLS is asked for, the socket reads into the splitter's memory: a third of the cost. */
  #dial(address: Address, { tls }: Pick<ConnectionOptions, "tls">): Promise<Socket> {
    const splitter = tls ? undefined : this.#splitter;
    const onread = splitter && { onread: this.#toOnRead(splitter) };
    return this.#own(dial({ ...address, ...onread }).setNoDelay(true), "connect");
  }

  #toOnRead(splitter: ProtocolSplitter): OnReadOpts {
    return {
      buffer: () => splitter.space,
      callback: (length) => {
        this.#read(() => splitter.commit(length));
        return true;
      },
    };
  }

  /** Where reading fails in the middle, nobody knows any more what is a message: it begins anew on another socket. */
  #read(read: () => void): void {
    try {
      read();
    } catch (error) {
      this.lane?.onFault(error);
      this.#end(toError(error));
    }
  }

  /** The server wants TLS unasked, and what reads into the splitter's memory cannot be wrapped in it. */
  async #dialAgain(address: Address, first: Socket): Promise<Socket> {
    first.destroy();
    this.#received = [];
    const socket = await this.#dial(address, { tls: {} });
    await this.#readInfo();
    return socket;
  }

  /** The server speaks first; the line says whether it wants TLS. The library reads it once more. */
  async #readInfo(): Promise<ServerInfo> {
    for (;;) {
      const text = Buffer.concat(this.#received).toString("latin1");
      if (text.includes("\n")) return parseInfo(text);
      if (this.#socket?.destroyed !== false) throw this.#error ?? closedByServer();
      await new Promise<void>((resolve) => this.#wake = resolve);
    }
  }

  #open(socket: Duplex): void {
    if (this.isClosed) return void socket.destroy();
    this.#state = "open";
    this.lane?.open(this.#output);
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
    this.lane?.close(this.#output);
    this.#output.clear();
    this.#socket?.destroy();
    this.#wake?.();
  }
}

interface Address {
  readonly host: string;
  readonly port: number;
}

function closedByServer(): Error {
  return new Error("the server closed the connection");
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
