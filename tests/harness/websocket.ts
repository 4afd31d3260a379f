/**
 * WebSocket clients: the platform's own with promises, and bytes on a socket for what that cannot do.
 *
 * @module
 */
import { open, readUntil, write } from "./raw_http.ts";
import { Unread, within } from "./waiting.ts";

/** A client whose messages can be awaited. */
export class Client implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #messages = new Unread<string | Uint8Array>("a message of a WebSocket");
  readonly #closed: Promise<CloseEvent>;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.#closed = new Promise((resolve) => socket.addEventListener("close", resolve));
    socket.addEventListener("message", ({ data }) => {
      this.#messages.add(typeof data === "string" ? data : new Uint8Array(data));
    });
  }

  /**
   * Connects.
   *
   * @param url `ws://…`.
   * @param protocols The subprotocols offered.
   * @returns The open client.
   * @throws {Error} when the handshake fails.
   */
  static async connect(url: string, protocols: string[] = []): Promise<Client> {
    const socket = new WebSocket(url, protocols);
    const client = new Client(socket);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.addEventListener("open", () => resolve());
    socket.addEventListener("error", (event) => reject(new Error((event as ErrorEvent).message)));
    await within(promise, `the handshake with ${url}`);
    return client;
  }

  /** Resolves when it is closed, by whomever; fails when that takes too long. */
  get closed(): Promise<CloseEvent> {
    const closed = within(this.#closed, `the close of the WebSocket ${this.#socket.url}`);
    // Nobody may wait for it any more when it is too late.
    closed.catch(() => {});
    return closed;
  }

  /** The subprotocol that the server picked. */
  get protocol(): string {
    return this.#socket.protocol;
  }

  /** Sends a message. */
  send(data: string | Uint8Array<ArrayBuffer>): void {
    this.#socket.send(data);
  }

  /** Waits for the next message. */
  next(): Promise<string | Uint8Array> {
    return this.#messages.next();
  }

  /** Closes it and waits for the server's answer. */
  async close(code = 1000, reason = ""): Promise<void> {
    this.#socket.close(code, reason);
    await this.closed;
  }

  /** Closes it unless it is closed. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState !== WebSocket.CLOSED) await this.close();
  }
}

/** A handshake that works, to be varied. */
export const HANDSHAKE: readonly string[] = [
  "GET /raw HTTP/1.1",
  "Host: chat.example.com",
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
];

/**
 * Shakes hands over a bare connection.
 *
 * @param port Where the gateway listens.
 * @param lines Request line and headers.
 * @returns The connection, and the response's head.
 */
export async function rawHandshake(
  port: number,
  lines: readonly string[] = HANDSHAKE,
): Promise<{ conn: Deno.TcpConn; response: string }> {
  const conn = await open(port);
  await write(conn, `${lines.join("\r\n")}\r\n\r\n`);
  return { conn, response: await readUntil(conn, (text) => text.includes("\r\n\r\n")) };
}

/**
 * A masked client frame (RFC 6455 §5.2), payload up to 65535 bytes.
 *
 * @param opcode 1 text, 2 binary, 8 close, …
 * @param payload Latin-1.
 * @returns Latin-1 text for `write`.
 */
export function clientFrame(opcode: number, payload: string): string {
  const { length } = payload;
  const size = length < 126 ? [length] : [126, length >> 8, length & 0xff];
  const head = String.fromCharCode(0x80 | opcode, 0x80 | size[0]!, ...size.slice(1));
  return `${head}\0\0\0\0${payload}`;
}
