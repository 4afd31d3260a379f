/**
 * Does what the states ask for.
 *
 * @module
 */
import {
  type Advice,
  EXPIRED,
  toAdvice,
  toCloseReason,
  tooBig,
  VANISHED,
} from "../mapping/close.ts";
import type { Client, ClientEvents, ClosedInfo } from "./client.ts";
import { ClientClosedError } from "./errors.ts";
import { type Address, type Dialled, Dialler } from "./dialler.ts";
import { Listeners, report } from "./listeners.ts";
import { type ClientOptions, type Settings, toSettings } from "./options.ts";
import { Outgoing } from "./outgoing.ts";
import { type Platform, toRandomWord } from "./platform.ts";
import { addGap, type Gap, type Message, Position } from "./position.ts";
import { Socket, type SocketOwner } from "./socket.ts";
import { BEGIN, type ClientState, type End, type Happening, next } from "./state.ts";
import { Unread, withResolvers } from "./unread.ts";
import { listOffers, parseGatewayFrame, type Promises, toPayload } from "./wire.ts";

const GOODBYE = { code: 1000, reason: "" };
const NO_TOKEN = {
  end: { code: EXPIRED.code, reason: "there is no token" },
  isWanted: false,
};
/** RFC 6455 §7.4.1: what came is not what was agreed on. */
const PROTOCOL_ERROR = 1002;

/** The one implementation. */
export class ReconnectingClient implements Client {
  readonly #dialler: Dialler;
  readonly #settings: Settings;
  readonly #platform: Platform;
  readonly #outgoing: Outgoing;
  readonly #position = new Position();
  /** What the stream recognises our numbers by, and what we ping with: another one, since it is no secret. */
  readonly #name = toRandomWord();
  readonly #word = toRandomWord();
  readonly #listeners = new Listeners();
  readonly #loops = new Set<Unread>();
  readonly #closed = withResolvers<ClosedInfo>();
  readonly #ends: (() => void)[] = [];
  #state: ClientState = BEGIN;
  #socket: Socket | undefined;
  /** What is missing before the next message. */
  #gaps: Gap[] = [];
  #cancelRetry = () => {};
  /** What is asked for one attempt is not used in another. */
  #attempt = 0;

