/**
 * What no route's template may do: let a client speak where the gateway, a session or NATS is heard, or hear
 * what is for others. What depends on the path is decided when a request comes.
 *
 * @module
 */
import type { z } from "zod";
import { touchesPush, touchesReserved } from "../mapping/reserved.ts";
import type { Auth, Route } from "../mapping/route.ts";
import { renderShape, SHAPE_OF_SESSION } from "../mapping/template_shape.ts";
import type { Template } from "../mapping/template.ts";
import { hasSessions, type SessionConfig } from "./options/routing.ts";

/** The parts of the configuration that have to fit together. */
interface Routing {
  readonly prefix: string;
  readonly session?: SessionConfig | undefined;
  readonly auth?: Auth | undefined;
  readonly routes: readonly Route[];
}

/** Requests and messages of clients, which one of them may speak on where its own route asks for enough. */
const SPEAKABLE = /^(?:http|ws)$/;

/**
 * Checks the templates of all routes.
 *
 * @param config The parts of the configuration that have to fit together.
 */
export function checkTemplates(config: Routing, context: z.RefinementCtx): void {
  for (const [index, { sides, subscribe }] of config.routes.entries()) {
    const complain = (path: (string | number)[], message: string | undefined) => {
      if (message === undefined) return;
      context.addIssue({ code: "custom", path: ["routes", index, ...path], message });
    };
    complain(["subject"], sides.http?.subject && refusePublish(sides.http.subject, config));
    complain(
      ["publish"],
      sides.websocket?.subject && refusePublish(sides.websocket.subject, config),
    );
    for (const [at, template] of subscribe.entries()) {
      complain(["subscribe", at], refuseSubscribe(template, config));
    }
  }
}

function refusePublish(template: Template, { prefix }: Routing): string | undefined {
  const shape = renderShape(template, prefix);
  const next = shape.split(".")[prefix.split(".").length] ?? "";
  if (touchesReserved(shape, prefix) && !SPEAKABLE.test(next)) {
    return `expected a subject that clients may speak on, found one of the gateway's or of NATS`;
  }
  if (touchesPush(shape, prefix) && next !== SHAPE_OF_SESSION && next.includes("~")) {
    return `expected a subject that is no session's push, of which a client could choose whose`;
  }
  return undefined;
}

function refuseSubscribe(template: Template, config: Routing): string | undefined {
  const { prefix } = config;
  const shape = renderShape(template, prefix);
  const isOfNats = /^\$(?!SYS\b|JS\b)/.test(shape);
  if (touchesReserved(shape, prefix) && !isOfNats) {
    return `expected a subject that clients may hear, found one of the gateway's or of NATS`;
  }
  const tokens = shape.split(".");
  const next = tokens[prefix.split(".").length] ?? "";
  const isOne = !/(?:^|\.)[*>](?:\.|$)/.test(shape);
  if (!hasSessions(config) || !touchesPush(shape, prefix) || isOne) return undefined;
  if (next === SHAPE_OF_SESSION) return undefined;
  const hint = `begin it with a token of its own such as {prefix}.rooms`;
  return `expected a subject that takes in no session's push; ${hint}`;
}
