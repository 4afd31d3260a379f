/**
 * What waits for a WebSocket client.
 *
 * @module
 */
import type { SendBudget, Waiting } from "../limits/send_budget.ts";

/**
 * So much is given to the platform at once. What it has it keeps until the client takes it or is gone, even when
 * the socket is closed: a client that takes nothing and never leaves would hold all of it for ever.
 */
const PLATFORM_BYTES = 1024 * 1024;
/** The platform does not say when it has written something: it is looked at soon, and then less and less often. */
const FIRST_LOOK_MS = 2;
const MAX_LOOK_MS = 128;

type Data = string | Uint8Array<ArrayBuffer>;

/** What it takes. */
export interface SendQueueOptions {
  /** Counts what is kept for all clients. */
  readonly budget: Pick<SendBudget, "join" | "leave" | "add">;
  /** Called where all of that is too much, and most of it waits for this client, which has to go. */
  readonly onExceeded: () => void;
}

/** In the order in which it is sent. */
export class SendQueue implements Waiting {
  readonly #socket: Pick<WebSocket, "bufferedAmount" | "send">;
  readonly #options: SendQueueOptions;
  readonly connection = this;
  seat: number | undefined;
  #held: { readonly data: Data; readonly length: number }[] = [];
  #heldBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lookMs = FIRST_LOOK_MS;

  constructor(
    socket: Pick<WebSocket, "bufferedAmount" | "send">,
    options: SendQueueOptions,
  ) {
    this.#socket = socket;
    this.#options = options;
  }

  /** How many bytes the client has not taken. */
  get waiting(): number {
    return this.#socket.bufferedAmount + this.#heldBytes;
  }

  /**
   * Sends a message, or keeps a copy of it for later.
   *
   * @param waiting As of now: to look costs as much as to send.
   */
  send(data: Data, { length, waiting }: { length: number; waiting: number }): void {
    if (waiting < PLATFORM_BYTES) return this.#socket.send(data);
    this.#held.push({ data: typeof data === "string" ? data : data.slice(), length });
    if (this.#timer === undefined) this.#lookLater();
    this.#options.budget.join(this);
    this.#count(length);
  }

  /** Gives all of it to the platform: what comes next is the end. */
  flush(): void {
    for (const { data } of this.#held) this.#socket.send(data);
    this.clear();
  }

  /** Nobody will take it. */
  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#held = [];
    this.#options.budget.leave(this);
    this.#count(-this.#heldBytes);
  }

  giveUp(): void {
    this.#options.onExceeded();
  }

  #count(bytes: number): void {
    this.#heldBytes += bytes;
    this.#options.budget.add(bytes);
  }

  #look(): void {
    this.#timer = undefined;
    let count = 0;
    for (let free = PLATFORM_BYTES - this.#socket.bufferedAmount; free > 0; count++) {
      const next = this.#held[count];
      if (next === undefined) break;
      this.#socket.send(next.data);
      this.#count(-next.length);
      free -= next.length;
    }
    this.#held.splice(0, count);
    this.#lookMs = count > 0 ? FIRST_LOOK_MS : Math.min(2 * this.#lookMs, MAX_LOOK_MS);
    if (this.#held.length > 0) this.#lookLater();
    else this.#options.budget.leave(this);
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => this.#look(), this.#lookMs);
  }
}
