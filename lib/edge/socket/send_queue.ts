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
  /** What the platform has, or had when it was asked, and the most that all it was given since can be. */
  #givenBytes = 0;
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
    this.#givenBytes = this.#socket.bufferedAmount;
    return this.#givenBytes + this.#heldBytes;
  }

  /** Whether it is less than so many; as a rule that is known, since to ask the platform costs as much as to send. */
  isBelow(bytes: number): boolean {
    return this.#givenBytes + this.#heldBytes < bytes || this.waiting < bytes;
  }

  /** Sends a message, or keeps a copy of it for later. */
  send(data: Data, length: number): void {
    const isFirst = this.#held.length === 0;
    if (isFirst && this.isBelow(PLATFORM_BYTES)) return this.#give(data);
    this.#held.push({ data: typeof data === "string" ? data : data.slice(), length });
    if (this.#timer === undefined) this.#lookLater();
    this.#options.budget.join(this);
    this.#count(length);
  }

  /** Gives all of it to the platform: what comes next is the end. */
  flush(): void {
    for (const { data } of this.#held) this.#give(data);
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

  #give(data: Data): void {
    this.#givenBytes += toMostBytes(data);
    this.#socket.send(data);
  }

  #count(bytes: number): void {
    this.#heldBytes += bytes;
    this.#options.budget.add(bytes);
  }

  #look(): void {
    this.#timer = undefined;
    let count = 0;
    for (let free = PLATFORM_BYTES + this.#heldBytes - this.waiting; free > 0; count++) {
      const next = this.#held[count];
      if (next === undefined) break;
      this.#give(next.data);
      this.#count(-next.length);
      free -= toMostBytes(next.data);
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

/** A character of a text is three bytes at most (UTF-8). */
function toMostBytes(data: Data): number {
  return typeof data === "string" ? 3 * data.length : data.byteLength;
}
