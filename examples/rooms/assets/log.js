// @ts-check
/// <reference lib="dom" />
/** @import { Message, Person, Saying } from "../protocol.ts" */
import { createItem, find, showPerson } from "./dom.js";

/** Messages of one author that follow each other within this time are one group. */
const GROUP_MS = 5 * 60 * 1000;
/** Closer to the end than this, in pixels, and the reader wants to see what comes. */
const NEAR_END = 80;

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const DAY = new Intl.DateTimeFormat(undefined, { weekday: "long", day: "numeric", month: "long" });
const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });

/** The messages on the page: those that were said in order, then those on their way. */
export class Log {
  #log = find("#log");
  #list = find("#messages");
  #empty = find("#empty");
  #newest = find("#newest");
  /** @type {Map<string, HTMLLIElement>} What was sent and has not been heard yet. */
  #onTheirWay = new Map();

  constructor() {
    this.#newest.addEventListener("click", () => this.#toEnd());
    let isNearEnd = true;
    this.#log.addEventListener("scroll", () => {
      isNearEnd = this.#isNearEnd();
      if (isNearEnd) this.#newest.hidden = true;
    });
    // A phone's keyboard, or a composer that grows, must not cover what was just read.
    new ResizeObserver(() => {
      if (isNearEnd) this.#toEnd();
    }).observe(this.#log);
  }

  /**
   * Shows messages.
   *
   * @param {readonly Message[]} messages
   * @param {Person} me
   */
  add(messages, me) {
    const wasNearEnd = this.#isNearEnd();
    for (const message of messages) this.#addOne(message, me);
    if (wasNearEnd) this.#toEnd();
    else if (messages.length > 0) this.#newest.hidden = false;
  }

  /**
   * Shows what is being sent.
   *
   * @param {Saying} saying
   * @param {Person} me
   */
  send(saying, me) {
    const item = createItem("#message-template");
    fill(item, { ...saying, from: me, at: new Date().toISOString() });
    item.classList.add("own", "sending");
    find(".note", item).textContent = "Sending …";
    this.#onTheirWay.set(saying.id, item);
    this.#list.append(item);
    this.#group(item);
    this.#toEnd();
  }

  /**
   * Says beside a message that the stream has it, while the room has not heard it.
   *
   * @param {string} id
   */
  keep(id) {
    const item = this.#onTheirWay.get(id);
    if (item !== undefined) find(".note", item).textContent = "Kept for the room …";
  }

  /**
   * Says beside a message why it was not taken.
   *
   * @param {string | undefined} id
   * @param {string} reason
   */
  refuse(id, reason) {
    const item = this.#onTheirWay.get(id ?? "");
    if (id === undefined || item === undefined) return;
    this.#onTheirWay.delete(id);
    item.classList.replace("sending", "refused");
    find(".note", item).textContent = `Not sent. ${reason}.`;
    // It stays where it is, and what is said next comes after it.
    const before = /** @type {HTMLElement | null} */ (item.previousElementSibling);
    item.dataset.seq = before?.dataset.seq ?? "0";
  }

  /**
   * Says that something is missing.
   *
   * @param {number} afterSeq Between this message and the next.
   */
  addGap(afterSeq) {
    const item = createItem("#gap-template");
    item.dataset.seq = String(afterSeq + 0.5);
    this.#list.insertBefore(item, this.#firstAfter(afterSeq + 0.5));
  }

  /** All that was said so far is there: from now on, news are read out. */
  ready() {
    this.#log.setAttribute("aria-busy", "false");
    this.#empty.hidden = this.#list.childElementCount > 0;
  }

  /** Forgets what was said, but not what is on its way. */
  clear() {
    this.#list.replaceChildren(...this.#onTheirWay.values());
  }

  /**
   * @param {Message} message
   * @param {Person} me
   */
  #addOne(message, me) {
    const isMine = message.from.id === me.id;
    const sent = isMine ? this.#onTheirWay.get(message.id) : undefined;
    const item = fill(sent ?? createItem("#message-template"), message);
    item.dataset.seq = String(message.seq);
    item.classList.toggle("own", isMine);
    if (sent !== undefined) this.#arrived(message.id, item);
    // Left where it is if that is right: what moves is read out again.
    const next = this.#firstAfter(message.seq);
    if (next !== item) this.#list.insertBefore(item, next);
    this.#group(item);
  }

  /**
   * @param {string} id
   * @param {HTMLLIElement} item
   */
  #arrived(id, item) {
    this.#onTheirWay.delete(id);
    item.classList.remove("sending");
    find(".note", item).textContent = "";
  }

  /**
   * Nearly always the first of those on their way, or none: so the search begins at the end.
   *
   * @param {number} seq
   */
  #firstAfter(seq) {
    let next = null;
    for (
      let item = this.#list.lastElementChild;
      item !== null;
      item = item.previousElementSibling
    ) {
      const itsSeq = Number(/** @type {HTMLElement} */ (item).dataset.seq ?? Infinity);
      if (itsSeq < seq) break;
      next = item;
    }
    return next;
  }

  /**
   * An item shows its author when it begins a group, its day when it begins one.
   *
   * @param {HTMLLIElement} item
   */
  #group(item) {
    this.#empty.hidden = true;
    for (const each of [item, item.nextElementSibling]) {
      if (!(each instanceof HTMLLIElement) || each.dataset.at === undefined) continue;
      const before = /** @type {HTMLElement | null} */ (each.previousElementSibling)?.dataset ?? {};
      const at = new Date(each.dataset.at);
      const previous = new Date(before.at ?? 0);
      const isNewDay = at.toDateString() !== previous.toDateString();
      const isSoon = at.getTime() - previous.getTime() < GROUP_MS;
      find(".day", each).hidden = !isNewDay;
      each.classList.toggle("follows", before.by === each.dataset.by && isSoon && !isNewDay);
    }
  }

  #isNearEnd() {
    const { scrollHeight, scrollTop, clientHeight } = this.#log;
    return scrollHeight - scrollTop - clientHeight < NEAR_END;
  }

  #toEnd() {
    this.#log.scrollTop = this.#log.scrollHeight;
    this.#newest.hidden = true;
  }
}

/**
 * As text: whatever somebody writes, it is no markup.
 *
 * @param {HTMLLIElement} item
 * @param {Omit<Message, "seq">} message
 */
function fill(item, { from, text, at }) {
  const moment = new Date(at);
  const time = /** @type {HTMLTimeElement} */ (find("time", item));
  item.dataset.by = `${from.id} ${from.name}`;
  item.dataset.at = at;
  showPerson(item, from);
  time.dateTime = at;
  time.textContent = TIME.format(moment);
  time.title = MOMENT.format(moment);
  find(".text", item).textContent = text;
  find(".day", item).textContent = DAY.format(moment);
  return item;
}
