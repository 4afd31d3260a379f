/**
 * Steady WebSockets: numbered messages out, and numbered echoes back.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { parseEcho } from "./payload.ts";

const PACE_MS = 40;
const RETRY_MS = 100;
/** How many messages a visitor sends before it leaves. */
const VISIT_MESSAGES = 4;

/** How many messages went and came. */
export interface SocketCounts {
  sent: number;
  echoed: number;
  /** Echoes that came twice. */
  doubled: number;
  /** Echoes that came after a later one. */
  disordered: number;
  /** Messages to the client that the workload sent and a later one overtook. */
  skipped: number;
  /** Messages of clients that never came back, while later ones did. */
  unheard: number;
  /** Sockets that opened, and how many of them were ended by somebody else. */
  opened: number;
  lost: number;
}

/** Some clients that stay and some that come and go. */
export class SocketLoad {
  /** Of all clients. */
  readonly counts: SocketCounts = {
    sent: 0,
    echoed: 0,
    doubled: 0,
    disordered: 0,
    skipped: 0,
    unheard: 0,
    opened: 0,
    lost: 0,
  };
  /** How sockets were ended by somebody else, by code. */
  readonly codes = new Map<number, number>();
  readonly #toUrl: (client: number) => string;
  readonly #clients: Promise<void>[];
  readonly #over = new AbortController();

  /**
   * Begins.
   *
   * @param toUrl Where a client goes now (`ws://…`); asked for each handshake.
   * @param clients `staying` for as long as they can; `visiting` for some messages.
   */
  constructor(
    toUrl: (client: number) => string,
    { staying, visiting }: { staying: number; visiting: number },
  ) {
    this.#toUrl = toUrl;
    this.#clients = Array.from(
      { length: staying + visiting },
      (_, client) => this.#run(client, client < staying ? Infinity : VISIT_MESSAGES),
    );
  }

  /** Closes all and waits for their end. */
  async stop(): Promise<void> {
    this.#over.abort();
    await Promise.all(this.#clients);
  }

  async #run(client: number, messages: number): Promise<void> {
    while (!this.#over.signal.aborted) {
      await this.#visit(`${this.#toUrl(client)}/socket`, messages);
      await pause(RETRY_MS);
    }
  }

  /** One socket, from its handshake to its end. */
  async #visit(url: string, messages: number): Promise<void> {
    const socket = new WebSocket(url);
    const closed = new Promise<CloseEvent>((resolve) => socket.addEventListener("close", resolve));
    socket.addEventListener("error", () => {});
    socket.addEventListener("message", this.#toListener());
    let isLeaving = false;
    const leave = () => {
      isLeaving = true;
      socket.close(1000);
    };
    let number = 0;
    const timer = setInterval(() => {
      if (socket.readyState !== WebSocket.OPEN || isLeaving) return;
      if (number === messages) return leave();
      socket.send(String(++number));
      this.counts.sent++;
    }, PACE_MS);
    socket.addEventListener("open", () => this.counts.opened++);
    this.#over.signal.addEventListener("abort", leave);
    const { code } = await closed;
    clearInterval(timer);
    this.#over.signal.removeEventListener("abort", leave);
    if (isLeaving || number === 0) return;
    this.counts.lost++;
    this.codes.set(code, (this.codes.get(code) ?? 0) + 1);
  }

  #toListener(): (event: MessageEvent) => void {
    const { counts } = this;
    const seen = new Set<number>();
    let last = 0;
    let next: { epoch: string; count: number } | undefined;
    return ({ data }) => {
      const echo = parseEcho(data);
      if (echo === undefined) return;
      counts.echoed++;
      if (seen.has(echo.number)) counts.doubled++;
      else if (echo.number < last) counts.disordered++;
      else counts.unheard += echo.number - last - 1;
      seen.add(echo.number);
      last = Math.max(last, echo.number);
      if (next?.epoch === echo.epoch && echo.count > next.count) {
        counts.skipped += echo.count - next.count;
      }
      next = { epoch: echo.epoch, count: echo.count + 1 };
    };
  }
}
