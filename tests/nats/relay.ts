/**
 * A TCP connection to a server that can be held, slowed down and cut.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";

/** Passes on what comes, both ways, for each connection to it. */
export class Relay implements AsyncDisposable {
  readonly #listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  readonly #serverPort: number;
  readonly #connections: Deno.TcpConn[] = [];
  readonly #running: Promise<void>[] = [];
  #isHeld = false;
  #stalled: PromiseWithResolvers<void> | undefined;
  #isOpen = true;
  #pieceBytes = 65536;
  #pieceMs = 0;
  #accepted = 0;

  /**
   * @param serverPort Of a nats-server on this machine.
   */
  constructor(serverPort: number) {
    this.#serverPort = serverPort;
    this.#running.push(this.#accept());
  }

  /** `nats://127.0.0.1:<port>`. */
  get url(): string {
    return `nats://127.0.0.1:${this.#listener.addr.port}`;
  }

  /** How many connections it has taken. */
  get accepted(): number {
    return this.#accepted;
  }

  /** From now on nothing comes back from the server, as if it hung. */
  hold(): void {
    this.#isHeld = true;
  }

  /** Lets it come again after {@link Relay.hold}, over new connections: those that were held are closed. */
  release(): void {
    this.#isHeld = false;
    this.cut();
  }

  /**
   * From now on what comes from the server goes on in small pieces.
   *
   * @param bytes The most that one read of the client gives.
   * @param pauseMs How long after each the next one comes.
   */
  chop(bytes: number, pauseMs = 0): void {
    this.#pieceBytes = bytes;
    this.#pieceMs = pauseMs;
  }

  /** From now on nothing is read from the client, as if the server were too slow. */
  stall(): void {
    this.#stalled ??= Promise.withResolvers();
  }

  /** Reads again after {@link Relay.stall}. */
  resume(): void {
    this.#stalled?.resolve();
    this.#stalled = undefined;
  }

  /** Closes all connections; what was not read from the client is lost with them. */
  cut(): void {
    for (const connection of this.#connections.splice(0)) hangUp(connection);
    this.resume();
  }

  /** Closes all connections, and takes no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.resume();
    this.#listener.close();
    for (const connection of this.#connections.splice(0)) hangUp(connection);
    await Promise.all(this.#running);
  }

  async #accept(): Promise<void> {
    for await (const client of this.#listener) {
      this.#accepted++;
      const server = await this.#connect();
      if (server === undefined) {
        client.close();
        continue;
      }
      client.setNoDelay(true);
      this.#connections.push(client, server);
      this.#running.push(
        this.#pump(client, server, { gate: () => this.#stalled?.promise }),
        this.#pump(server, client, { isHeld: () => this.#isHeld }),
      );
    }
  }

  /** Undefined while nobody listens there. */
  async #connect(): Promise<Deno.TcpConn | undefined> {
    try {
      return await Deno.connect({ hostname: "127.0.0.1", port: this.#serverPort });
    } catch {
      return undefined;
    }
  }

  async #pump(
    from: Deno.TcpConn,
    to: Deno.TcpConn,
    { isHeld = () => false, gate }: {
      isHeld?: () => boolean;
      gate?: () => Promise<void> | undefined;
    },
  ): Promise<void> {
    const buffer = new Uint8Array(65536);
    try {
      for (
        let length = await from.read(buffer);
        length !== null;
        length = await from.read(buffer)
      ) {
        await gate?.();
        for (let sent = 0; sent < length && !isHeld();) {
          sent += await to.write(buffer.subarray(sent, Math.min(length, sent + this.#pieceBytes)));
          if (this.#pieceMs > 0) await pause(this.#pieceMs);
        }
      }
      await gate?.();
      // A browser that is not hung up on takes a close for none.
      if (!isHeld()) await to.closeWrite();
    } catch {
      // One of the two was closed: a process that was killed hangs up without an end.
      if (!isHeld()) hangUp(to);
    }
  }
}

function hangUp(connection: Deno.TcpConn): void {
  try {
    connection.close();
  } catch (error) {
    if (!(error instanceof Deno.errors.BadResource)) throw error;
  }
}
