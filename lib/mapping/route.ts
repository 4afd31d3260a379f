/**
 * Routes: which requests leave the convention, and what becomes of them.
 *
 * @module
 */
import type { CorsKind } from "./cors.ts";
import type { RequestKind } from "./headers.ts";
import { type HostPattern, renderHostPattern, toHostPattern } from "./host_pattern.ts";
import { parsePath, type PathPattern } from "./path_pattern.ts";
import { BUILT_IN_VARIABLES, parseTemplate, type Template, TemplateError } from "./template.ts";

/** What a client must show to come in. */
export type Auth = "none" | "key" | "jwt" | "authorize";

/** A route as it is configured. */
export interface RouteOptions {
  /** Which requests it takes; what is left out matches anything. */
  readonly match: {
    /** A host name, or `*.example.com` for all below it. */
    readonly host?: string | undefined;
    /** A path in the syntax of URLPattern, e.g. `"/:room/:client"`; `/*` at the end takes the path itself, too. */
    readonly path?: string | undefined;
    /** Upper-case methods; `GET` stands for `HEAD` as well. */
    readonly methods?: readonly string[] | undefined;
    /** Only WebSocket handshakes, or only requests that are none. Without it, both. */
    readonly upgrade?: RequestKind | undefined;
  };
  /**
   * Where an HTTP request goes.
   *
   * @default as without a route
   */
  readonly subject?: string | undefined;
  /**
   * Where a WebSocket's messages go.
   *
   * @default as without a route
   */
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
  /**
   * How long the first message of a reply may take, e.g. `"5m"`.
   *
   * @default the `requestTimeout` option
   */
  readonly requestTimeout?: string | undefined;
  /**
   * How long a streamed reply may be quiet, e.g. `"1h"`; `"0s"` for ever.
   *
   * @default the `idleTimeout` option, else the request timeout
   */
  readonly idleTimeout?: string | undefined;
}

/** A route, checked. */
export interface Route {
  /** Host and path as they are configured: what it is called in logs and metrics. */
  readonly pattern: string;
  /** Undefined for any. */
  readonly host: HostPattern | undefined;
  readonly path: PathPattern;
  /** Undefined for any. */
  readonly methods: readonly string[] | undefined;
  readonly mode: "request" | "publish";
  readonly subscribe: readonly Template[];
  /** What becomes of each kind of request; undefined for a kind that it does not take. */
  readonly sides: Readonly<Record<RequestKind, RouteSide | undefined>>;
  /** What a client must show; undefined for what the configuration says. */
  readonly auth: Auth | undefined;
  /** Who answers pages of other origins; undefined for what the configuration says. */
  readonly cors?: CorsKind | undefined;
  /** Exact origins in lower case, `*`, `null`; undefined for what the configuration says. */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** How long its clients may be away and still resume, in milliseconds; undefined: as configured. */
  readonly resumeMs?: number | undefined;
  /** How long the first message of a reply may take, in milliseconds; undefined: as configured. */
  readonly requestTimeoutMs?: number | undefined;
  /** How long a streamed reply may be quiet, in milliseconds, 0 for ever; undefined: as configured. */
  readonly idleTimeoutMs?: number | undefined;
}

/** What becomes of one kind of request. */
export interface RouteSide {
  /** Where messages go; undefined for the convention's subject. */
  readonly subject: Template | undefined;
  /** Whether they go into the stream, if there is one. */
  readonly persist: boolean;
}

/**
 * Checks a route.
 *
 * @throws {TemplateError} when a template, the host or the path cannot be used; the message says which.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseRoute } from "./route.ts";
 *
 * const { sides } = parseRoute({ match: { path: "/:room" }, subject: "rooms.{room}" });
 * assert.equal(sides.http?.subject?.text, "rooms.{room}");
 * assert.ok(sides.websocket !== undefined);
 * ```
 */
