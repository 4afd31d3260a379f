/**
 * Routes: which requests leave the convention, and what becomes of them.
 *
 * @module
 */
import type { CorsKind } from "./cors.ts";
import { parseTemplate, type Template, TemplateError } from "./template.ts";

/** What a client must show to come in. */
export type Auth = "none" | "key" | "jwt" | "authorize";

/** A route as it is configured. */
export interface RouteOptions {
  /** Which requests it takes; what is left out matches anything. */
  readonly match: {
    /** A host name, or `*.example.com` for all below it. */
    readonly host?: string | undefined;
    /** A path in the syntax of URLPattern, e.g. `"/:room/:client"`. */
    readonly path?: string | undefined;
    /** Upper-case methods. */
    readonly methods?: readonly string[] | undefined;
    /** Only WebSocket handshakes. Without it, only requests that are none. */
    readonly upgrade?: "websocket" | undefined;
  };
  /** Where an HTTP request goes. */
  readonly subject?: string | undefined;
  /** Where a WebSocket's messages go. */
  readonly publish?: string | undefined;
  /** What reaches a WebSocket besides its inbox. */
  readonly subscribe?: readonly string[] | undefined;
  /**
   * `request` waits for a reply, `publish` does not: an HTTP request is answered 200 at once, and
   * messages have no NATS reply subject, so that a stream that captures them acknowledges to nobody.
   *
   * @default "request"
   */
  readonly mode?: "request" | "publish" | undefined;
  /**
   * Messages go into the stream of the `persist` option. An HTTP request is then answered 202 when the
   * stream has it; it needs `mode: publish` and a `subject` of its own.
   *
   * @default true for WebSockets, false for HTTP; nothing where no stream is named
   */
  readonly persist?: boolean | undefined;
  /**
   * What a client must show: nothing, a key, a token, or whatever a workload asks for.
   *
   * @default the `auth` option
   */
  readonly auth?: Auth | undefined;
  /**
   * Who answers pages of other origins.
   *
   * @default the `cors` option
   */
  readonly cors?: CorsKind | undefined;
  /**
   * Origins whose pages may ask, and read the answers.
   *
   * @default the `allowedOrigins` option
   */
  readonly allowedOrigins?: readonly string[] | undefined;
  /**
   * How long a WebSocket client may be away and still resume, e.g. `"60s"`.
   *
   * @default the `resume` option
   */
  readonly resume?: string | undefined;
}

/** A route, checked. */
export interface Route {
  readonly mode: "request" | "publish";
  /** Where messages go; undefined for the convention's subject. */
  readonly subject: Template | undefined;
  readonly subscribe: readonly Template[];
  readonly isWebSocket: boolean;
  /** Whether its messages go into the stream, if there is one. */
  readonly persist: boolean;
  /** What a client must show; undefined for what the configuration says. */
  readonly auth: Auth | undefined;
  /** Who answers pages of other origins; undefined for what the configuration says. */
  readonly cors?: CorsKind | undefined;
  /** Exact origins in lower case, `*`, `null`; undefined for what the configuration says. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** How long its clients may be away and still resume, in milliseconds; undefined: as configured. */
  readonly resumeMs?: number | undefined;
  /**
   * Says whether it takes a request.
   *
   * @param request What is known of it.
   * @returns The path's parameters, decoded; undefined when it does not match.
   */
  match(request: RouteRequest): Readonly<Record<string, string>> | undefined;
}

/** What a route looks at. */
export interface RouteRequest {
  /** A bare host in lower case. */
  readonly host: string;
  /** As the client sent it. */
  readonly path: string;
  readonly method: string;
  readonly isWebSocket: boolean;
}

/**
 * Checks a route.
 *
 * @param options As configured.
 * @returns The route.
 * @throws {TemplateError} when a template or the path cannot be used; the message says which.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseRoute } from "./route.ts";
 *
 * const route = parseRoute({ match: { path: "/:room", methods: ["GET"] }, subject: "rooms.{room}" });
 * const request = { host: "example.com", path: "/a%20b", method: "GET", isWebSocket: false };
 * assert.deepEqual(route.match(request), { room: "a b" });
 * ```
 */
export function parseRoute(options: RouteOptions): Route {
  const { host, path = "*", methods, upgrade } = options.match;
  const isWebSocket = upgrade === "websocket";
  const pattern = toPattern(path);
  const params = [...path.matchAll(/:([A-Za-z_]\w*)/g)].map(([, name]) => name!);
  const where = isWebSocket ? "publish" : "subject";
  const unused = isWebSocket ? options.subject : options.publish ?? options.subscribe?.[0];
  if (unused !== undefined) {
    const why = isWebSocket ? "publish and subscribe, not subject" : "subject";
    throw new TemplateError(`a ${isWebSocket ? "WebSocket" : "HTTP"} route has ${why}`, {
      path: [isWebSocket ? "subject" : options.publish === undefined ? "subscribe" : "publish"],
    });
  }
  // A stream would answer a request by itself; and all of them on the convention's subjects.
  if (options.persist && !isWebSocket && (options.mode !== "publish" || !options.subject)) {
    throw new TemplateError(
      "an HTTP route that persists needs mode: publish and a subject of its own",
      {
        path: ["persist"],
      },
    );
  }
  return {
    mode: options.mode ?? "request",
    subject: options[where] === undefined
      ? undefined
      : at([where], () => parseTemplate(options[where]!, { params, wildcards: false })),
    isWebSocket,
    persist: options.persist ?? isWebSocket,
    auth: options.auth,
    subscribe: (options.subscribe ?? []).map((text, index) =>
      at(["subscribe", index], () => parseTemplate(text, { params, wildcards: true }))
    ),
    match(request) {
      if (request.isWebSocket !== isWebSocket) return undefined;
      if (methods !== undefined && !methods.includes(request.method)) return undefined;
      if (host !== undefined && !isHostMatch(host.toLowerCase(), request.host)) return undefined;
      return matchPath(pattern, request.path);
    },
  };
}

/**
 * Says whether a host is meant by a filter.
 *
 * @param filter A name, or `*.example.com` for all below it, in lower case.
 * @param host A bare host in lower case.
 * @returns True when it is.
 */
export function isHostMatch(filter: string, host: string): boolean {
  if (filter.startsWith("*.")) {
    return host.endsWith(filter.slice(1)) && host.length >= filter.length;
  }
  return filter === host;
}

function toPattern(path: string): URLPattern {
  try {
    return new URLPattern({ pathname: path });
  } catch (cause) {
    throw new TemplateError(`the path "${path}" is no URLPattern`, {
      cause,
      path: ["match", "path"],
    });
  }
}

function matchPath(pattern: URLPattern, path: string): Record<string, string> | undefined {
  const groups = pattern.exec({ pathname: path })?.pathname.groups;
  if (groups === undefined) return undefined;
  const params: Record<string, string> = {};
  for (const [name, value] of Object.entries(groups)) params[name] = decode(value ?? "");
  return params;
}

/** Malformed encodings never come here: the shape of the request was checked before. */
function decode(text: string): string {
  return decodeURIComponent(text);
}

function at(path: readonly (string | number)[], parse: () => Template): Template {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new TemplateError(`expected a subject, found ${error.message}`, { path });
  }
}
