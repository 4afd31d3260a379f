/**
 * A local server behind the reverse daemon that knows what no client can have it see.
 *
 * @module
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { WebSocketServer } from "ws";
import { Random } from "../../harness/random.ts";
import { BACKEND_HOST, KEY, KEY_MARK } from "./config.ts";
import { isForged } from "./rules.ts";

/** What goes on without being wrong: who asked has gone. */
const GONE: ReadonlySet<string> = new Set(["ECONNRESET", "EPIPE", "HPE_INVALID_EOF_STATE"]);

/** Judges what it is asked, and answers as good and hasty servers do. */
export class Backend implements AsyncDisposable {
  readonly #server = createServer(
    { maxHeaderSize: 65_536 },
    (request, response) => this.#onRequest(request, response),
  );
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #random: Random;
  readonly #numbers = new Set<string>();

  /** What should not have been, in words. */
  readonly wrong: string[] = [];
  /** Requests, and handshakes. */
  seen = 0;

  private constructor(seed: number) {
    this.#random = new Random(seed);
  }

  /**
   * Starts it.
   *
   * @param seed For what it answers.
   * @returns The running server.
   */
  static async start(seed: number): Promise<Backend> {
    const backend = new Backend(seed);
    const server = backend.#server;
    server.on("upgrade", (request: IncomingMessage, socket, head) => {
      backend.#judge(request);
      backend.#sockets.handleUpgrade(request, socket, head, (ws: ServerSocket) => {
        ws.on("error", () => {});
        ws.on("message", () => backend.#random.chance(0.1) ? ws.close(4000, "bye") : ws.send("hi"));
      });
    });
    server.on("clientError", (error: Error & { code?: string }, socket) => {
      if (!GONE.has(error.code ?? "")) backend.wrong.push(`no HTTP at the backend: ${error}`);
      socket.destroy();
    });
    const { promise, resolve } = Promise.withResolvers<void>();
    server.listen(0, "127.0.0.1", () => resolve());
    await promise;
    return backend;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** WebSockets that are open. */
  get open(): number {
    return this.#sockets.clients.size;
  }

  /** Ends it, and all connections. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    for (const ws of this.#sockets.clients) ws.terminate();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }

  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    this.#judge(request);
    request.on("error", () => {});
    const answer = () => {
      if (this.#random.chance(0.2)) response.write("o");
      response.end("ok");
    };
    if (this.#random.chance(0.1)) return answer();
    let length = 0;
    request.on("data", (chunk: Uint8Array) => length += chunk.length);
    request.on("end", () => {
      const announced = request.headers["content-length"];
      if (announced !== undefined && Number(announced) !== length) {
        this.wrong.push(`${length} bytes instead of ${announced} of ${describe(request)}`);
      }
      answer();
    });
  }

  #judge(request: IncomingMessage): void {
    this.seen++;
    const { url = "", headers, rawHeaders } = request;
    const names = rawHeaders.filter((_, index) => index % 2 === 0).map((name) =>
      name.toLowerCase()
    );
    const lines = names.map((name, index) => `${name}: ${rawHeaders[2 * index + 1]}`);
    const say = (what: string) => this.wrong.push(`${what} at the backend: ${describe(request)}`);
    const number = /\bn=([\w-]+)/.exec(url)?.[1];
    if (number !== undefined && this.#numbers.has(number)) say("again");
    if (number !== undefined) this.#numbers.add(number);
    if (lines.some(isForged) || names.some((name) => /^(?:x-h8s|nats)-/.test(name))) say("forged");
    if (isPrivate(url) && !url.includes(KEY_MARK)) say("nobody without the key may get there");
    if (isPrivate(url) && lines.some((line) => line.includes(KEY))) say("the key");
    if (headers["x-forwarded-for"] !== "127.0.0.1") say("another client");
    const host = headers["x-forwarded-host"];
    const plain = String(host).toLowerCase().replace(/:\d*$/, "").replace(/\.$/, "");
    if (plain !== BACKEND_HOST) say("another host");
    const lengths = names.filter((name) => /^(?:content-length|transfer-encoding)$/.test(name));
    if (lengths.length > 1) say("two lengths");
  }
}

interface ServerSocket {
  on(event: string, listener: () => void): void;
  send(data: string): void;
  close(code: number, reason: string): void;
}

/** As the URL standard reads it. */
function isPrivate(url: string): boolean {
  const { pathname } = new URL(`http://backend${url.startsWith("/") ? "" : "/"}${url}`);
  const [first = ""] = pathname.split("/").filter((segment) => segment !== "");
  return first.replace(/%([0-9a-f]{2})/gi, (_, hex) => String.fromCharCode(parseInt(hex, 16))) ===
    "private";
}

function describe({ method, url, rawHeaders }: IncomingMessage): string {
  return `${method} ${url} ${JSON.stringify(rawHeaders)}`;
}
