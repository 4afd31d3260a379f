/**
 * Tells each request and WebSocket at its end, on a line of its own.
 *
 * @module
 */
import { AccessLines, type AccessLogFormat } from "./access_lines.ts";
import { LineWriter, type Write } from "./line_writer.ts";
import type { Log } from "./log.ts";
import type { Observation, Observer, Observers } from "./observation.ts";

/** Writes a line for each. */
export class AccessLog implements Observer {
  readonly #writer: LineWriter;
  readonly #lines: AccessLines;

  constructor(writer: LineWriter, format: AccessLogFormat) {
    this.#writer = writer;
    this.#lines = new AccessLines(format);
  }

  end(observation: Observation): void {
    this.#writer.write(this.#lines.render(observation));
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
