/**
 * Options: the access log.
 *
 * @module
 */
import { z } from "zod";
import { oneOf } from "../fields.ts";

/** Whether each request is told on standard output, and how. */
export interface AccessLogOptions {
  /**
   * One line for each request and WebSocket at its end, on standard output.
   *
   * @default "off"
   */
  readonly accessLog?: "off" | "text" | "json";
  /**
   * Whether a line has the query, which may hold secrets. The parameter that is configured to carry a token is
   * never told.
   *
   * @default false
   */
  readonly accessLogQuery?: boolean;
}

/** The same, to be checked. */
export const accessLogFields = {
  accessLog: oneOf(["off", "text", "json"]).default("off").meta({
    placeholder: "FORMAT",
    description: "Tell each request on standard output: off, text or json",
  }),
  accessLogQuery: z.boolean().default(false)
    .meta({ description: "Tell the query in the access log, too" }),
};
