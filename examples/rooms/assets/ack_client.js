// @ts-check
/// <reference lib="dom" />

/** The first pause before trying again, in milliseconds; each failure doubles it. */
const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 15_000;

/**
 * @typedef {"connecting" | "open" | "waiting"} AckClientState
 *
 * @typedef {object} AckClientOptions
 * @property {() => URL} url Where to; asked each time.
 * @property {(data: string | ArrayBuffer) => void} onMessage What a workload says.
 * @property {(state: AckClientState) => void} [onState]
 * @property {number} [silenceMs] Nothing for so long, and the connection is taken for dead.
 */

/**
 * A WebSocket of the subprotocol `h8s.ack.v1` that is opened again whenever it is lost: what is sent is
 * numbered, and said again until the gateway has it in its stream.
 */
export class AckClient {
  #options;
  /** What the stream recognises our numbers by. `crypto.randomUUID()` is for `https:` alone. */
  #name = Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16)).join(
    "-",
  );
  #lastId = 0;
  /** @type {Map<number, { text: string, resolve: (seq: number) => void }>} Not acknowledged, in order. */
  #unacknowledged = new Map();
  /** @type {WebSocket | undefined} */
  #socket;
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence;

  /** @param {AckClientOptions} options */
  constructor(options) {
    this.#options = options;
    globalThis.addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.retryNow();
    });
    this.#open();
  }

  /**
   * Sends a message, now or when there is a connection.
   *
   * @param {unknown} data A string, or anything that JSON can hold.
   * @returns {Promise<number>} The message's sequence, once the stream has it.
   */
  send(data) {
    const id = ++this.#lastId;
    const text = JSON.stringify({ id, data });
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
    return new Promise((resolve) => this.#unacknowledged.set(id, { text, resolve }));
  }

  /** Does not wait any longer; does nothing where it is not waiting. */
  retryNow() {
    if (this.#retry !== undefined) this.#open();
  }

  /** Gives this connection up for a new one. */
  replace() {
    this.#leave();
    this.#open();
  }

  #open() {
    clearTimeout(this.#retry);
    this.#retry = undefined;
    this.#options.onState?.("connecting");
    const socket = new WebSocket(this.#options.url(), [
      "h8s.ack.v1",
      `h8s.ack.client.${this.#name}`,
    ]);
    this.#socket = socket;
    socket.binaryType = "arraybuffer";
    this.#listenForSilence();
    socket.onopen = () => {
      for (const { text } of this.#unacknowledged.values()) socket.send(text);
      this.#options.onState?.("open");
    };
    socket.onmessage = ({ data }) => {
      this.#failures = 0;
      this.#listenForSilence();
      this.#onMessage(data);
    };
    socket.onclose = () => {
      this.#leave();
      // Twice as long each time, and never the same for two pages: they would all come at once.
      const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures++, LONGEST_PAUSE_MS);
      this.#retry = setTimeout(() => this.#open(), pause * (0.5 + Math.random() / 2));
      this.#options.onState?.("waiting");
    };
  }

  /** @param {string | ArrayBuffer} message */
  #onMessage(message) {
    if (typeof message !== "string") return this.#options.onMessage(message);
    const { ack, seq, data } = JSON.parse(message);
    if (ack === undefined) return this.#options.onMessage(data);
    this.#unacknowledged.get(ack)?.resolve(seq);
    this.#unacknowledged.delete(ack);
  }

  #leave() {
    clearTimeout(this.#silence);
    if (this.#socket === undefined) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = undefined;
  }

  #listenForSilence() {
    clearTimeout(this.#silence);
    const { silenceMs } = this.#options;
    if (silenceMs !== undefined) this.#silence = setTimeout(() => this.replace(), silenceMs);
  }
}
