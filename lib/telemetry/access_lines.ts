/**
 * One line for each request and WebSocket: text for people or JSON for machines. No header but the user agent
 * gets into it, and no byte of a client but printable ASCII.
 *
 * A line is made for each request, so JSON is one template: JSON.stringify() of an object costs five times as
 * much, and looking at each value by itself twice as much as looking at all of them once.
 *
 * @module
 */
import type { Observation } from "./observation.ts";

/** How it looks. */
export interface AccessLogFormat {
  readonly format: "text" | "json";
  /** Whether the query is told. */
  readonly withQuery: boolean;
}

/** Of what a client chose, so that a line has a bound. */
const LONGEST = 2048;
/** All but what JSON, a terminal or a line reader takes for something else. */
const ODD = /[^ !#-[\]-~]/;
const PLAIN = /^[\w.:/@+*%~$&,;!()-]+$/;
/** Of a number with two digits behind the point, what stands there: none that says nothing. */
const HUNDREDTHS = Array.from({ length: 100 }, (_, count) => String(count / 100).slice(1));

/** Makes the lines. */
export class AccessLines {
  readonly #format: AccessLogFormat;
  /** The second that was told last, as a number and without its fraction. */
  #second = Number.NaN;
  #secondText = "";

  constructor(format: AccessLogFormat) {
    this.#format = format;
  }

  /**
   * Makes one, without its end.
   *
   * @returns Printable ASCII; JSON that says exactly what the client sent, or words and `key=value`.
   */
  render(seen: Observation): string {
    const time = this.#toTime(seen.time);
    const path = this.#toPath(seen);
    return this.#format.format === "json" ? toJson(seen, time, path) : toText(seen, time, path);
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

function toJson(seen: Observation, time: string, path: string): string {
  const { client, requestId, socket } = seen;
  const [host, method] = [clip(seen.host), toMethod(seen)];
  const [subject, route] = [clip(seen.subject ?? ""), seen.route ?? ""];
  const [traceId, userAgent] = [toTraceId(seen), clip(seen.userAgent ?? "")];
  const reason = socket?.closeReason ?? "";
  const all = client + method + host + path + subject + route + requestId + traceId + userAgent +
    reason;
  const say = ODD.test(all) ? escape : asItIs;
  const ofSocket = socket === undefined
    ? ""
    : `,"messagesIn":${socket.messagesIn},"messagesOut":${socket.messagesOut}` +
      `,"closeCode":${socket.closeCode}` +
      (reason === "" ? "" : `,"closeReason":"${say(reason)}"`) +
      `,"connection":"${socket.connectionId}"`;
  return `{"time":"${time}","client":"${say(client)}","method":"${say(method)}"` +
    `,"host":"${say(host)}","path":"${say(path)}","status":${seen.status}` +
    `,"ms":${toMs(seen.durationMs)},"firstByteMs":${toMs(seen.firstByteMs)}` +
    `,"bytesIn":${seen.bytesIn},"bytesOut":${seen.bytesOut},"end":"${seen.end}"` +
    (seen.error === undefined ? "" : `,"error":"${seen.error}"`) +
    (subject === "" ? "" : `,"subject":"${say(subject)}"`) +
    (route === "" ? "" : `,"route":"${say(route)}"`) +
    `${ofSocket},"requestId":"${say(requestId)}"` +
    (traceId === "" ? "" : `,"traceId":"${say(traceId)}"`) +
    (userAgent === "" ? "}" : `,"userAgent":"${say(userAgent)}"}`);
}

function toText(seen: Observation, time: string, path: string): string {
  const { socket } = seen;
  return time + pair("client", seen.client) +
    pair("method", toMethod(seen)) +
    pair("host", clip(seen.host)) +
    pair("path", path) +
    ` status=${seen.status} ms=${toMs(seen.durationMs)} firstByteMs=${toMs(seen.firstByteMs)}` +
    ` bytesIn=${seen.bytesIn} bytesOut=${seen.bytesOut} end=${seen.end}` +
    pair("error", seen.error) +
    pair("subject", clip(seen.subject ?? "")) +
    pair("route", seen.route) +
    (socket === undefined
      ? ""
      : ` messagesIn=${socket.messagesIn} messagesOut=${socket.messagesOut}` +
        ` closeCode=${socket.closeCode}` +
        pair("closeReason", socket.closeReason) +
        pair("connection", socket.connectionId)) +
    pair("requestId", seen.requestId) +
    pair("traceId", toTraceId(seen)) +
    pair("userAgent", clip(seen.userAgent ?? ""));
}

/** Quoted where it could be mistaken for more than one, so that a client cannot fake a field. */
function pair(name: string, value = ""): string {
  if (value === "") return "";
  return PLAIN.test(value) ? ` ${name}=${value}` : ` ${name}="${escape(value)}"`;
}

function toMethod({ kind, method }: Observation): string {
  return kind === "websocket" ? "ws" : clip(method);
}

function toTraceId({ traceparent }: Observation): string {
  return traceparent === undefined ? "" : traceparent.slice(3, 35);
}

function asItIs(text: string): string {
  return text;
}

/** JSON has an escape for every character; terminals and line readers give many of the others a meaning. */
function escape(text: string): string {
  return JSON.stringify(text).slice(1, -1).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function clip(text: string): string {
  return text.length <= LONGEST ? text : `${text.slice(0, LONGEST)}...`;
}

/** With two digits behind the point at most: a third of what writing any other number takes. */
function toMs(ms: number): string {
  const hundredths = Math.round(ms * 100);
  const whole = Math.floor(hundredths / 100);
  return whole + HUNDREDTHS[hundredths - whole * 100]!;
}
