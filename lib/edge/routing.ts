/**
 * Where a request goes: the first route that matches, else the convention.
 *
 * @module
 */
import { GatewayError } from "../errors.ts";
import type { RequestKind } from "../mapping/headers.ts";
import type { Target } from "../mapping/request.ts";
import { toHostName } from "../mapping/subject.ts";
import { renderTemplate, type TemplateValues } from "../mapping/template.ts";
import type { EdgeParts } from "./parts.ts";

/** What is known of a request when it is routed. */
export interface Routable {
  readonly method: string;
  readonly kind: RequestKind;
  readonly target: Target;
  /** Undefined where sessions are off. */
  readonly sessionId: string | undefined;
  /** Undefined for an HTTP request. */
  readonly connectionId: string | undefined;
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
}

/**
 * Routes a request.
 *
 * @param request What is known of it.
 * @param parts Its configuration has the routes.
 * @returns What becomes of it.
 * @throws {GatewayError} when the route's template gives no subject for it, or a stream would answer it.
 */
export function route(request: Routable, parts: EdgeParts): Routed {
  const routed = toRouted(request, parts);
  const { subject, mode, isPersistent } = routed;
  if (mode === "request" && !isPersistent && parts.persist?.captures(subject)) {
    const detail = "The path leads to a subject that a stream keeps and would answer by itself";
    throw new GatewayError("malformed_request", detail);
  }
  return routed;
}

function toRouted(request: Routable, { config, gatewayId, persist }: EdgeParts): Routed {
  const { target, kind, method, sessionId, connectionId } = request;
  const isWebSocket = kind === "websocket";
  const push = isWebSocket && sessionId !== undefined ? [`${config.prefix}.${sessionId}.push`] : [];
  const byConvention: Routed = {
    subject: target.subject,
    subscribe: push,
    mode: config.publishOnly ? "publish" : "request",
    isPersistent: isWebSocket && persist?.captures(target.subject) === true,
  };
  if (config.routes.length === 0) return byConvention;
  const host = toHostName(target.authority);
  for (const route of config.routes) {
    const params = route.match({ host, path: target.path, method, isWebSocket });
    if (params === undefined) continue;
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
    const render = (template: Parameters<typeof renderTemplate>[0]) =>
      renderTemplate(template, { builtIn, params });
    return {
      subject: route.subject === undefined ? target.subject : render(route.subject),
      subscribe: [...new Set([...route.subscribe.map(render), ...push])],
      mode: config.publishOnly ? "publish" : route.mode,
      isPersistent: route.persist && persist !== undefined,
    };
  }
  return byConvention;
}
