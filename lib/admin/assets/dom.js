// @ts-check
/// <reference lib="dom" />

/**
 * Finds an element that must be there.
 *
 * @template {Element} [Kind=HTMLElement]
 * @param {string} selector
 * @param {ParentNode} [root]
 * @returns {Kind}
 */
export function find(selector, root = document) {
  const element = root.querySelector(selector);
  if (element === null) throw new Error(`Cannot find "${selector}" in the page`);
  return /** @type {Kind} */ (/** @type {unknown} */ (element));
}

/**
 * Makes an element. What it holds is text or elements, never markup: it comes from anybody.
 *
 * @param {string} selector A tag, and its classes: `"p.note"`.
 * @param {...(string | Node)} children
 * @returns {HTMLElement}
 */
export function make(selector, ...children) {
  const [tag = "div", ...classes] = selector.split(".");
  const element = document.createElement(tag);
  if (classes.length > 0) element.className = classes.join(" ");
  element.append(...children);
  return element;
}

/**
 * Writes a text where it has changed: what is the same stays selected, and is not read out again.
 *
 * @param {Element} element
 * @param {string} text
 */
export function write(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/**
 * Makes the children of an element those of a list, in its order. What was there stays, with its focus and
 * whatever is unfolded.
 *
 * @template Item
 * @param {Element} parent
 * @param {readonly Item[]} items
 * @param {{
 *   key: (item: Item) => string,
 *   create: (item: Item) => HTMLElement,
 *   update: (element: HTMLElement, item: Item) => void,
 * }} how
 */
export function sync(parent, items, { key, create, update }) {
  const before = new Map(
    [...parent.children].map((child) => [/** @type {HTMLElement} */ (child).dataset["key"], child]),
  );
  let place = parent.firstElementChild;
  for (const item of items) {
    const name = key(item);
    let element = /** @type {HTMLElement | undefined} */ (before.get(name));
    before.delete(name);
    if (element === undefined) {
      element = create(item);
      element.dataset["key"] = name;
    }
    update(element, item);
    if (element === place) place = place.nextElementSibling;
    else parent.insertBefore(element, place);
  }
  for (const element of before.values()) element.remove();
}

/**
 * Asks the gateway. Where the session is over, the page comes back as the form.
 *
 * @param {string} path
 * @param {unknown} [body] With it something is to be done.
 * @returns {Promise<any>}
 */
export async function ask(path, body) {
  const response = await fetch(
    path,
    body === undefined ? {} : {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify(body),
    },
  );
  if (response.status === 401) location.reload();
  if (response.status === 204) return undefined;
  const isJson = response.headers.get("content-type")?.startsWith("application/json");
  const answer = isJson ? await response.json() : await response.text();
  if (!response.ok) throw new Error(isJson ? answer.error : answer.trim());
  return answer;
}
