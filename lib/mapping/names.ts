/**
 * How headers and subjects are called on the wire: the only place where they are spelled.
 *
 * @module
 */

/** What gateways and workloads say to each other begins so; in lower case. */
export const OWN_HEADERS = "x-h8s-";
/** What says something to nats-server begins so; in lower case. */
const NATS_HEADERS = "nats-";

/** Headers of NATS messages, spelled as on the wire: there, case matters to programs in Go. */
export const HEADER = {
  body: "X-H8s-Body",
  cancel: "X-H8s-Cancel",
  claims: "X-H8s-Claims",
  close: "X-H8s-Close",
  closeCode: "X-H8s-Close-Code",
  closeReason: "X-H8s-Close-Reason",
  connectionCloseSubject: "X-H8s-Connection-Close-Subject",
  connectionId: "X-H8s-Connection-Id",
  contentLength: "X-H8s-Content-Length",
  continue: "X-H8s-Continue",
  credit: "X-H8s-Credit",
  eventId: "X-H8s-Event-Id",
  frame: "X-H8s-Frame",
  gatewayId: "X-H8s-Gateway-Id",
  handshake: "X-H8s-Handshake",
  originalHost: "X-H8s-Original-Host",
  originalPath: "X-H8s-Original-Path",
  originalQuery: "X-H8s-Original-Query",
  originalTarget: "X-H8s-Original-Target",
  protocol: "X-H8s-Protocol",
  publishSubject: "X-H8s-PublishSubject",
  /** As the software that looks for it in events spells it. */
  eventPublishSubject: "X-H8S-PublishSubject",
  replySubject: "X-H8s-ReplySubject",
  session: "X-H8s-Session",
  subject: "X-H8s-Subject",
  window: "X-H8s-Window",
  natsExpectedRevision: "Nats-Expected-Last-Subject-Sequence",
  natsExpectedStream: "Nats-Expected-Stream",
  natsMessageId: "Nats-Msg-Id",
  natsSequence: "Nats-Sequence",
  natsServiceErrorCode: "Nats-Service-Error-Code",
  natsSubject: "Nats-Subject",
} as const;

/** What is behind {@link OWN_HEADERS} in one of ours, e.g. `connection-id`. */
export type OwnName = Lowercase<(typeof HEADER)[keyof typeof HEADER]> extends infer Name
  ? Name extends `${typeof OWN_HEADERS}${infer Rest}` ? Rest : never
  : never;

/**
 * Says whether a header is for gateways, workloads and nats-server alone.
 *
 * @param lowerCaseName E.g. `nats-rollup`.
 */
export function isOwnHeader(lowerCaseName: string): boolean {
  return lowerCaseName.startsWith(OWN_HEADERS) || lowerCaseName.startsWith(NATS_HEADERS);
}

/** Where replies come in, and what is sent to a connection. */
export const INBOX = "_INBOX.h8s";

/** What follows the prefix in subjects, besides those of requests and messages. */
export const SUBJECT = {
  control: "control",
  /** And its type, and a host for workloads of the 2026 generation. */
  connection: "control.ws.conn",
  /** And the gateway that is asked; without one, all are. */
  list: "control.ws.conn.list",
  /** And the gateway that a connection was taken over from. */
  moved: "control.ws.conn.moved",
  authorizeHttp: "control.http.authorize",
  authorizeWebSocket: "control.ws.authorize",
  /** And the token of an HTTP request. */
  requestClosed: "control.connection.closed",
  /** And the gateway, and how it is. */
  gateway: "control.gateway",
  interest: "control.interest",
  reverse: "control.reverse",
  tap: "control.tap",
  workload: "control.workload",
  /** And the type of an event that a stream keeps, and a host. */
  events: "events",
  /** And the connection that a stream has kept a message for. */
  resumed: "resumed",
  upload: "upload",
} as const;

/**
 * A subject of ours.
 *
 * @param tokens What follows, if anything.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toOwnSubject } from "./names.ts";
 *
 * assert.equal(toOwnSubject("h8s", "gateway", "G1", "alive"), "h8s.control.gateway.G1.alive");
 * ```
 */
export function toOwnSubject(
  prefix: string,
  name: keyof typeof SUBJECT,
  ...tokens: readonly string[]
): string {
  let subject = `${prefix}.${SUBJECT[name]}`;
  for (const token of tokens) subject += `.${token}`;
  return subject;
}

/**
 * What reaches a client wherever it is connected.
 *
 * @param session Its session, or `*`.
 * @returns What follows the prefix.
 */
export function toPushTokens(session: string): string {
  return `${session}.push`;
}
