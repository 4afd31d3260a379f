/**
 * One line for each request and WebSocket, at its end: text for people or JSON for machines. No header but the
 * user agent gets into it, and no byte of a client but printable ASCII.
 *
 * @module
 */
import { LineWriter, type Write } from "./line_writer.ts";
import type { Log } from "./log.ts";
import type { Observation, Observer, Observers } from "./observation.ts";

/** How it looks. */
export interface AccessLogFormat {
  readonly format: "text" | "json";
  /** Whether the query is told. */
  readonly withQuery: boolean;
}

/** Of what a client chose, so that a line has a bound. */
const LONGEST = 2048;

/** In the order in which they stand in a line; what is undefined does not. */
type Fields = Readonly<Record<string, string | number | undefined>>;

/** Writes a line for each. */
export class AccessLog implements Observer {
  readonly #writer: LineWriter;
  readonly #format: AccessLogFormat;

  constructor(writer: LineWriter, format: AccessLogFormat) {
    this.#writer = writer;
    this.#format = format;
  }

  end(observation: Observation): void {
    this.#writer.write(renderAccess(observation, this.#format));
  }
}

/**
 * Begins to write one, where it is asked for.
 *
 * @returns Dispose of it to have all written; undefined where there is none.
 */
export function openAccessLog(
  { accessLog: format, accessLogQuery: withQuery }: {
    readonly accessLog: "off" | AccessLogFormat["format"];
    readonly accessLogQuery: boolean;
  },
  { observers, log, write }: { observers: Observers; log: Log; write: Write },
): AsyncDisposable | undefined {
  if (format === "off") return undefined;
  const writer = new LineWriter(write, (lines) => {
    log.warn("the access log has lost lines: standard output is not read fast enough", { lines });
  });
  observers.add(new AccessLog(writer, { format, withQuery }));
  return writer;
}

/**
 * Makes a line, without its end.
 *
 * @param seen What happened.
 * @param options How it looks.
 * @returns Printable ASCII; JSON that says exactly what the client sent, or words and `key=value`.
 */
export function renderAccess(seen: Observation, { format, withQuery }: AccessLogFormat): string {
  const { socket } = seen;
  const time = new Date(seen.time).toISOString();
  const path = clip(seen.path) +
    (withQuery && seen.query !== "" ? `?${clip(seen.query)}` : "");
  const fields: Fields = {
    client: seen.client,
    method: seen.kind === "websocket" ? "ws" : clip(seen.method),
    host: clip(seen.host),
    path,
    status: seen.status,
    ms: round(seen.durationMs),
    firstByteMs: round(seen.firstByteMs),
    bytesIn: seen.bytesIn,
    bytesOut: seen.bytesOut,
    end: seen.end,
    error: seen.error,
    subject: seen.subject === undefined ? undefined : clip(seen.subject),
    route: seen.route,
    messagesIn: socket?.messagesIn,
    messagesOut: socket?.messagesOut,
    closeCode: socket?.closeCode,
    closeReason: socket?.closeReason || undefined,
    connection: socket?.connectionId,
    requestId: seen.requestId,
    traceId: seen.traceparent?.slice(3, 35),
    userAgent: seen.userAgent === undefined ? undefined : clip(seen.userAgent),
  };
  return format === "json" ? toAscii(JSON.stringify({ time, ...fields })) : toText(time, fields);
}

/** Values are quoted where they could be mistaken for more than one, so that a client cannot fake a field. */
function toText(time: string, fields: Fields): string {
  let line = time;
  for (const [name, value] of Object.entries(fields)) {
    if (value === undefined) continue;
    const text = String(value);
    const isPlain = /^[\w.:/@+*%~$&,;!()-]+$/.test(text);
    line += ` ${name}=${isPlain ? text : toAscii(JSON.stringify(text))}`;
  }
  return line;
}

/** JSON has an escape for every character; terminals and line readers give many of the others a meaning. */
function toAscii(json: string): string {
  return json.replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function clip(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}...`;
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
