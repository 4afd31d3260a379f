/**
 * The admin address: health and metrics for machines, and a page for people.
 *
 * @module
 */
import type { Access, AccessDenied } from "./access.ts";
import { respond, respondAsset, respondLogin, respondPage } from "./assets.ts";
import { type Answers, BadQuestion } from "./answers.ts";

/** Larger than a key, a question or an order can be. */
const MAX_BODY_BYTES = 16_384;
const JSON_TYPE = "application/json; charset=utf-8";

/** What the address consists of. */
export interface AdminParts {
  /** Answers `/healthz`, `/readyz` and `/metrics`, which are open to all. */
  readonly health: (request: Request) => Promise<Response>;
  readonly access: Access;
  readonly answers: Answers;
}

/**
 * Makes the handler of the admin address.
 *
 * @returns A handler for `Deno.serve`.
 */
export function createAdminHandler(
  { health, access, answers }: AdminParts,
): (request: Request, info: { readonly remoteAddr: Deno.Addr }) => Promise<Response> {
  return async (request, { remoteAddr }) => {
    // The platform makes it of a host that may be none.
    const pathname = URL.parse(request.url)?.pathname;
    if (pathname === undefined) return respond("That is no host\n", { status: 400 });
    if (["/healthz", "/readyz", "/metrics"].includes(pathname)) {
      return isReading(request) ? await health(request) : notAllowed("GET, HEAD");
    }
    const denied = access.refuse(request, toHostname(remoteAddr));
    if (denied?.status === 403) return refuse(denied);
    if (pathname.startsWith("/assets/")) return respondAsset(pathname.slice("/assets/".length));
    if (pathname === "/login" && request.method === "POST") return await logIn(request, access);
    if (denied !== undefined) return pathname === "/" ? respondLogin(false) : refuse(denied);
    if (isReading(request)) {
      return pathname === "/" ? respondPage() : await answer(() => answers.get(request));
    }
    if (request.method === "POST") return await change(request, { access, answers });
    return notAllowed("GET, HEAD, POST");
  };
}

function isReading({ method }: Request): boolean {
  return method === "GET" || method === "HEAD";
}

function notAllowed(allow: string): Response {
  return respond(`Only ${allow} here\n`, { status: 405, headers: { allow } });
}

async function logIn(request: Request, access: Access): Promise<Response> {
  const denied = access.refuseChange(request);
  if (denied !== undefined) return refuse(denied);
  const form = new URLSearchParams(await readText(request) ?? "");
  const cookie = access.logIn(form.get("key") ?? "", request);
  if (cookie === undefined) return respondLogin(true);
  return respond(null, { status: 303, headers: { location: "/", "set-cookie": cookie } });
}

/** The type is one that no form can have, so that a browser asks first and then does not send it. */
async function change(
  request: Request,
  { access, answers }: Pick<AdminParts, "access" | "answers">,
): Promise<Response> {
  const denied = access.refuseChange(request);
  if (denied !== undefined) return refuse(denied);
  const { pathname } = new URL(request.url);
  if (!/^application\/json\b/i.test(request.headers.get("content-type") ?? "")) {
    return respond("Content-Type has to be application/json\n", { status: 415 });
  }
  if (pathname === "/logout") {
    return respond(null, { status: 204, headers: { "set-cookie": access.logOut() } });
  }
  const text = await readText(request);
  if (text === undefined) return respond("That is too large\n", { status: 413 });
  return await answer(() => answers.post(pathname, parseObject(text)));
}

/** What an answer gives becomes JSON; the event stream is a response already. */
async function answer(ask: () => unknown): Promise<Response> {
  try {
    const given = await ask();
    if (given === undefined) return respond("There is nothing here\n", { status: 404 });
    if (!(given instanceof Response)) return respond(JSON.stringify(given), { type: JSON_TYPE });
    const { body, status, headers } = given;
    const type = headers.get("content-type") ?? "text/plain";
    return respond(body, { status, type, headers: { "x-accel-buffering": "no" } });
  } catch (error) {
    if (!(error instanceof BadQuestion)) throw error;
    return respond(JSON.stringify({ error: error.message }), { status: 400, type: JSON_TYPE });
  }
}

function parseObject(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {
    // Told below.
  }
  throw new BadQuestion("Cannot read the request: expected a JSON object");
}

/** Undefined for more than anything that is meant can have, and for what breaks off: nobody reads the answer. */
async function readText(request: Request): Promise<string | undefined> {
  if (request.body === null) return "";
  const decoder = new TextDecoder();
  let text = "";
  try {
    for await (const chunk of request.body) {
      text += decoder.decode(chunk, { stream: true });
      if (text.length > MAX_BODY_BYTES) return undefined;
    }
  } catch {
    return undefined;
  }
  return text + decoder.decode();
}

function refuse({ status, reason }: AccessDenied): Response {
  const headers: Record<string, string> = status === 401
    ? { "www-authenticate": 'Bearer realm="h8s"' }
    : {};
  return respond(`${reason}\n`, { status, headers });
}

function toHostname(address: Deno.Addr): string {
  return "hostname" in address ? address.hostname : "";
}
