/**
 * Where a request goes: the first route that matches, else the convention.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import type { RequestKind } from "../../mapping/headers.ts";
import { toConventional } from "../../mapping/conventional.ts";
import { toPushTokens } from "../../mapping/names.ts";
import type { Target } from "../../mapping/request.ts";
import type { Route } from "../../mapping/route.ts";
import type { Decision, Demands, RouteMatch } from "../../mapping/route_table.ts";
import { renderTemplate, type Template, type TemplateValues } from "../../mapping/template.ts";
import type { Persist } from "../../nats/jetstream/persist.ts";
import type { Rules } from "./rules.ts";
import type { EdgeParts } from "../parts.ts";
import type { Subject } from "../../mapping/subject.ts";
import type { GatewayConfig } from "../../config/schema.ts";

const NONE: readonly string[] = [];

/** What becomes of a request. */
export interface Routed {
  /** Where its messages go. */
  readonly subject: Subject;
  /** What reaches the connection besides its inbox. */
  readonly subscribe: readonly string[];
  /** Whether a reply is waited for. */
  readonly mode: "request" | "publish";
  /** Whether its messages go into the stream. */
  readonly isPersistent: boolean;
  /** How long a WebSocket client may be away and still resume, in milliseconds; 0 for not at all. */
  readonly windowMs: number;
  /** How long a workload may take until the first message of its reply, in milliseconds. */
  readonly replyMs: number;
  /** And from one message of a stream to the next; infinite where it may be quiet. */
  readonly idleMs: number;
}

/** What of the gateway has a say in it. */
export interface RoutingParts extends Pick<EdgeParts, "config" | "gatewayId"> {
  readonly persist: Pick<Persist, "captures"> | undefined;
  /** Present where WebSockets can be resumed. */
  readonly resume: object | undefined;
}

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
 * Works out where a request goes.
 *
 * @param decision What its route is, and what its client has shown.
 * @param options `request`: what is known of it; `rules`: of all routes; `parts`: of the edge.
 * @throws {GatewayError} when the route's template gives no subject for it, or one that asks for more than
 * was shown, or when a stream would answer it.
 */
export function toRouted(
  decision: Decision,
  { request, rules, parts }: { request: Routable; rules: Rules; parts: RoutingParts },
): Routed {
  const { match, demands: shown } = decision;
  const routed = match === undefined
    ? byConvention(request, parts)
    : byRoute(match, { request, shown, rules, parts });
  const { subject, mode, isPersistent } = routed;
  if (subject !== request.target.subject) {
    checkDemands(subject, { shown, rules, request, parts });
  }
  if (mode === "request" && !isPersistent && parts.persist?.captures(subject)) {
    const detail = "The path leads to a subject that a stream keeps and would answer by itself";
    throw new GatewayError("malformed_request", detail);
  }
  return routed;
}

function byConvention(request: Routable, parts: RoutingParts): Routed {
  const { persist, resume } = parts;
  const config = parts.config();
  const { subject } = request.target;
  const { replyMs, idleMs } = toTimeouts(config);
  return {
    subject,
    subscribe: toPush(request, config.prefix),
    mode: config.publishOnly ? "publish" : "request",
    isPersistent: request.kind === "websocket" && persist?.captures(subject) === true,
    windowMs: resume === undefined ? 0 : config.resume,
    replyMs,
    idleMs,
  };
}

function byRoute(
  { route, params }: RouteMatch,
  { request, shown, rules: { guards, hasSessions }, parts }: {
    request: Routable;
    shown: Demands;
    rules: Rules;
    parts: RoutingParts;
  },
): Routed {
  const { gatewayId, persist, resume } = parts;
  const config = parts.config();
  const { target, kind, method, sessionId, connectionId } = request;
  const isWebSocket = kind === "websocket";
  const side = route.sides[kind];
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
  const values = { builtIn, params, hasSessions };
  const render = (template: Template) => {
    const subject = renderTemplate(template, values);
    if (guards.keepOut(subject, { template, shown })) throw asksForMore();
    return subject;
  };
  const push = toPush(request, config.prefix);
  const subject = side?.subject === undefined ? target.subject : render(side.subject);
  const isKept = side?.persist === true &&
    (side.subject === undefined ? persist?.captures(subject) === true : persist !== undefined);
  return {
    subject,
    subscribe: isWebSocket ? [...new Set([...route.subscribe.map(render), ...push])] : [],
    mode: config.publishOnly ? "publish" : route.mode,
    isPersistent: isKept,
    // Without a stream at the start nothing can be kept, whatever a newer configuration says.
    windowMs: resume === undefined ? 0 : route.resumeMs ?? config.resume,
    ...toTimeouts(config, route),
  };
}

/**
 * What decides is what a request becomes: a route's subject that is the convention's for some path asks for
 * what that path asks for.
 */
function checkDemands(
  subject: string,
  { shown, rules: { table }, request: { kind }, parts: { config } }: {
    shown: Demands;
    rules: Rules;
    request: Routable;
    parts: RoutingParts;
  },
): void {
  const isShown = toConventional(subject, { prefix: config().prefix, kind }).every((
    { tokens, ...query },
  ) => table.toDemands(tokens, query).every((demand) => shown.includes(demand)));
  if (!isShown) throw asksForMore();
}

function asksForMore(): GatewayError {
  const detail = "The path leads to a subject that asks for more than its route does";
  return new GatewayError("malformed_request", detail);
}

function toTimeouts(
  { requestTimeout, idleTimeout }: GatewayConfig,
  route: Pick<Route, "requestTimeoutMs" | "idleTimeoutMs"> = {},
): Pick<Routed, "replyMs" | "idleMs"> {
  const replyMs = route.requestTimeoutMs ?? requestTimeout;
  const idleMs = route.idleTimeoutMs ?? idleTimeout ?? replyMs;
  return { replyMs, idleMs: idleMs === 0 ? Number.POSITIVE_INFINITY : idleMs };
}

/** Where whoever knows a session reaches its WebSockets. */
function toPush({ kind, sessionId }: Routable, prefix: string): readonly string[] {
  return kind === "websocket" && sessionId !== undefined
    ? [`${prefix}.${toPushTokens(sessionId)}`]
    : NONE;
}