export function parseRoute(options: RouteOptions): Route {
  const { host, path: pathText = "*", methods, upgrade } = options.match;
  const path = parsePath(pathText);
  const { params } = path;
  checkParams(params);
  checkSides(options);
  const parse = (label: "subject" | "publish") => {
    const text = options[label];
    if (text === undefined) return undefined;
    return at([label], () => parseTemplate(text, { params, wildcards: false }));
  };
  const { mode = "request", persist, auth, subscribe = [] } = options;
  return {
    pattern: (host ?? "") + pathText,
    host: host === undefined ? undefined : toHost(host),
    path,
    methods: methods && withHead(methods),
    mode,
    auth,
    subscribe: subscribe.map((text, index) =>
      at(["subscribe", index], () => parseTemplate(text, { params, wildcards: true }))
    ),
    sides: {
      http: upgrade === "websocket"
        ? undefined
        : { subject: parse("subject"), persist: persist ?? false },
      websocket: upgrade === "http"
        ? undefined
        : { subject: parse("publish"), persist: persist ?? true },
    },
  };
}

/**
 * Which requests a route takes, in one line.
 *
 * @param route From {@link parseRoute}.
 * @returns Methods, host and path, `*` for any; and `ws` for WebSockets alone, `http` for all others.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { parseRoute, renderMatch } from "./route.ts";
 *
 * const match = { methods: ["GET"], host: "shop.example", path: "/cart/:id" };
 * assert.equal(renderMatch(parseRoute({ match })), "GET,HEAD shop.example/cart/:id");
 * ```
 */
export function renderMatch({ host, path, methods, sides }: Route): string {
  const kind = sides.http === undefined ? "ws " : sides.websocket === undefined ? "http " : "";
  const where = host === undefined ? "*" : renderHostPattern(host);
  return `${kind}${methods?.join() ?? "*"} ${where}${path.text === "*" ? "/*" : path.text}`;
}

/** What a GET tells, a HEAD tells of (RFC 9110 9.3.2): whoever guards one guards the other. */
function withHead(methods: readonly string[]): readonly string[] {
  return methods.includes("GET") ? [...new Set([...methods, "HEAD"])] : methods;
}

/** `{session}` in a template would be what a client says that it is. */
function checkParams(params: readonly string[]): void {
  const taken = params.find((name) => (BUILT_IN_VARIABLES as readonly string[]).includes(name));
  if (taken === undefined) return;
  throw new TemplateError(`expected another name for :${taken}; {${taken}} is the gateway's own`, {
    path: ["match", "path"],
  });
}

function checkSides(
  { match: { upgrade }, subject, publish, subscribe, persist, mode }: RouteOptions,
): void {
  if (upgrade === "websocket" && subject !== undefined) {
    throw new TemplateError("a WebSocket route has publish and subscribe, not subject", {
      path: ["subject"],
    });
  }
  if (upgrade === "http" && (publish ?? subscribe?.[0]) !== undefined) {
    throw new TemplateError("an HTTP route has subject, not publish and subscribe", {
      path: [publish === undefined ? "subscribe" : "publish"],
    });
  }
  // A stream would answer a request by itself; and all of them on the convention's subjects.
  const canPersist = upgrade === "websocket" || (mode === "publish" && subject !== undefined);
  if (persist && !canPersist) {
    const hint = upgrade === undefined ? ", or upgrade: websocket" : "";
    throw new TemplateError(
      `an HTTP route that persists needs mode: publish and a subject of its own${hint}`,
      { path: ["persist"] },
    );
  }
}

function toHost(text: string): HostPattern {
  try {
    return toHostPattern(text);
  } catch (cause) {
    throw new TemplateError(`expected a host such as example.com or *.example.com`, {
      cause,
      path: ["match", "host"],
    });
  }
}

function at(path: readonly (string | number)[], parse: () => Template): Template {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    throw new TemplateError(`expected a subject, found ${error.message}`, { path });
  }
}