  constructor(address: Address, options: ClientOptions, platform: Platform) {
    const settings = this.#settings = toSettings(options);
    this.#dialler = new Dialler(address, settings.token);
    this.#platform = platform;
    this.#outgoing = new Outgoing(settings, platform);
    const { signal } = settings;
    if (signal?.aborted) {
      this.#happens({ type: "closed", end: GOODBYE, isWanted: true });
      return;
    }
    const onAbort = () => void this.close();
    signal?.addEventListener("abort", onAbort);
    this.#ends.push(
      () => signal?.removeEventListener("abort", onAbort),
      platform.watch({
        onChange: () => this.wake(),
        onSleep: () => this.#happens({ type: "slept" }),
        onWake: () => this.#happens({ type: "woke" }),
      }),
    );
    void this.#connect(BEGIN.wantsToken);
  }

  get state(): ClientState {
    return this.#state;
  }

  get protocol(): string {
    return this.#socket?.protocol ?? "";
  }

  get held(): number {
    return this.#outgoing.size;
  }

  get closed(): Promise<ClosedInfo> {
    return this.#closed.promise;
  }

  async send(data: unknown, options?: { readonly signal?: AbortSignal }) {
    return await this.#outgoing.say(toPayload(data), options?.signal);
  }

  on<Type extends keyof ClientEvents>(type: Type, listener: (event: ClientEvents[Type]) => void) {
    return this.#listeners.on(type, listener);
  }

  [Symbol.asyncIterator](): AsyncIterableIterator<Message> {
    const loop = new Unread(this.#settings.maxUnread, () => this.#loops.delete(loop));
    if (this.#state.name === "closed") loop.end(toLoopEnd(this.#state));
    else this.#loops.add(loop);
    return loop;
  }

  wake(): void {
    this.#socket?.ask();
    this.#happens({ type: "retry" });
  }

  reconnect(): void {
    if (this.#state.name === "connecting") return;
    this.#lose({ ...VANISHED, reason: "reconnect()" });
    this.#happens({ type: "retry" });
  }

  async close(code = 1000, reason = ""): Promise<void> {
    // A platform would throw once nobody holds the socket any more.
    if (code !== 1000 && !(code >= 3000 && code <= 4999)) {
      throw new RangeError(`Cannot close with ${code}: expected 1000, or 3000 to 4999`);
    }
    const socket = this.#socket;
    this.#socket = undefined;
    this.#happens({ type: "closed", end: { code, reason }, isWanted: true });
    await socket?.close(code, toCloseReason(reason));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #happens(happening: Happening): void {
    const { retryMs: firstMs, maxRetryMs: longestMs } = this.#settings;
    const before = this.#state;
    const state = this.#state = next(before, happening, { firstMs, longestMs });
    if (state === before) return;
    this.#enter(state);
    this.#listeners.tell("state", state);
  }

  #enter(state: ClientState): void {
    this.#cancelRetry();
    if (state.name !== "open" && state.name !== "connecting") this.#leave();
    switch (state.name) {
      case "connecting":
        return void this.#connect(state.wantsToken);
      case "waiting":
        this.#cancelRetry = this.#platform.after(
          state.delayMs,
          () => this.#happens({ type: "retry" }),
        );
        return;
      case "closed":
        return this.#end(state);
      case "open":
      case "asleep":
    }
  }

  async #connect(wantsToken: boolean): Promise<void> {
    const attempt = ++this.#attempt;
    const isCurrent = () => attempt === this.#attempt;
    const onFailed = (reason: string) => {
      if (isCurrent()) this.#lose({ ...VANISHED, reason });
    };
    // Whoever is asked may never answer.
    const { connectMs } = this.#settings;
    this.#cancelRetry = this.#platform.after(connectMs, () => onFailed("no token, or no address"));
    try {
      const dialled = await this.#dialler.dial(wantsToken);
      if (!isCurrent()) return;
      this.#cancelRetry();
      if (dialled === undefined) return this.#happens({ type: "closed", ...NO_TOKEN });
      this.#open(dialled);
    } catch (error) {
      onFailed(String(error));
    }
  }

  #open({ url, token }: Dialled): void {
    const { ack, resume, protocols = listOffers({ ack, resume }) } = this.#settings;
    // Only among others: browsers fail a handshake of which nothing is picked.
    const asides = protocols.length === 0 ? [] : [
      `h8s.ack.client.${this.#name}`,
      `h8s.ping.${this.#word}`,
      ...this.#position.offer,
      ...(token === undefined ? [] : [`bearer.${token}`]),
    ];
    try {
      this.#socket = new Socket({
        url,
        protocols: [...protocols, ...asides],
        isAgreed: (protocol) =>
          protocols.includes(protocol) || (protocol === "" && !ack && !resume),
        word: this.#word,
        settings: this.#settings,
        platform: this.#platform,
        owner: this.#owner,
      });
    } catch (error) {
      // The same would be wrong again.
      const end = { ...VANISHED, reason: String(error) };
      this.#happens({ type: "closed", end, isWanted: false });
    }
  }

  readonly #owner: SocketOwner = {
    onOpen: (socket) => {
      this.#happens({ type: "opened", at: this.#platform.now() });
      this.#miss(this.#position.open(socket.promises.resume));
      // Whoever is told may have closed it.
      if (this.#socket === socket) this.#outgoing.attach(socket);
    },
    onData: (data, promises) => {
      try {
        this.#take(data, promises);
      } catch (error) {
        const end = { code: PROTOCOL_ERROR, reason: String(error) };
        this.#happens({ type: "closed", end, isWanted: false });
      }
    },
    onLost: (end) => this.#lose(end),
  };

  #take(data: string | ArrayBuffer, promises: Promises): void {
    const frame = parseGatewayFrame(data, promises);
    if (frame.type === "ack") return this.#outgoing.acknowledge(frame.id, frame.seq);
    const news = this.#position.take(frame);
    if (news === undefined) return;
    if ("cause" in news) return this.#miss(news);
    const message = this.#gaps.length === 0 ? news : { ...news, gaps: this.#gaps };
    this.#gaps = [];
    for (const loop of this.#loops) loop.push(message);
    this.#listeners.tell("message", message);
  }

  #miss(gap: Gap | undefined): void {
    if (gap === undefined) return;
    this.#gaps = addGap(this.#gaps, gap);
    this.#listeners.tell("gap", gap);
  }

  #lose(end: End): void {
    const isTooBig = end.code === TOO_BIG && this.#outgoing.dropLargest(end.reason);
    this.#happens({
      type: "lost",
      at: this.#platform.now(),
      end,
      advice: this.#advise(end) ?? (isTooBig ? "retry" : toAdvice(end.code)),
      random: this.#platform.random(),
    });
  }

  #advise(end: End): Advice | undefined {
    try {
      return this.#settings.advise?.(end);
    } catch (error) {
      report(error);
      return undefined;
    }
  }

  /** Gives the socket up, if there is one, and whatever is asked for a new one. */
  #leave(): void {
    this.#attempt++;
    const socket = this.#socket;
    this.#socket = undefined;
    this.#outgoing.detach();
    socket?.leave();
  }

  #end(state: Extract<ClientState, { name: "closed" }>): void {
    for (const end of this.#ends.splice(0)) end();
    const error = new ClientClosedError(state.end);
    this.#outgoing.close("the client is closed", error);
    for (const loop of this.#loops) loop.end(toLoopEnd(state));
    this.#loops.clear();
    this.#closed.resolve({ ...state.end, isWanted: state.isWanted });
  }
}

const TOO_BIG = tooBig(0).code;

function toLoopEnd({ isWanted, end }: Extract<ClientState, { name: "closed" }>) {
  return isWanted ? {} : { error: new ClientClosedError(end) };
}
