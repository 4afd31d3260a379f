// @ts-check
/// <reference lib="dom" />

/** The first pause before trying again, in milliseconds; each failure doubles it. */
const FIRST_PAUSE_MS = 300;
const LONGEST_PAUSE_MS = 15_000;
/** The room is told who is here every ten seconds. Nothing for so long: the connection is dead. */
const SILENCE_MS = 35_000;

/**
 * @typedef {object} ConnectionOptions
 * @property {() => URL} url Where to; asked each time.
 * @property {(text: string) => void} onText
 * @property {(state: ConnectionState) => void} onState
 *
 * @typedef {"connecting" | "open" | "waiting"} ConnectionState
 */

/** One WebSocket at a time, opened again whenever it is lost. */
export class Connection {
  #options;
  /** @type {WebSocket | undefined} */
  #socket;
  #failures = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #silence;

  /** @param {ConnectionOptions} options */
  constructor(options) {
    this.#options = options;
    globalThis.addEventListener("online", () => this.retryNow());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.retryNow();
    });
    this.#open();
  }

  /**
   * Sends, where there is somebody to send to.
   *
   * @param {string} text
   */
  send(text) {
    if (this.#socket?.readyState === WebSocket.OPEN) this.#socket.send(text);
  }

  /** All is well: the next loss counts as the first. */
  settle() {
    this.#failures = 0;
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
    this.#options.onState("connecting");
    this.#listenForSilence();
    const socket = this.#socket = new WebSocket(this.#options.url());
    socket.onopen = () => {
      this.#listenForSilence();
      this.#options.onState("open");
    };
    socket.onmessage = ({ data }) => {
      this.#listenForSilence();
      this.#options.onText(data);
    };
    socket.onclose = () => {
      this.#leave();
      this.#wait();
    };
  }

  #leave() {
    clearTimeout(this.#silence);
    if (this.#socket === undefined) return;
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#socket = undefined;
  }

  /** Twice as long each time, and never the same for two pages: they would all come at once. */
  #wait() {
    const pause = Math.min(FIRST_PAUSE_MS * 2 ** this.#failures, LONGEST_PAUSE_MS);
    this.#failures++;
    this.#retry = setTimeout(() => this.#open(), pause * (0.5 + Math.random() / 2));
    this.#options.onState("waiting");
  }

  #listenForSilence() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.replace(), SILENCE_MS);
  }
}
