/**
 * Options: routes and sessions.
 *
 * @module
 */
import { z } from "zod";
import { parseRoute, type RouteOptions } from "../../mapping/route.ts";
import { lasting, oneOf, secret } from "../fields.ts";
import { AUTHS } from "./identity.ts";

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
  readonly maxAge?: string | number;
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
  cookie: z.string().regex(/^[!#$%&'*+\-.^_`|~\w]+$/, "expected a cookie name").default("clientId"),
  maxAge: lasting().prefault("720h"),
  keys: z.array(secret(z.string().min(32, "expected at least 32 characters"))).default([]),
  sameSite: oneOf(["lax", "strict", "none"]).default("lax"),
});

const routeSchema = z.strictObject({
  match: z.strictObject({
    host: z.string().optional(),
    path: z.string().optional(),
    methods: z.array(z.string().regex(/^[A-Z][A-Z0-9-]{0,31}$/, "expected an upper-case method"))
      .optional(),
    upgrade: z.literal("websocket", { error: `expected "websocket"` }).optional(),
  }),
  subject: z.string().optional(),
  publish: z.string().optional(),
  subscribe: z.array(z.string()).optional(),
  mode: oneOf(["request", "publish"]).optional(),
  persist: z.boolean({ error: () => "expected true or false" }).optional(),
  auth: oneOf(AUTHS).optional(),
  resume: lasting().optional(),
}).transform((route, context) => {
  try {
    return { ...parseRoute(route), resumeMs: route.resume };
  } catch (error) {
    context.addIssue({ code: "custom", message: error instanceof Error ? error.message : "" });
    return z.NEVER;
  }
});

/** The same, to be checked. */
export const routingFields = {
  session: sessionSchema.optional().meta({ isFileOnly: true }),
  routes: z.array(routeSchema).prefault([]).meta({ isFileOnly: true }),
};
