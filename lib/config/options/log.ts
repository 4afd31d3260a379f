/**
 * Options: the log.
 *
 * @module
 */
import { LOG_LEVELS, type LogFormat, type LogLevel } from "../../telemetry/log.ts";
import { oneOf } from "../fields.ts";

/** What is logged, and how. */
export interface LogOptions {
  /**
   * How a log line looks.
   *
   * @default "text"
   */
  readonly logFormat?: LogFormat;
  /**
   * The least that is logged.
   *
   * @default "info"
   */
  readonly logLevel?: LogLevel;
}

/** The same, to be checked. */
export const logFields = {
  logFormat: oneOf(["text", "json"]).default("text")
    .meta({ placeholder: "FORMAT", description: "How a log line looks: text or json" }),
  logLevel: oneOf(LOG_LEVELS).default("info")
    .meta({
      placeholder: "LEVEL",
      description: "The least that is logged: debug, info, warn, error",
    }),
};
