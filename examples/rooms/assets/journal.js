// @ts-check
/** @import { Message } from "../protocol.ts" */

/** What this page has seen of the room, and so what it has to ask for when it comes back. */
export class Journal {
  /** Of the worker's welcome; empty before the first one. */
  transcript = "";
  /** Everything up to this message was seen. */
  after = 0;
  #furthest = 0;
  #isCaughtUp = false;
  /** @type {Set<string>} */
  #seen = new Set();

  /** False while messages from before may be missing. */
  get isCaughtUp() {
    return this.#isCaughtUp;
  }

  /**
   * The past will be told from here on.
   *
   * @param {string} transcript
   * @returns {boolean} True when what was seen so far belongs to another transcript.
   */
  begin(transcript) {
    const isOther = this.transcript !== "" && this.transcript !== transcript;
    if (isOther) {
      this.after = this.#furthest = 0;
      this.#seen.clear();
    }
    this.transcript = transcript;
    this.#isCaughtUp = false;
    return isOther;
  }

  /**
   * A piece of the past, in order.
   *
   * @param {readonly Message[]} messages
   * @param {boolean} isLast
   * @returns {Message[]} Those that were not seen yet.
   */
  past(messages, isLast) {
    const unseen = messages.filter((message) => this.#see(message));
    this.after = Math.max(this.after, messages.at(-1)?.seq ?? 0);
    if (isLast) {
      this.#isCaughtUp = true;
      this.after = Math.max(this.after, this.#furthest);
    }
    return unseen;
  }

  /**
   * A message that was said just now. While the past is still being told it proves nothing about what
   * came before it.
   *
   * @param {Message} message
   * @returns {boolean} True when it was not seen yet.
   */
  said(message) {
    this.#furthest = Math.max(this.#furthest, message.seq);
    if (this.#isCaughtUp) this.after = this.#furthest;
    return this.#see(message);
  }

  /** @param {Message} message */
  #see({ from, id }) {
    const key = `${from.id}.${id}`;
    if (this.#seen.has(key)) return false;
    this.#seen.add(key);
    return true;
  }
}
