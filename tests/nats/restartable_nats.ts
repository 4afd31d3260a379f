/**
 * A nats-server that goes away and comes back.
 *
 * @module
 */
import { type NatsOptions, type NatsServer, startNats } from "../harness/nats_server.ts";

/** Always on the same port. */
export class RestartableNats implements AsyncDisposable {
  /** `nats://127.0.0.1:<port>`. */
  readonly url: string;
  readonly port: number;
  #server: NatsServer | undefined;

  private constructor(server: NatsServer) {
    this.#server = server;
    this.url = server.url;
    this.port = server.port;
  }

  /**
   * Starts it.
   *
   * @param options How to run it.
   * @returns The running server.
   */
  static async start(options: NatsOptions = {}): Promise<RestartableNats> {
    return new RestartableNats(await startNats({ jetstream: false, ...options }));
  }

  /** False between its end and its next start. */
  get isRunning(): boolean {
    return this.#server !== undefined;
  }

  /** The process that runs now. */
  get pid(): number {
    if (this.#server === undefined) throw new Error("There is no nats-server now");
    return this.#server.pid;
  }

  /**
   * Sends a signal to it.
   *
   * @param signal E.g. `"SIGSTOP"`.
   */
  signal(signal: Deno.Signal): void {
    this.#server?.kill(signal);
  }

  /**
   * Has it take another configuration while it runs; it has to have been started with one.
   *
   * @param config The text of a configuration file.
   */
  async reload(config: string): Promise<void> {
    await this.#server?.reload(config);
  }

  /** Ends it without a word to its clients. */
  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    await server?.[Symbol.asyncDispose]();
  }

  /**
   * Starts it again.
   *
   * @param options How to run it this time.
   */
  async restart(options: NatsOptions = {}): Promise<void> {
    await this.kill();
    this.#server = await startNats({ jetstream: false, ...options, port: this.port });
  }

  /** Ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
  }
}
