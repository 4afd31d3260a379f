/**
 * One line per event, on standard error: text for people or JSON for machines.
 *
 * @module
 */

/** How much is logged. */
export type LogLevel = "debug" | "info" | "warn" | "error";

/** From the most to the least talkative. */
export const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warn", "error"];

/** How a line looks. */
export type LogFormat = "text" | "json";

/** What belongs to an event besides its message. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** Writes events. */
export type Log = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>;

/**
 * Makes a log.
 *
 * @param options `level`: the least that is written; `format`; `write`: takes each line, standard
 * error by default.
 * @returns The log.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createLog } from "./log.ts";
 *
 * const lines: string[] = [];
 * const log = createLog({ level: "info", format: "json", write: (line) => lines.push(line) });
 * log.debug("not written");
 * log.info("listening", { port: 8080 });
 * assert.equal(lines.length, 1);
 * assert.equal(JSON.parse(lines[0]!).port, 8080);
 * ```
 */
export function createLog(
  { level, format, write = console.error }: {
    level: LogLevel;
    format: LogFormat;
    write?: (line: string) => void;
  },
): Log {
  const least = LOG_LEVELS.indexOf(level);
  const render = format === "json" ? renderJson : renderText;
  function at(name: LogLevel): (message: string, fields?: LogFields) => void {
    if (LOG_LEVELS.indexOf(name) < least) return () => {};
    return (message, fields = {}) => write(render(name, message, fields));
  }
  return { debug: at("debug"), info: at("info"), warn: at("warn"), error: at("error") };
}

function renderJson(level: LogLevel, message: string, fields: LogFields): string {
  return JSON.stringify({ time: new Date().toISOString(), level, message, ...fields });
}

/** Values are quoted where they could be mistaken for more than one, so a client cannot fake a line. */
function renderText(level: LogLevel, message: string, fields: LogFields): string {
  let line = `${new Date().toISOString()} ${level.toUpperCase().padEnd(5)} ${message}`;
  for (const [key, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const text = String(value);
    line += ` ${key}=${/^[\w.:/@+-]+$/.test(text) ? text : JSON.stringify(text)}`;
  }
  return line;
}
