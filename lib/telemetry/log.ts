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

/** How often a message is written within a window; what comes besides is counted. */
export const MOST_LINES = 20;
const WINDOW_MS = 10_000;

/** Writes events. */
export type Log = Readonly<Record<LogLevel, (message: string, fields?: LogFields) => void>>;

/**
 * Makes a log.
 *
 * A message that is said more than {@link MOST_LINES} times in ten seconds is folded: then one line says how
 * often it was repeated. So nobody can fill a disk, whatever a client does.
 *
 * @param options `level`: the least that is written; `format`; `write`: takes each line, standard
 * error by default; `now`: the time in milliseconds.
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
  { level, format, write = console.error, now = () => performance.now() }: {
    level: LogLevel;
    format: LogFormat;
    write?: (line: string) => void;
    now?: () => number;
  },
): Log {
  const least = LOG_LEVELS.indexOf(level);
  const render = format === "json" ? renderJson : renderText;
  const folds = new Folds(now);
  function at(name: LogLevel): (message: string, fields?: LogFields) => void {
    if (LOG_LEVELS.indexOf(name) < least) return () => {};
    return (message, fields = {}) => {
      for (const line of folds.close()) write(render(line.level, line.message, line.fields));
      if (!folds.isOneTooMany(name, message)) write(render(name, message, fields));
    };
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

interface Fold {
  readonly level: LogLevel;
  readonly message: string;
  readonly until: number;
  count: number;
}

/** What was said in the last seconds, and how often. Messages are a few constants, so these are few, too. */
class Folds {
  readonly #now: () => number;
  readonly #folds = new Map<string, Fold>();
  /** When the first of them is over. */
  #until = Number.POSITIVE_INFINITY;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Ends the windows that are over; gives what is to be said of them. */
  *close(): Generator<{ level: LogLevel; message: string; fields: LogFields }> {
    const now = this.#now();
    if (now < this.#until) return;
    this.#until = Number.POSITIVE_INFINITY;
    for (const [key, { level, message, until, count }] of this.#folds) {
      if (until > now) {
        this.#until = Math.min(this.#until, until);
        continue;
      }
      this.#folds.delete(key);
      const repeated = count - MOST_LINES;
      if (repeated > 0) yield { level, message, fields: { repeated, seconds: WINDOW_MS / 1000 } };
    }
  }

  /** Counts a message. */
  isOneTooMany(level: LogLevel, message: string): boolean {
    const key = `${level} ${message}`;
    let fold = this.#folds.get(key);
    if (fold === undefined) {
      fold = { level, message, until: this.#now() + WINDOW_MS, count: 0 };
      this.#folds.set(key, fold);
      this.#until = Math.min(this.#until, fold.until);
    }
    return ++fold.count > MOST_LINES;
  }
}
