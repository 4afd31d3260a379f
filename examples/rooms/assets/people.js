// @ts-check
/// <reference lib="dom" />
/** @import { Person } from "../protocol.ts" */
import { createItem, find, showPerson } from "./dom.js";

const BY_NAME = new Intl.Collator(undefined, { numeric: true });

/** Who is here, oneself first. */
export class People {
  #list = find("#people");
  #count = find("#people-count");
  /** @type {Map<string, HTMLLIElement>} */
  #items = new Map();

  /**
   * Shows them.
   *
   * @param {readonly Person[]} people
   * @param {Person} me
   */
  show(people, me) {
    const sorted = people.toSorted((a, b) =>
      Number(b.id === me.id) - Number(a.id === me.id) || BY_NAME.compare(a.name, b.name)
    );
    const items = new Map(sorted.map((person) => [person.id, this.#toItem(person, me)]));
    this.#items = items;
    this.#list.replaceChildren(...items.values());
    this.#count.textContent = String(people.length);
  }

  /**
   * The item that is there already, so that the reader's place in the list is kept.
   *
   * @param {Person} person
   * @param {Person} me
   */
  #toItem(person, me) {
    const item = this.#items.get(person.id) ?? createItem("#person-template");
    showPerson(item, person);
    find(".you", item).hidden = person.id !== me.id;
    return item;
  }
}
