// @ts-check
/// <reference lib="dom" />
import { ask, find, make, write } from "./dom.js";
import { toBytes, toTime } from "./format.js";

/** @typedef {import("../../mapping/tap.ts").TapHead} TapHead */

/** More than fits on a screen. */
const MOST = 100;

const button = /** @type {HTMLButtonElement} */ (find("#tap-toggle"));
let viewer = "";
let isAllowed = false;
let isOn = false;
let question = /** @type {Record<string, string> | undefined} */ (undefined);
let count = 0;

button.addEventListener("click", () => void toggle());

/**
 * Begins anew: the stream that was watched is over.
 *
 * @param {{ viewer: string, isTapAllowed: boolean }} hello
 */
export function begin({ viewer: id, isTapAllowed }) {
  viewer = id;
  isAllowed = isTapAllowed;
  isOn = false;
  show();
}

/**
 * What would be watched.
 *
 * @param {Record<string, string> | undefined} asked
 */
export function choose(asked) {
  const isOther = JSON.stringify(asked) !== JSON.stringify(question);
  question = asked;
  if (isOther && isOn) void stop();
  show();
}

/**
 * Shows what has passed.
 *
 * @param {{ heads: TapHead[], missed: number }} passed
 */
export function add({ heads, missed }) {
  if (!isOn) return;
  count += heads.length + missed;
  const list = find("#tap");
  list.prepend(...heads.toReversed().map(toItem));
  while (list.children.length > MOST) list.lastElementChild?.remove();
  write(find("#tap-count"), String(count));
}

/**
 * The gateway has ended it.
 *
 * @param {{ reason: string }} end
 */
export function ended({ reason }) {
  isOn = false;
  show();
  write(find("#tap-note"), reason);
}

async function toggle() {
  if (isOn) return await stop();
  try {
    const { subject } = await ask("/tap", { viewer, ...question });
    isOn = true;
    count = 0;
    find("#tap").replaceChildren();
    show();
    write(find("#tap-note"), `Watching ${subject}. Heads only, secrets masked.`);
  } catch (error) {
    write(find("#tap-note"), error instanceof Error ? error.message : String(error));
  }
}

async function stop() {
  isOn = false;
  show();
  await ask("/tap/end", { viewer });
}

function show() {
  button.disabled = !isAllowed || question === undefined;
  button.setAttribute("aria-pressed", String(isOn));
  write(button, isOn ? "Stop" : "Watch");
  if (isOn) return;
  write(
    find("#tap-note"),
    !isAllowed
      ? "Switched off: start the gateway with --admin-tap to watch the heads of messages here."
      : question === undefined
      ? "Type a URL, then watch the heads of the messages that go there."
      : "Watch the heads of the messages that go there. Bodies are never shown.",
  );
}

/** @param {TapHead} head */
function toItem({ at, subject, headers, size }) {
  const lines = headers.map(([name, value]) =>
    make("div", make("dt", name), make("dd.mono", value))
  );
  return make(
    "li",
    make(
      "details",
      make(
        "summary",
        make("span.note.mono", toTime(at)),
        make("span.mono.subject", subject),
        make("span.note", toBytes(size)),
      ),
      make("dl.facts", ...lines),
    ),
  );
}
