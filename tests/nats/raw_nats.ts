/**
 * The NATS protocol on a bare socket: a second opinion on bytes, that of no client library.
 *
 * @module
 */
import { open, readUntil, write } from "../harness/raw_http.ts";

/** All text is latin-1, one character a byte. */
export class RawNats implements Disposable {
  readonly #conn: Deno.TcpConn;

  private constructor(conn: Deno.TcpConn) {
    this.#conn = conn;
  }

  /**
   * Connects.
   *
   * @param port Of a nats-server on this machine.
   * @returns The connection.
   */
  static async connect(port: number): Promise<RawNats> {
    const raw = new RawNats(await open(port));
    const options = { verbose: false, pedantic: false, headers: true, no_responders: true };
    await write(raw.#conn, `CONNECT ${JSON.stringify(options)}\r\n`);
    await raw.#roundTrip();
    return raw;
  }

  /**
   * Subscribes.
   *
   * @param subject May hold wildcards.
   */
  async subscribe(subject: string): Promise<void> {
    await write(this.#conn, `SUB ${subject} 1\r\n`);
    await this.#roundTrip();
  }

  /**
   * Publishes a message with headers.
   *
   * @param subject Literal tokens.
   * @param block The header block as it stands.
   * @param payload The payload.
   */
  async publish(subject: string, block: string, payload: string): Promise<void> {
    const sizes = `${block.length} ${block.length + payload.length}`;
    await write(this.#conn, `HPUB ${subject} ${sizes}\r\n${block}${payload}\r\n`);
    await this.#roundTrip();
  }

  /**
   * Reads what the server sends.
   *
   * @param end Until this has come.
   * @returns All text up to there.
   */
  read(end: string): Promise<string> {
    return readUntil(this.#conn, (text) => text.includes(end));
  }

  /** Closes the connection. */
  [Symbol.dispose](): void {
    this.#conn.close();
  }

  async #roundTrip(): Promise<void> {
    await write(this.#conn, "PING\r\n");
    await this.read("PONG\r\n");
  }
}
