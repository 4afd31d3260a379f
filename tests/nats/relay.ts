/**
 * A TCP connection to nats-server that can be held and cut.
 *
 * @module
 */

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
   */
  chop(bytes: number): void {
    this.#pieceBytes = bytes;
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
    for (const connection of this.#connections.splice(0)) connection.close();
    this.resume();
  }

  /** Closes all connections, and takes no more. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    this.resume();
    this.#listener.close();
    for (const connection of this.#connections.splice(0)) connection.close();
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
        }
      }
    } catch {
      // One of the two was closed.
    }
  }
}
