/**
 * `h8s subject URL`: what becomes of a request.
 *
 * @module
 */
import { domainToASCII } from "node:url";
import { UsageError } from "../config/flag_table.ts";
import type { Question } from "../config/questions.ts";
import type { GatewayConfig } from "../config/schema.ts";
import { explain, type Explanation, type SampleRequest } from "../edge/explain.ts";
import { type Interest, renderInterest } from "../mapping/interest.ts";
import { toVisible } from "../mapping/masking.ts";
import type { Terminal } from "./terminal.ts";

const SIGNS = { passes: "ok", refuses: "refused", asks: "asks" } as const;

/**
 * Explains a request.
 *
 * @param options The configuration, who has registered where that is known, and where the answer goes.
 */
export function tellSubject(
  { operands: [url = ""], options }: Extract<Question, { name: "subject" }>,
  { config, interests, terminal }: {
    config: GatewayConfig;
    interests: readonly Interest[] | undefined;
    terminal: Terminal;
  },
): number {
  const { method, upgrade, origin, json } = options;
  const request = toRequest(url, { method, upgrade, origin });
  const explanation = explain(request, { config, interests });
  const isRefused = explanation.subject === undefined;
  if (json) terminal.json(explanation);
  else render(explanation, terminal);
  return isRefused ? 1 : 0;
}

/**
 * A request as one would type it.
 *
 * @param text A URL; without a scheme it is http, `ws:` and `wss:` are a WebSocket's handshake.
 * @throws {UsageError} when it is no URL.
 */
export function toRequest(
  text: string,
  { method = "GET", upgrade = false, origin }: {
    method?: string;
    upgrade?: boolean;
    origin?: string | undefined;
  } = {},
): SampleRequest {
  const parts = /^(?:(https?|wss?):\/\/)?(?:[^/?#@]*@)?([^/?#]+)([^]*)$/i.exec(text);
  // What is taken for an authority then is another scheme.
  if (parts === null || parts[3]?.startsWith("//") && parts[2]?.endsWith(":")) {
    throw new UsageError(
      `Cannot use ${JSON.stringify(text)}: expected a URL such as https://shop.example/cart/7`,
    );
  }
  const [, scheme = "http", authority = "", rest = ""] = parts;
  const isWebSocket = upgrade || /^ws/i.test(scheme);
  const protocol = /^(https|wss)$/i.test(scheme) ? "https" : "http";
  // deno-lint-ignore no-control-regex -- whatever is not ASCII is a name as people write it
  const isAscii = /^[\x00-\x7f]*$/.test(authority);
  const [host = "", port] = isAscii ? [authority] : authority.split(":");
  const asked = isAscii ? host : domainToASCII(host) + (port === undefined ? "" : `:${port}`);
  return {
    ...{ method, origin },
    url: `${protocol}://${asked}${rest}`,
    kind: isWebSocket ? "websocket" : "http",
  };
}

function toModeText({ kind, mode, isPersistent }: Explanation): string {
  const text = kind === "websocket"
    ? "each message is published"
    : mode === "request"
    ? "a reply is waited for"
    : "no reply is waited for";
  return isPersistent ? `${text}, into the stream` : text;
}

function render(explanation: Explanation, terminal: Terminal): void {
  const { paint } = terminal;
  const { subject, uploadSubject, subscribe, hostTokens, pathTokens, route, mode } = explanation;
  const row = (name: string, text: string | undefined) => {
    if (text !== undefined) terminal.line(`${paint.bold(name.padEnd(10))} ${toVisible(text)}`);
  };
  row("subject", subject);
  row("upload", uploadSubject);
  for (const heard of subscribe) row("hears", heard);
  row("host", hostTokens);
  row("path", pathTokens === "" ? "(the root)" : pathTokens);
  row("route", route === undefined ? "none: the convention" : `#${route.index} ${route.match}`);
  for (const [name, value] of Object.entries(route?.params ?? {})) row("", `:${name} = ${value}`);
  if (mode !== undefined) row("mode", toModeText(explanation));
  for (const { check, verdict, text, status } of explanation.checks) {
    const sign = { passes: paint.green, refuses: paint.red, asks: paint.yellow }[verdict];
    const what = status === undefined ? text : `${status}: ${text}`;
    terminal.line(
      `${paint.bold(check.padEnd(10))} ${sign(SIGNS[verdict].padEnd(7))} ${toVisible(what)}`,
    );
  }
  for (const { host, path, isAsked, route, auth } of explanation.readings) {
    if (isAsked) continue;
    row(
      "also",
      `${host}${path} has this subject: route #${route.index} ${route.match} asks ${auth}`,
    );
  }
  if (explanation.listeners === undefined) return;
  for (const interest of explanation.listeners) row("listens", renderInterest(interest));
  if (explanation.listeners.length === 0) row("listens", "nobody has registered for it");
}
