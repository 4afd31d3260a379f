// @ts-check
/// <reference lib="dom" />
import { find } from "./dom.js";

/** How long the worker may take to answer before we speak of it, in milliseconds. */
const PATIENCE_MS = 5000;

/** Asks for a name and posts it. The answer comes over the WebSocket: `POST /users` only says "taken". */
export class NameDialog {
  #dialog = /** @type {HTMLDialogElement} */ (find("#name-dialog"));
  #input = /** @type {HTMLInputElement} */ (find("#name"));
  #note = find("#name-note");
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #patience;

  constructor() {
    find("#name-cancel").addEventListener("click", () => this.#dialog.close());
    find("#name-form").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#post();
    });
  }

  /** @param {string} name */
  open(name) {
    this.#input.value = name;
    this.#say("");
    this.#dialog.showModal();
    this.#input.select();
  }

  /** The worker has taken the name. */
  accepted() {
    this.#say("");
    this.#dialog.close();
  }

  /** @param {string} reason */
  refused(reason) {
    this.#say(`${reason}.`);
  }

  async #post() {
    this.#say("Saving …");
    this.#patience = setTimeout(() => {
      this.#say("No answer yet. It may still come; or save again.");
    }, PATIENCE_MS);
    try {
      const body = JSON.stringify({ name: this.#input.value });
      const { ok, status } = await fetch("/users", { method: "POST", body });
      if (!ok) this.refused(`The server answers ${status}; try again in a moment`);
    } catch {
      this.refused("The server cannot be reached; try again in a moment");
    }
  }

  /** @param {string} text */
  #say(text) {
    clearTimeout(this.#patience);
    this.#note.textContent = text;
  }
}
