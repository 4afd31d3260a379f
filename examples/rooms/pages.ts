/**
 * The pages: a fetch handler that `serve` puts behind NATS. The gateway serves no HTML of its own.
 *
 * @module
 */
import type { People } from "./people.ts";
import { MAX_NAME_LENGTH, MAX_TEXT_LENGTH } from "./protocol.ts";
import { toRoomName } from "./room_name.ts";
import { PAST_FOR_NEWCOMERS } from "./rooms.ts";
import type { Transcript } from "./transcript.ts";
// As text, so that the worker needs no permission to read files.
import clientScript from "./assets/client.js" with { type: "text" };
import domScript from "./assets/dom.js" with { type: "text" };
import journalScript from "./assets/journal.js" with { type: "text" };
import logScript from "./assets/log.js" with { type: "text" };
import nameDialogScript from "./assets/name_dialog.js" with { type: "text" };
import peopleScript from "./assets/people.js" with { type: "text" };
import roomScript from "./assets/room.js" with { type: "text" };
import style from "./assets/rooms.css" with { type: "text" };
import icon from "./assets/icon.svg" with { type: "text" };
import startPage from "./pages/start.html" with { type: "text" };
import missingPage from "./pages/missing.html" with { type: "text" };
import roomPage from "./pages/room.html" with { type: "text" };

/** What the pages are made with. */
export interface PagesParts {
  readonly people: People;
  readonly transcript: Transcript;
}

const SCRIPT = "text/javascript; charset=utf-8";
const HTML = "text/html; charset=utf-8";

const ASSETS: Readonly<Record<string, { type: string; text: string }>> = {
  "client.js": { type: SCRIPT, text: clientScript },
  "dom.js": { type: SCRIPT, text: domScript },
  "icon.svg": { type: "image/svg+xml", text: icon },
  "journal.js": { type: SCRIPT, text: journalScript },
  "log.js": { type: SCRIPT, text: logScript },
  "name_dialog.js": { type: SCRIPT, text: nameDialogScript },
  "people.js": { type: SCRIPT, text: peopleScript },
  "room.js": { type: SCRIPT, text: roomScript },
  "rooms.css": { type: "text/css; charset=utf-8", text: style },
};

const LIMITS = { maxText: String(MAX_TEXT_LENGTH), maxName: String(MAX_NAME_LENGTH) };

/** Nothing but our own files, no inline script or style, in nobody's frame. */
const SECURITY: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/**
 * Makes the handler.
 *
 * @param parts What the pages are made with.
 * @returns A fetch handler: `/`, `/<room>`, `/<room>/messages`, `/users` and `/assets/<file>`.
 */
export function createPages(
  { people, transcript }: PagesParts,
): (request: Request) => Promise<Response> {
  return async (request) => {
    if (request.method !== "GET" && request.method !== "HEAD") {
      return respond("Only GET and HEAD here\n", { status: 405, headers: { allow: "GET, HEAD" } });
    }
    const { pathname, searchParams } = new URL(request.url);
    const [first = "", second, ...rest] = pathname.split("/").filter((segment) => segment !== "");
    if (first === "") return start(searchParams.get("room"));
    if (rest.length > 0) return missing();
    if (first === "assets") return asset(second ?? "");
    if (first === "users" && second === undefined) return respond("OK");
    const room = toRoomName(first);
    if (room === undefined) return missing();
    if (room !== first) return redirect(308, pathname.replace(first, room));
    switch (second) {
      case undefined: {
        const client = people.of(request.headers.get("client-id") ?? "").id;
        return respond(render(roomPage, { room, client, ...LIMITS }), { type: HTML });
      }
      case "messages":
        return respond(await history(room), { type: "application/x-ndjson; charset=utf-8" });
      default:
        return missing();
    }
  };

  /** A line of JSON for each message: for curl. */
  async function history(room: string): Promise<string> {
    const messages = await transcript.read(room, undefined);
    return messages.slice(-PAST_FOR_NEWCOMERS).map((m) => `${JSON.stringify(m)}\n`).join("");
  }
}

function start(wanted: string | null): Response {
  if (wanted === null) return respond(startPage, { type: HTML });
  const room = toRoomName(wanted);
  return room === undefined ? missing() : redirect(303, `/${room}`);
}

function asset(name: string): Response {
  const found = Object.hasOwn(ASSETS, name) ? ASSETS[name] : undefined;
  return found === undefined ? missing() : respond(found.text, { type: found.type });
}

function missing(): Response {
  return respond(missingPage, { status: 404, type: HTML });
}

function redirect(status: number, location: string): Response {
  return respond("", { status, headers: { location } });
}

function respond(
  body: string,
  { status = 200, type = "text/plain; charset=utf-8", headers = {} }: {
    status?: number;
    type?: string;
    headers?: Record<string, string>;
  } = {},
): Response {
  return new Response(body, {
    status,
    headers: {
      "content-type": type,
      "cache-control": "private, no-cache",
      ...SECURITY,
      ...headers,
    },
  });
}

/** Fills `{{names}}` in, escaped. */
function render(template: string, values: Readonly<Record<string, string>>): string {
  return template.replace(/\{\{\s*(\w+)\s*\}\}/g, (_, name) => escapeHtml(values[name] ?? ""));
}

function escapeHtml(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
