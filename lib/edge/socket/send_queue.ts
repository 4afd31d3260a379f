/**
 * What waits for a WebSocket client.
 *
 * @module
 */

/**
 * So much is given to the platform at once. What it has it keeps until the client takes it or is gone, even when
 * the socket is closed: a client that takes nothing and never leaves would hold all of it for ever.
 */
const PLATFORM_BYTES = 1024 * 1024;
/** The platform does not say when it has written something: it is looked at soon, and then less and less often. */
const FIRST_LOOK_MS = 2;
const MAX_LOOK_MS = 128;

type Data = string | Uint8Array<ArrayBuffer>;

/** In the order in which it is sent. */
export class SendQueue {
  readonly #socket: Pick<WebSocket, "bufferedAmount" | "send">;
  #held: { readonly data: Data; readonly length: number }[] = [];
  #heldBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #lookMs = FIRST_LOOK_MS;

  constructor(socket: Pick<WebSocket, "bufferedAmount" | "send">) {
    this.#socket = socket;
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
    this.#heldBytes += length;
    if (this.#timer === undefined) this.#lookLater();
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
    this.#heldBytes = 0;
  }

  #look(): void {
    this.#timer = undefined;
    let count = 0;
    for (let free = PLATFORM_BYTES - this.#socket.bufferedAmount; free > 0; count++) {
      const next = this.#held[count];
      if (next === undefined) break;
      this.#socket.send(next.data);
      this.#heldBytes -= next.length;
      free -= next.length;
    }
    this.#held.splice(0, count);
    this.#lookMs = count > 0 ? FIRST_LOOK_MS : Math.min(2 * this.#lookMs, MAX_LOOK_MS);
    if (this.#held.length > 0) this.#lookLater();
  }

  #lookLater(): void {
    this.#timer = setTimeout(() => this.#look(), this.#lookMs);
  }
}
