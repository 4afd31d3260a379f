/**
 * Where a client runs, in a test: time passes, sockets open and pages hide when the test says so.
 *
 * @module
 */
import type { ClientOptions } from "../../lib/client/options.ts";
import type { Platform, Watcher } from "../../lib/client/platform.ts";
import { ReconnectingClient } from "../../lib/client/reconnecting.ts";
import { FakeClock } from "../harness/fake_clock.ts";

/** A socket that does what the test says. */
export class FakeSocket {
  onopen: (() => void) | null = null;
  onmessage: ((event: { data: string | ArrayBuffer }) => void) | null = null;
  onclose: ((event: { code: number; reason: string }) => void) | null = null;
  onerror: (() => void) | null = null;
  binaryType = "blob";
  bufferedAmount = 0;
  readyState = 0;
  protocol = "";
  readonly sent: (string | Uint8Array)[] = [];
  /** With which code the client closed it. */
  closedWith: number | undefined;
  /** And why. */
  closedFor: string | undefined;

  constructor(readonly url: string, readonly protocols: string[]) {
    if (url.includes(" ")) throw new SyntaxError("The URL is invalid");
  }

  send(data: string | Uint8Array): void {
    this.sent.push(data);
  }

  close(code?: number, reason = ""): void {
    this.closedWith ??= code;
    this.closedFor ??= reason;
  }

  /** The gateway lets it in. */
  open(protocol = this.protocols[0] ?? ""): this {
    this.protocol = protocol;
    this.readyState = 1;
    this.onopen?.();
    return this;
  }

  /** The gateway says something. */
  say(data: unknown): void {
    const isRaw = typeof data === "string" || data instanceof ArrayBuffer;
    this.onmessage?.({ data: isRaw ? data : JSON.stringify(data) });
  }

  /** It is closed from over there. */
  lose(code: number, reason = ""): void {
    this.readyState = 3;
    this.onclose?.({ code, reason });
  }

  /** The word that the client pings with. */
  get word(): string {
    return this.#aside("h8s.ping.");
  }

  /** With what it wants to come back. */
  get resumes(): string {
    return this.#aside("h8s.resume.token.");
  }

  /** The token that it shows. */
  get bearer(): string {
    return this.#aside("bearer.");
  }

  #aside(prefix: string): string {
    return this.protocols.find((name) => name.startsWith(prefix))?.slice(prefix.length) ?? "";
  }
}

/** A client in such a place. */
export class FakeWorld implements Platform {
  readonly clock = new FakeClock();
  /** What chance says next. */
  chance = 1;
  watcher: Watcher | undefined;
  readonly sockets: FakeSocket[] = [];

  #slept = 0;

  now(): number {
    return this.clock.now() + this.#slept;
  }

  /** The machine sleeps, and whatever falls due meanwhile comes when it wakes up. */
  sleep(ms: number): void {
    this.#slept += ms;
    this.clock.advance(10_000);
  }

  after(delayMs: number, callback: () => void): () => void {
    return this.clock.after(delayMs, callback);
  }

  random(): number {
    return this.chance;
  }

  watch(watcher: Watcher): () => void {
    this.watcher = watcher;
    return () => this.watcher = undefined;
  }

  /** Makes a client. */
  connect(options: ClientOptions = {}, url = "ws://example.com/tea"): ReconnectingClient {
    const { sockets } = this;
    class Recorded extends FakeSocket {
      constructor(url: string, protocols: string[]) {
        super(url, protocols);
        sockets.push(this);
      }
    }
    const own = { WebSocket: Recorded as unknown as typeof WebSocket, ...options };
    return new ReconnectingClient(url, own, this);
  }

  /** Waits until the client has its so-manieth socket, counted from 1. */
  async socket(number: number): Promise<FakeSocket> {
    for (let turn = 0; turn < 50 && this.sockets.length < number; turn++) await Promise.resolve();
    const socket = this.sockets[number - 1];
    if (socket === undefined) throw new Error(`There are ${this.sockets.length} sockets`);
    return socket;
  }
}
