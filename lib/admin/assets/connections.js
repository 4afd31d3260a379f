// @ts-check
/// <reference lib="dom" />
import { ask, find, make, sync, write } from "./dom.js";
import { toAgo } from "./format.js";

/** @typedef {import("../../nats/asking/connections.ts").HeldConnection} HeldConnection */

const form = /** @type {HTMLFormElement} */ (find("#search"));
const dialog = /** @type {HTMLDialogElement} */ (find("#closing"));
const closeForm = /** @type {HTMLFormElement} */ (find("#close-form"));
let chosen = /** @type {HeldConnection | undefined} */ (undefined);

form.addEventListener("submit", (event) => {
  event.preventDefault();
  void search();
});
find("#close-cancel").addEventListener("click", () => dialog.close());
closeForm.addEventListener("submit", (event) => {
  event.preventDefault();
  void close();
});

/** Asks all gateways. */
export async function search() {
  const query = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (value !== "") query.set(name, String(value));
  write(find("#found"), "Asking all gateways …");
  try {
    const { connections, isPartial } = await ask(`/connections?${query}`);
    const count = `${connections.length} ${
      connections.length === 1 ? "connection" : "connections"
    }`;
    write(find("#found"), isPartial ? `${count}, and there are more: narrow the search` : count);
    show(connections);
  } catch (error) {
    write(find("#found"), error instanceof Error ? error.message : String(error));
  }
}

/** @param {readonly HeldConnection[]} connections */
function show(connections) {
  sync(find("#connection-rows"), connections, {
    key: ({ id }) => id,
    create: (connection) => {
      const { host, path, query, protocol, remote, session, since, gateway, subject } = connection;
      const button = make("button.quiet", "Close");
      button.setAttribute("aria-label", `Close the connection of ${remote} to ${host}${path}`);
      button.addEventListener("click", () => open(connection));
      const url = `${host}${path}${query === "" ? "" : `?${query}`}`;
      return make(
        "tr",
        make(
          "td",
          make("div.mono.strong.wrap", url),
          make("div.note.mono.wrap", subject),
          protocol === "" ? "" : make("div.tags", make("span.tag", protocol)),
        ),
        make("td", make("div.mono", remote), make("div.note.mono.minor", gateway)),
        make("td.minor.mono.wrap", session ?? "–"),
        make("td.minor", toAgo(Date.parse(since)).replace(" ago", "")),
        make("td.number", button),
      );
    },
    update: () => {},
  });
}

/** @param {HeldConnection} connection */
function open(connection) {
  chosen = connection;
  write(find("#closing-what"), `${connection.host}${connection.path}, of ${connection.remote}`);
  find("#close-wrong").hidden = true;
  dialog.showModal();
}

async function close() {
  const connection = chosen;
  if (connection === undefined) return;
  const data = new FormData(closeForm);
  const order = { code: Number(data.get("code")), reason: String(data.get("reason")) };
  try {
    await ask("/connections/close", { inbox: connection.inbox, ...order });
    dialog.close();
    for (const row of find("#connection-rows").children) {
      if (/** @type {HTMLElement} */ (row).dataset["key"] === connection.id) row.remove();
    }
    write(
      find("#found"),
      `The connection of ${connection.remote} was told to close with ${order.code}`,
    );
  } catch (error) {
    write(find("#close-wrong"), error instanceof Error ? error.message : String(error));
    find("#close-wrong").hidden = false;
  }
}
