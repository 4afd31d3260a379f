/**
 * Where a request goes: the first route that matches, else the convention.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import type { RequestKind } from "../mapping/headers.ts";
import type { Target } from "../mapping/request.ts";
import type { Route } from "../mapping/route.ts";
import { toHostName } from "../mapping/subject.ts";
import { renderTemplate, type Template, type TemplateValues } from "../mapping/template.ts";
import type { EdgeParts } from "./parts.ts";

/** The route that takes a request, and what the request's path says. */
export interface RouteMatch {
  readonly route: Route;
  readonly params: Readonly<Record<string, string>>;
}

/** What becomes of a request. */
export interface Routed {
  /** Where its messages go. */
  readonly subject: string;
  /** What reaches the connection besides its inbox. */
  readonly subscribe: readonly string[];
  /** Whether a reply is waited for. */
  readonly mode: "request" | "publish";
  /** Whether its messages go into the stream. */
  readonly isPersistent: boolean;
  /** How long a WebSocket client may be away and still resume, in milliseconds; 0 for not at all. */
  readonly windowMs: number;
}

type RoutingParts = Pick<EdgeParts, "config" | "gatewayId" | "persist" | "resume">;

/** What is known of a request that has passed all checks. */
export interface Routable {
  readonly method: string;
  readonly kind: RequestKind;
  readonly target: Target;
  /** Undefined where sessions are off. */
  readonly sessionId: string | undefined;
  /** Undefined for an HTTP request. */
  readonly connectionId: string | undefined;
}

/**
 * Finds the route that takes a request.
 *
 * @param routes In order; the first match wins.
 * @param request What is known of it.
 * @returns The route; undefined for the convention.
 */
export function findRoute(
  routes: readonly Route[],
  { method, kind, target }: Pick<Routable, "method" | "kind" | "target">,
): RouteMatch | undefined {
  if (routes.length === 0) return undefined;
  const isWebSocket = kind === "websocket";
  const host = toHostName(target.authority);
  for (const route of routes) {
    const params = route.match({ host, path: target.path, method, isWebSocket });
    if (params !== undefined) return { route, params };
  }
  return undefined;
}

/**
 * Works out where a request goes.
 *
 * @param match From {@link findRoute}.
 * @param options `request`: what is known of it; `parts`: of the edge.
 * @returns What becomes of it.
 * @throws {GatewayError} when the route's template gives no subject for it, or a stream would answer it.
 */
export function toRouted(
  match: RouteMatch | undefined,
  { request, parts }: { request: Routable; parts: RoutingParts },
): Routed {
  const routed = match === undefined
    ? byConvention(request, parts)
    : byRoute(match, { request, parts });
  const { subject, mode, isPersistent } = routed;
  if (mode === "request" && !isPersistent && parts.persist?.captures(subject)) {
    const detail = "The path leads to a subject that a stream keeps and would answer by itself";
    throw new GatewayError("malformed_request", detail);
  }
  return routed;
}

function byConvention(request: Routable, { config, persist, resume }: RoutingParts): Routed {
  const { subject } = request.target;
  return {
    subject,
    subscribe: toPush(request, config.prefix),
    mode: config.publishOnly ? "publish" : "request",
    isPersistent: request.kind === "websocket" && persist?.captures(subject) === true,
    windowMs: resume === undefined ? 0 : config.resume,
  };
}

function byRoute(
  { route, params }: RouteMatch,
  { request, parts }: { request: Routable; parts: RoutingParts },
): Routed {
  const { config, gatewayId, persist, resume } = parts;
  const { target, kind, method, sessionId, connectionId } = request;
  const isWebSocket = kind === "websocket";
  const builtIn: TemplateValues["builtIn"] = {
    prefix: config.prefix,
    scheme: isWebSocket ? "ws" : "http",
    method: isWebSocket ? "ws" : method,
    "method:lower": isWebSocket ? "ws" : method.toLowerCase(),
    host: target.hostTokens,
    path: target.pathTokens,
    gateway: gatewayId,
    ...(sessionId === undefined ? {} : { session: sessionId }),
    ...(connectionId === undefined ? {} : { connection: connectionId }),
  };
  const render = (template: Template) => renderTemplate(template, { builtIn, params });
  const push = toPush(request, config.prefix);
  return {
    subject: route.subject === undefined ? target.subject : render(route.subject),
    subscribe: [...new Set([...route.subscribe.map(render), ...push])],
    mode: config.publishOnly ? "publish" : route.mode,
    isPersistent: route.persist && persist !== undefined,
    // Without a stream at the start nothing can be kept, whatever a newer configuration says.
    windowMs: resume === undefined ? 0 : route.resumeMs ?? config.resume,
  };
}

/** Where whoever knows a session reaches its WebSockets. */
function toPush({ kind, sessionId }: Routable, prefix: string): string[] {
  return kind === "websocket" && sessionId !== undefined ? [`${prefix}.${sessionId}.push`] : [];
}
