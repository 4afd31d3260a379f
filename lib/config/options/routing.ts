/**
 * Options: routes and sessions.
 *
 * @module
 */
import { z } from "zod";
import { CORS_KINDS } from "../../mapping/cors.ts";
import { HTTP_TOKEN } from "../../mapping/headers.ts";
import { type Auth, parseRoute, type Route, type RouteOptions } from "../../mapping/route.ts";
import { TemplateError } from "../../mapping/template.ts";
import { lasting, list, listOf, matching, oneOf, secret } from "../fields.ts";
import { HOST_FILTER, HOSTS, ORIGINS, parseOrigin } from "./admission.ts";
import { AUTHS } from "./identity.ts";

const LONG = "at least 32 characters";
const METHOD = "an upper-case method";
const RIGHT = "a";

/** What leaves the convention. */
export interface RoutingOptions {
  /**
   * Tells clients apart by a cookie.
   *
   * @default undefined: no sessions
   */
  readonly session?: SessionOptions | undefined;
  /**
   * Requests that leave the convention; the first match wins.
   *
   * @default []
   */
  readonly routes?: readonly RouteOptions[];
}

/** What one may say of sessions; `{}` turns them on. */
export interface SessionOptions {
  /**
   * The cookie's name.
   *
   * @default "clientId"
   */
  readonly cookie?: string;
  /**
   * How long it lives.
   *
   * @default "720h"
   */
  readonly maxAge?: string;
  /**
   * Secrets of at least 32 characters that sign the cookie (HMAC-SHA-256): the first signs, all are
   * taken, so that one can replace another. With any, a cookie that none of them signed is not taken.
   *
   * @default []: not signed
   */
  readonly keys?: readonly string[];
  /**
   * Whether other sites' pages bring the cookie along.
   *
   * @default "lax"
   */
  readonly sameSite?: "lax" | "strict" | "none";
}

/** How sessions are kept; `maxAge` in milliseconds. */
export type SessionConfig = Readonly<z.output<typeof sessionSchema>>;

const sessionSchema = z.strictObject({
  cookie: matching(HTTP_TOKEN, "a cookie name").default("clientId"),
  maxAge: lasting().prefault("720h"),
  keys: listOf(secret(matching(/^[^]{32}/, LONG)), `secrets of ${LONG}`).default([]),
  sameSite: oneOf(["lax", "strict", "none"]).default("lax"),
});

const routeSchema = z.strictObject({
  match: z.strictObject({
    host: matching(HOST_FILTER, HOSTS).optional(),
    path: z.string().optional(),
    methods: listOf(matching(/^[A-Z][A-Z0-9-]{0,31}$/, METHOD), "upper-case methods")
      .min(1, `expected upper-case methods, at least one`).optional(),
    upgrade: oneOf(["http", "websocket"]).optional(),
  }),
  subject: z.string().optional(),
  publish: z.string().optional(),
  subscribe: listOf(z.string(), "subjects").optional(),
  mode: oneOf(["request", "publish"]).optional(),
  persist: z.boolean({ error: () => "expected true or false" }).optional(),
  auth: oneOf(AUTHS).optional(),
  cors: oneOf(CORS_KINDS).optional(),
  allowedOrigins: list(ORIGINS, parseOrigin).optional(),
  resume: lasting().optional(),
  requestTimeout: lasting().optional(),
  idleTimeout: lasting().optional(),
}).transform((options, context) => {
  const { resume, requestTimeout, idleTimeout, cors, allowedOrigins, ...written } = options;
  const besides = {
    ...{ resumeMs: resume, requestTimeoutMs: requestTimeout, idleTimeoutMs: idleTimeout },
    ...{ cors, allowedOrigins },
  };
  let route = written;
  for (let isRight = true;;) {
    try {
      const parsed = parseRoute(route);
      return isRight ? { ...parsed, ...besides } : z.NEVER;
    } catch (error) {
      if (!(error instanceof TemplateError)) throw error;
      const { message, path } = error;
      context.addIssue({ code: "custom", message, path: [...path] });
      isRight = false;
      const next = withoutSubject(route, path);
      if (next === undefined) return z.NEVER;
      route = next;
    }
  }
});

type WrittenRoute = Parameters<typeof parseRoute>[0];

/** With a right subject in place of a wrong one, what else is wrong comes to light. */
function withoutSubject<T extends WrittenRoute>(
  route: T,
  [name, index]: readonly (string | number)[],
): T | undefined {
  switch (name) {
    case "subject":
    case "publish":
      return route[name] === RIGHT ? undefined : { ...route, [name]: RIGHT };
    case "subscribe":
      return typeof index !== "number"
        ? undefined
        : { ...route, subscribe: route.subscribe?.with(index, RIGHT) };
    default:
      return undefined;
  }
}

/** The same, to be checked. */
export const routingFields = {
  session: sessionSchema.optional().meta({
    isFileOnly: true,
    description: "Cookies that tell clients apart",
  }),
  routes: listOf(routeSchema, "routes").prefault([])
    .meta({ isFileOnly: true, description: "Requests that leave the convention" }),
};

/** Says whether clients may have a session: a cookie's, or one that an authorizer gives. */
export function hasSessions(
  { session, auth, routes }: {
    readonly session?: SessionConfig | undefined;
    readonly auth?: Auth | undefined;
    readonly routes: readonly Route[];
  },
): boolean {
  return session !== undefined || auth === "authorize" ||
    routes.some((route) => route.auth === "authorize");
}
