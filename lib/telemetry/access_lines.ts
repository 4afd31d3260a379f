/**
 * One line for each request and WebSocket: text for people or JSON for machines. No header but the user agent
 * gets into it, and no byte of a client but printable ASCII.
 *
 * A line is made for each request, so by adding to one string: JSON.stringify() of an object costs three times
 * as much.
 *
 * @module
 */
import type { Observation, SocketObservation } from "./observation.ts";

/** How it looks. */
export interface AccessLogFormat {
  readonly format: "text" | "json";
  /** Whether the query is told. */
  readonly withQuery: boolean;
}

/** Of what a client chose, so that a line has a bound. */
const LONGEST = 2048;

/** Makes the lines. */
export class AccessLines {
  readonly #format: AccessLogFormat;
  readonly #say: typeof toMember;
  /** The second that was told last, as a number and without its fraction. */
  #second = Number.NaN;
  #secondText = "";

  constructor(format: AccessLogFormat) {
    this.#format = format;
    this.#say = format.format === "json" ? toMember : toPair;
  }

  /**
   * Makes one, without its end.
   *
   * @returns Printable ASCII; JSON that says exactly what the client sent, or words and `key=value`.
   */
  render(seen: Observation): string {
    const say = this.#say;
    const { socket, traceparent } = seen;
    const line = say("client", seen.client) +
      say("method", seen.kind === "websocket" ? "ws" : clip(seen.method)) +
      say("host", clip(seen.host)) +
      say("path", this.#toPath(seen)) +
      say("status", seen.status) +
      say("ms", round(seen.durationMs)) +
      say("firstByteMs", round(seen.firstByteMs)) +
      say("bytesIn", seen.bytesIn) +
      say("bytesOut", seen.bytesOut) +
      say("end", seen.end) +
      say("error", seen.error) +
      say("subject", clip(seen.subject)) +
      say("route", seen.route) +
      (socket === undefined ? "" : this.#ofSocket(socket)) +
      say("requestId", seen.requestId) +
      say("traceId", traceparent?.slice(3, 35)) +
      say("userAgent", clip(seen.userAgent));
    const time = this.#toTime(seen.time);
    return this.#format.format === "json" ? `{"time":"${time}"${line}}` : time + line;
  }

  #ofSocket(socket: SocketObservation): string {
    const say = this.#say;
    return say("messagesIn", socket.messagesIn) +
      say("messagesOut", socket.messagesOut) +
      say("closeCode", socket.closeCode) +
      say("closeReason", socket.closeReason || undefined) +
      say("connection", socket.connectionId);
  }

  #toPath(seen: Observation): string {
    const path = clip(seen.path);
    if (!this.#format.withQuery) return path;
    const { query } = seen;
    return query === "" ? path : `${path}?${clip(query)}`;
  }

  /** As Date.toISOString(), which is asked once a second only. */
  #toTime(time: number): string {
    const second = Math.floor(time / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#secondText = new Date(second * 1000).toISOString().slice(0, -4);
    }
    const ms = Math.floor(time) - second * 1000;
    return `${this.#secondText}${ms < 10 ? "00" : ms < 100 ? "0" : ""}${ms}Z`;
  }
}

type Value = string | number | undefined;

/** What is undefined does not stand in the line. */
function toMember(name: string, value: Value): string {
  if (value === undefined) return "";
  if (typeof value === "number") return `,"${name}":${value}`;
  // All but what JSON or a line reader takes for something else.
  return /[^ !#-[\]-~]/.test(value) ? `,"${name}":${quote(value)}` : `,"${name}":"${value}"`;
}

/** Values are quoted where they could be mistaken for more than one, so that a client cannot fake a field. */
function toPair(name: string, value: Value): string {
  if (value === undefined) return "";
  const isPlain = typeof value === "number" || /^[\w.:/@+*%~$&,;!()-]+$/.test(value);
  return ` ${name}=${isPlain ? value : quote(value)}`;
}

/** JSON has an escape for every character; terminals and line readers give many of the others a meaning. */
function quote(text: string): string {
  return JSON.stringify(text).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function clip<T extends string | undefined>(text: T): T | string {
  return text === undefined || text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}...`;
}

function round(ms: number): number {
  return Math.round(ms * 100) / 100;
}
