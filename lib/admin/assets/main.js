// @ts-check
/// <reference lib="dom" />
import * as cluster from "./cluster.js";
import { search } from "./connections.js";
import { ask, find, write } from "./dom.js";
import * as explorer from "./explorer.js";
import * as overview from "./overview.js";
import * as tap from "./tap.js";
import { showRoutes } from "./traffic.js";

const VIEWS = ["overview", "routes", "cluster", "connections", "explorer"];
/** Between two tries of somebody whose stream the gateway refuses, in milliseconds. */
const RETRY_MS = 3000;

let isPaused = false;
let latest = /** @type {any} */ (undefined);

/** One stream for all that moves. */
function listen() {
  const stream = new EventSource("/events");
  const on = (/** @type {string} */ type, /** @type {(data: any) => void} */ handle) =>
    stream.addEventListener(type, (event) => handle(JSON.parse(event.data)));
  on("hello", hello);
  on("sample", (tick) => overview.goOn(tick, !isPaused && isShown("overview")));
  on("state", (state) => {
    latest = state;
    if (!isPaused) show();
  });
  on("tap", tap.add);
  on("tap-end", tap.ended);
  stream.onerror = () => {
    setLive("waiting", "Connecting");
    // A stream that was refused is not tried again by itself: perhaps the session is over.
    if (stream.readyState === EventSource.CLOSED) {
      setTimeout(() => void ask("/session").then(listen, listen), RETRY_MS);
    }
  };
}

/** @param {any} data */
function hello(data) {
  setLive("good", "Live");
  write(find("#gateway"), data.gateway);
  write(find("#version"), `· ${data.version}`);
  find("#logout").hidden = !data.hasKey;
  document.title = `h8s gateway ${data.gateway.slice(-4)}`;
  overview.begin(data);
  tap.begin(data);
}

function show() {
  if (latest === undefined) return;
  const ready = find("#ready");
  write(ready, latest.notReady ?? "Ready");
  ready.dataset["state"] = latest.notReady === undefined ? "good" : "bad";
  overview.showErrors(latest.errors);
  showRoutes(latest.routes, latest.bounds);
  cluster.showGateways(latest.gateways);
  cluster.showWorkloads(latest.workloads);
}

/**
 * @param {string} state
 * @param {string} text
 */
function setLive(state, text) {
  const live = find("#live");
  live.dataset["state"] = isPaused && state === "good" ? "waiting" : state;
  write(live, isPaused && state === "good" ? "Paused" : text);
}

/** @param {string} view */
function isShown(view) {
  return !find(`#${view}`).hidden;
}

/** Shows what the address says; so back and forward work, and each view has a link. */
function go() {
  const [name = "", query = ""] = location.hash.slice(1).split("?");
  // The skip link's.
  if (name === "main") return;
  const view = VIEWS.includes(name) ? name : "overview";
  for (const each of VIEWS) find(`#${each}`).hidden = each !== view;
  for (const link of document.querySelectorAll("nav a")) {
    if (link.getAttribute("href") === `#${view}`) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  scrollTo(0, 0);
  if (view === "overview") overview.draw();
  if (view === "connections") void search();
  if (view === "explorer") explorer.open(new URLSearchParams(query));
}

find("#pause").addEventListener("click", () => {
  isPaused = !isPaused;
  find("#pause").setAttribute("aria-pressed", String(isPaused));
  write(find("#pause"), isPaused ? "Go on" : "Pause");
  setLive("good", "Live");
  if (isPaused) return;
  show();
  overview.draw();
});
find("#logout").addEventListener(
  "click",
  () => void ask("/logout", {}).then(() => location.reload()),
);
addEventListener("hashchange", go);
explorer.follow(tap.choose);
go();
listen();
