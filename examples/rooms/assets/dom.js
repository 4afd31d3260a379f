// @ts-check
/// <reference lib="dom" />
/** @import { Person } from "../protocol.ts" */

/**
 * Finds an element that must be there.
 *
 * @template {HTMLElement} [Kind=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {Kind}
 */
export function find(selector, root = document) {
  const element = root.querySelector(selector);
  if (element === null) throw new Error(`Cannot find "${selector}" in the page`);
  return /** @type {Kind} */ (element);
}

/**
 * Makes a list item from a template.
 *
 * @param {string} selector
 * @returns {HTMLLIElement}
 */
export function createItem(selector) {
  const { content } = /** @type {HTMLTemplateElement} */ (find(selector));
  return /** @type {HTMLLIElement} */ (document.importNode(content, true).firstElementChild);
}

/**
 * Writes a name with its initial, and gives it its colour: the style sheet makes of the hue what is
 * readable.
 *
 * @param {HTMLElement} item
 * @param {Person} person
 */
export function showPerson(item, { id, name }) {
  const [initial] = new Intl.Segmenter().segment(name);
  item.style.setProperty("--hue", String(parseInt(id.slice(0, 4), 16) % 360));
  find(".avatar", item).textContent = initial?.segment.toUpperCase() ?? "";
  find("bdi", item).textContent = name;
}
