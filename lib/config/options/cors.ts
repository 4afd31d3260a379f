/**
 * Options: what pages of other origins may read (CORS).
 *
 * @module
 */
import { CORS_KINDS, type CorsKind } from "../../mapping/cors.ts";
import { HTTP_TOKEN } from "../../mapping/headers.ts";
import { duration, list, oneOf } from "../fields.ts";

const NAMES = `header names such as "ETag"`;

/** What pages of other origins may read, where `allowedOrigins` lists them. */
export interface CorsOptions {
  /**
   * Who answers preflights and puts CORS headers on responses: the gateway, or the workloads by themselves.
   *
   * @default "gateway"
   */
  readonly cors?: CorsKind;
  /**
   * How long a browser may remember what a preflight said.
   *
   * @default "10m"
   */
  readonly corsMaxAge?: string;
  /**
   * Headers of responses that pages may read, besides those that they always may.
   *
   * @default undefined: `Content-Disposition`, `Content-Range`, `ETag`, `Link`, `Location`, `Retry-After`,
   * `WWW-Authenticate`
   */
  readonly corsExposedHeaders?: readonly string[] | undefined;
}

/** The same, to be checked. */
export const corsFields = {
  cors: oneOf(CORS_KINDS).default("gateway").meta({
    placeholder: "WHO",
    description: "Who answers such pages: gateway or workload",
  }),
  corsMaxAge: duration("10m", "How long browsers may remember a preflight"),
  corsExposedHeaders: list(NAMES, (text) => HTTP_TOKEN.test(text) ? text : undefined)
    .optional()
    .meta({
      placeholder: "NAMES",
      description: "Response headers for pages to read",
    }),
};
