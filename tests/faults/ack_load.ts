/**
 * Clients that want to know: each numbers what it says (`h8s.ack.v1`), and says again after a
 * reconnect what was not acknowledged.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
const PACE_MS = 25;
const RETRY_MS = 150;
/** How much may wait for its acknowledgement before the client says nothing new. */
const MAX_WAITING = 200;
const PADDING = "x".repeat(200);

/** Says what a client said: its name and the number. */
export function toPayload(client: string, id: number): string {
  return `${client} ${id} ${PADDING}`;
}

/** Some such clients. */
export class AckLoad {
  readonly #clients: AckClient[];

  /**
   * Begins.
   *
   * @param toUrl Where a client goes now (`ws://…`); asked for each handshake.
   * @param clients How many.
   */
  constructor(toUrl: (client: number) => string, clients: number) {
    this.#clients = Array.from(
      { length: clients },
      (_, index) => new AckClient(() => `${toUrl(index)}/kept`),
    );
  }

  /** How often each message that was acknowledged should be in the stream: once. */
  get acknowledged(): readonly string[] {
    return this.#clients.flatMap(({ acknowledged }) => acknowledged);
  }

  /** What was said and not acknowledged; after {@link AckLoad.stop} there should be nothing. */
  get waiting(): number {
    return this.#clients.reduce((sum, { waiting }) => sum + waiting, 0);
  }

  /** How often clients had to connect. */
  get handshakes(): number {
    return this.#clients.reduce((sum, { handshakes }) => sum + handshakes, 0);
  }

  /** Says nothing new, and waits until all that was said is acknowledged, but not for ever. */
  async stop(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.stop()));
  }
}

class AckClient {
  readonly acknowledged: string[] = [];
  handshakes = 0;
  readonly #name = crypto.randomUUID();
  readonly #toUrl: () => string;
  readonly #waiting = new Map<number, string>();
  readonly #running: Promise<void>;
  #last = 0;
  #isOver = false;
  #latest = Number.POSITIVE_INFINITY;

  constructor(toUrl: () => string) {
    this.#toUrl = toUrl;
    this.#running = this.#run();
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    this.#latest = performance.now() + 10_000;
    await this.#running;
  }

  get #isDone(): boolean {
    return this.#isOver && (this.#waiting.size === 0 || performance.now() > this.#latest);
  }

  async #run(): Promise<void> {
    while (!this.#isDone) {
      await this.#visit();
      if (!this.#isDone) await pause(RETRY_MS);
    }
  }

  async #visit(): Promise<void> {
    this.handshakes++;
    const protocols = ["h8s.ack.v1", `h8s.ack.client.${this.#name}`];
    const socket = new WebSocket(this.#toUrl(), protocols);
    const closed = new Promise((resolve) => socket.addEventListener("close", resolve));
    socket.addEventListener("error", () => {});
    socket.addEventListener("message", ({ data }) => this.#onMessage(data));
    socket.addEventListener("open", () => {
      for (const [id, data] of this.#waiting) socket.send(JSON.stringify({ id, data }));
    });
    const timer = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN) return;
      if (this.#isDone) return socket.close(1000);
      if (this.#isOver || this.#waiting.size >= MAX_WAITING) return;
      const id = ++this.#last;
      const data = toPayload(this.#name, id);
      this.#waiting.set(id, data);
      socket.send(JSON.stringify({ id, data }));
    }, PACE_MS);
    await closed;
    clearInterval(timer);
  }

  #onMessage(text: string): void {
    const { ack } = JSON.parse(text);
    const data = this.#waiting.get(ack);
    if (data === undefined) return;
    this.#waiting.delete(ack);
    this.acknowledged.push(data);
  }
}
