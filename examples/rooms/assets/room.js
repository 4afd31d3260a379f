// @ts-check
/// <reference lib="dom" />
/** @import { Frame, Person } from "../protocol.ts" */
import { connect } from "./client.js";
import { find } from "./dom.js";
import { Journal } from "./journal.js";
import { Log } from "./log.js";
import { NameDialog } from "./name_dialog.js";
import { People } from "./people.js";

/** How long a message may be on its way to us after others have heard of it, in milliseconds. */
const LATENESS_MS = 2000;
/** The room is told who is here every ten seconds. Nothing for so long: something is broken. */
const SILENCE_MS = 35_000;
/** How long the worker may take to welcome us before we speak of it, in milliseconds. */
const PATIENCE_MS = 3000;

const { room = "", client = "" } = document.body.dataset;
const status = find("#status");
const retry = find("#retry");
const text = /** @type {HTMLTextAreaElement} */ (find("#text"));
const journal = new Journal();
const log = new Log();
const people = new People();
const nameDialog = new NameDialog();
/** @type {Person} */
let me = { id: client, name: "" };
/** @type {ReturnType<typeof setTimeout> | undefined} */
let patience;

/** @type {ReturnType<typeof setTimeout> | undefined} */
let silence;

// Acknowledged, or not at all: a message that may be lost is not shown as sent. What was said before the worker
// tells by itself; see `journal.js`.
const connection = connect(
  () => {
    const url = new URL(`/${room}/${me.id}`, location.href);
    if (journal.after > 0) {
      url.searchParams.set("after", String(journal.after));
      url.searchParams.set("transcript", journal.transcript);
    }
    return url;
  },
  { ack: true, resume: false, retryMs: 300, maxRetryMs: 5000 },
);

connection.on("message", ({ data }) => {
  listenForSilence();
  onFrame(JSON.parse(String(data)));
});

connection.on("state", ({ name }) => {
  clearTimeout(patience);
  clearTimeout(silence);
  retry.hidden = name !== "waiting";
  switch (name) {
    case "open":
      listenForSilence();
      patience = setTimeout(() => {
        status.textContent = "The room does not answer yet. What you write is kept for it.";
      }, PATIENCE_MS);
      return;
    case "waiting":
      status.textContent = "Connection lost. Trying again …";
      return;
    case "closed":
      status.textContent = "The room is closed. Load the page again to come back.";
  }
});

find("#composer").addEventListener("submit", (event) => {
  event.preventDefault();
  const saying = { id: createId(), text: text.value.trim() };
  if (saying.text === "") return;
  log.send(saying, me);
  connection.send(saying).then(
    () => log.keep(saying.id),
    (error) => log.refuse(saying.id, error.message),
  );
  text.value = "";
});

text.addEventListener("keydown", (event) => {
  if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
  event.preventDefault();
  text.form?.requestSubmit();
});

find("#rename").addEventListener("click", () => nameDialog.open(me.name));
retry.addEventListener("click", () => connection.wake());

/** @param {Frame} frame */
function onFrame(frame) {
  switch (frame.type) {
    case "welcome":
      if (journal.begin(frame.transcript)) log.clear();
      return setMe(frame.you);
    case "past":
      if (frame.hasGap) log.addGap(journal.after);
      log.add(journal.past(frame.messages, frame.isLast), me);
      return frame.isLast ? onCaughtUp() : undefined;
    case "said":
      return journal.said(frame.message) ? log.add([frame.message], me) : undefined;
    case "here":
      people.show(frame.people, me);
      return checkForMissing(frame.lastSeq);
    case "named":
      nameDialog.accepted();
      return setMe(frame.you);
    case "refused":
      if (frame.what === "name") nameDialog.refused(frame.reason);
      else log.refuse(frame.id, frame.reason);
  }
}

function onCaughtUp() {
  clearTimeout(patience);
  status.textContent = "";
  log.ready();
}

/**
 * A message may get lost between the worker and us while our WebSocket stays open: then a new one,
 * and with it the past, has it.
 *
 * @param {number} lastSeq
 */
function checkForMissing(lastSeq) {
  if (!journal.isCaughtUp || journal.after >= lastSeq) return;
  setTimeout(() => {
    if (journal.isCaughtUp && journal.after < lastSeq) connection.reconnect();
  }, LATENESS_MS);
}

/** The gateway may be there while the room is not heard. */
function listenForSilence() {
  clearTimeout(silence);
  silence = setTimeout(() => connection.reconnect(), SILENCE_MS);
}

/** @param {Person} person */
function setMe(person) {
  me = person;
  find("#you").textContent = person.name;
}

/** Not `crypto.randomUUID()`: only `https:` and `localhost` have that. */
function createId() {
  const bytes = crypto.getRandomValues(new Uint8Array(12));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}
