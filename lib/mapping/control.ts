/**
 * Control events: what the gateway tells of its connections.
 *
 * @module
 */
import { toHeaderText } from "./latin1.ts";
import { type HeaderLines, joinLines, NO_LINES, toHeaderLine } from "./headers.ts";
import { HEADER, toOwnSubject } from "./names.ts";
import type { HostTokens, Subject } from "./subject.ts";

/** Which of the two generations of workloads is told: host subjects, flat subjects, or both. */
export type ControlSubjects = "flat" | "host" | "both";

/** An event in the life of one WebSocket. */
export type ConnectionEvent =
  | { readonly type: "established" }
  /** Another gateway holds it now; its client goes on, or may come back. */
  | { readonly type: "resumed"; readonly revision: number }
  | { readonly type: "closed"; readonly code: number; readonly reason: string };

/** Why an HTTP request ended: the payload of its close subject. */
export type EndReason =
  | "completed"
  | "termination_chunk"
  | "timeout"
  | "ctx_done"
  | "write_error"
  | "overflow"
  | "nats_disconnected"
  | "draining"
  /** The workload itself broke its stream off. */
  | "aborted";

/**
 * Where an event is told as it happens.
 *
 * @param hostTokens From `toHostTokens`, for workloads of the 2026 generation; `>` for all.
 * @returns `<prefix>.control.ws.conn.<type>`, and the host.
 */
export function toEventSubject(
  type: ConnectionEvent["type"],
  prefix: string,
  hostTokens?: HostTokens | ">",
): string {
  return toOwnSubject(
    prefix,
    "connection",
    type,
    ...(hostTokens === undefined ? [] : [hostTokens]),
  );
}

/**
 * Where a gateway hears that another one has taken a connection from it.
 *
 * @returns `<prefix>.control.ws.conn.moved.<gateway>`.
 */
export function toMovedSubject(prefix: string, gateway: string): string {
  return toOwnSubject(prefix, "moved", gateway);
}

/**
 * Where an event is told: on the flat subject, where the 2025 generation of workloads listens, on the one by
 * host, where the 2026 generation does, or on both.
 *
 * @param options `hostTokens`: from `toHostTokens`; `forms`: which generations are told.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toEventSubjects } from "./control.ts";
 * import { toHostTokens } from "./subject.ts";
 *
 * const hostTokens = toHostTokens("example.com");
 * assert.deepEqual(toEventSubjects("closed", { prefix: "h8s", hostTokens, forms: "host" }), [
 *   "h8s.control.ws.conn.closed.com.example",
 * ]);
 * ```
 */
export function toEventSubjects(
  type: ConnectionEvent["type"],
  { prefix, hostTokens, forms }: {
    prefix: string;
    hostTokens: HostTokens;
    forms: ControlSubjects;
  },
): string[] {
  const flat = toEventSubject(type, prefix);
  switch (forms) {
    case "flat":
      return [flat];
    case "host":
      return [toEventSubject(type, prefix, hostTokens)];
    case "both":
      return [flat, toEventSubject(type, prefix, hostTokens)];
  }
}

/**
 * The header lines of a live event besides the handshake's and {@link toEventHeaders}. Workloads of both
 * generations read `X-H8S-PublishSubject`, spelled so, when they look for a subject's connections: NATS headers are
 * case-sensitive there. Everybody else reads `X-H8s-PublishSubject`.
 *
 * @param subject Where the connection's messages go.
 */
export function toEventLines(subject: Subject): HeaderLines {
  return toHeaderLine(HEADER.eventPublishSubject, subject);
}

/**
 * What tells an event from others, however often it comes: a connection begins once and ends once, and
 * changes hands with each revision of its record.
 *
 * @returns The value of `X-H8s-Event-Id`, e.g. `G1-a.closed`.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toEventId } from "./control.ts";
 *
 * assert.equal(toEventId({ type: "established" }, "G1-a"), "G1-a.established");
 * assert.equal(toEventId({ type: "resumed", revision: 7 }, "G1-a"), "G1-a.resumed.7");
 * ```
 */
export function toEventId(event: ConnectionEvent, connectionId: string): string {
  const id = `${connectionId}.${event.type}`;
  return event.type === "resumed" ? `${id}.${event.revision}` : id;
}

/**
 * Where an event goes that is kept in a stream. Nobody else publishes there: on the subjects of the live
 * events, a stream would acknowledge to the connection's inbox, and so to its client.
 *
 * @param type The event's type; `*` for all.
 * @param options `prefix`: of all subjects; `hostTokens`: from `toHostTokens`; `>` for all.
 * @returns `<prefix>.events.<type>.<host>`.
 */
export function toKeptSubject(
  type: ConnectionEvent["type"] | "*",
  { prefix, hostTokens }: { prefix: string; hostTokens: HostTokens | ">" },
): string {
  return toOwnSubject(prefix, "events", type, hostTokens);
}

/**
 * The type of an event that comes from a stream, by its subject ({@link toKeptSubject}).
 */
export function fromKeptSubject(subject: string, prefix: string): string {
  return subject.slice(`${toOwnSubject(prefix, "events")}.`.length).split(".", 1)[0]!;
}

/**
 * The header lines that an event has besides the handshake's.
 *
 * @returns Lines for a NATS header block; none for `established` and `resumed`.
 */
export function toEventHeaders(event: ConnectionEvent): HeaderLines {
  switch (event.type) {
    case "established":
    case "resumed":
      return NO_LINES;
    case "closed":
      return joinLines(
        toHeaderLine(HEADER.closeCode, String(event.code)),
        toHeaderLine(HEADER.closeReason, toHeaderText(event.reason)),
      );
  }
}

/**
 * Where the end of an HTTP request is told.
 *
 * @returns `<prefix>.control.connection.closed.<token>`.
 */
export function toRequestClosedSubject(prefix: string, token: string): string {
  return toOwnSubject(prefix, "requestClosed", token);
}

const COMPLETED = new TextEncoder().encode("completed");

/**
 * Why an HTTP request ended, as the payload of its close subject.
 *
 * @param reason Nearly always `completed`, which is encoded once.
 */
export function toEndPayload(reason: EndReason): Uint8Array {
  return reason === "completed" ? COMPLETED : new TextEncoder().encode(reason);
}
