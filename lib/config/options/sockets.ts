/**
 * Options: WebSockets.
 *
 * @module
 */
import type { z } from "zod";
import type { ControlSubjects } from "../../mapping/control.ts";
import type { Route } from "../../mapping/route.ts";
import { duration, oneOf, parsed, size } from "../fields.ts";

const BUCKET = `"auto", "off", or the name of a KV bucket (letters, digits, - and _)`;

/** Bounds of WebSockets, and what is told of them. */
export interface SocketOptions {
  /**
   * How long a WebSocket client may take nothing of what waits for it; then it is closed, 1013.
   *
   * @default "10s"
   */
  readonly wsSendTimeout?: string;
  /**
   * How much may wait for a WebSocket client, even if it reads; past it it is closed, 1013.
   *
   * @default "16MiB"
   */
  readonly wsSendLimit?: string;
  /**
   * The same for all WebSocket clients together, besides the last MiB of each, which the platform has; past it the
   * one for which most waits has to go.
   *
   * @default "256MiB"
   */
  readonly wsSendTotal?: string;
  /**
   * What of a WebSocket client's messages may wait for NATS: while it is away, or too slow.
   *
   * @default "1MiB"
   */
  readonly wsReceiveBuffer?: string;
  /**
   * The same of all WebSocket clients together; past it the one with the most has to go.
   *
   * @default "256MiB"
   */
  readonly wsReceiveTotal?: string;
  /**
   * How often an idle WebSocket is pinged; 0 for never.
   *
   * @default "30s"
   */
  readonly wsIdleTimeout?: string;
  /**
   * On which subjects it is told who connected and who left.
   *
   * @default "both"
   */
  readonly controlSubjects?: ControlSubjects;
  /**
   * The KV bucket that keeps what another gateway needs to tell the end of WebSockets if this one dies;
   * `"auto"`: `<prefix>-connections`, where NATS has JetStream; `"off"`: none.
   *
   * @default "auto"
   */
  readonly connectionRecords?: string;
  /**
   * How long a client that speaks `h8s.resume.v1` may be away and still go on where it stopped; 0 for not
   * at all. Needs JetStream, and connection records.
   *
   * @default "0s"
   */
  readonly resume?: string;
  /**
   * How much of what is sent to such clients is kept; past it the oldest is lost, and the client is told.
   *
   * @default "256MiB"
   */
  readonly resumeMaxBytes?: string;
  /**
   * How much may wait for one such client while it is away; past it its connection ends with 1013, and the
   * client is told when it comes back. "0B" for any amount.
   *
   * @default "4MiB"
   */
  readonly resumeMaxWaiting?: string;
}

/** The same, to be checked. */
export const socketFields = {
  wsSendTimeout: duration("10s", "How long a WebSocket client may take nothing that waits"),
  wsSendLimit: size("16MiB", "How much may wait for a WebSocket client"),
  wsSendTotal: size("256MiB", "How much may wait for all WebSocket clients together"),
  wsReceiveBuffer: size("1MiB", "What of a WebSocket client may wait for NATS"),
  wsReceiveTotal: size("256MiB", "What of all WebSocket clients together may wait for NATS"),
  wsIdleTimeout: duration("30s", "How often idle WebSockets are pinged; 0s for never"),
  controlSubjects: oneOf(["flat", "host", "both"]).default("both")
    .meta({ placeholder: "FORM", description: "Control events on flat or host subjects, or both" }),
  connectionRecords: parsed(BUCKET, (text) => /^[\w-]+$/.test(text) ? text : undefined).prefault(
    "auto",
  )
    .meta({
      placeholder: "BUCKET",
      description: "KV bucket by which others tell who died with a gateway",
    }),
  resume: duration("0s", "How long a WebSocket client may be away and resume; 0s: off"),
  resumeMaxBytes: size("256MiB", "How much is kept for those who resume"),
  resumeMaxWaiting: size("4MiB", "What may wait for one client that is away"),
};

/**
 * Checks that who may resume can.
 *
 * @param config The parts of the configuration that have to fit together.
 */
export function checkResume(
  { resume, connectionRecords, routes }: {
    readonly resume: number;
    readonly connectionRecords: string;
    readonly routes: readonly Route[];
  },
  context: z.RefinementCtx,
): void {
  if (connectionRecords !== "off") return;
  const message = 'expected connection records, too: they are "off"';
  if (resume > 0) context.addIssue({ code: "custom", path: ["resume"], message });
  for (const [index, { resumeMs = 0 }] of routes.entries()) {
    if (resumeMs === 0) continue;
    context.addIssue({ code: "custom", path: ["routes", index, "resume"], message });
  }
}
