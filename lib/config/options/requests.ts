/**
 * Options: HTTP requests and their responses.
 *
 * @module
 */
import { z } from "zod";
import { duration, lasting, oneOf, size } from "../fields.ts";

/** Bounds of requests and responses. */
export interface RequestOptions {
  /**
   * How long the first message of a reply may take.
   *
   * @default "30s"
   */
  readonly requestTimeout?: string;
  /**
   * How long a streamed reply may be quiet between two messages; 0 for ever. It is not for
   * `text/event-stream`: events may be hours apart.
   *
   * @default the request timeout
   */
  readonly idleTimeout?: string;
  /**
   * The largest request body and the largest WebSocket message.
   *
   * @default "2MiB"
   */
  readonly maxBodySize?: string;
  /**
   * How long a client may pause in the middle of a request's body. What it sends slower than 8 KiB a second
   * counts as pauses.
   *
   * @default "30s"
   */
  readonly bodyTimeout?: string;
  /**
   * How long a client may take nothing of its response.
   *
   * @default "30s"
   */
  readonly sendTimeout?: string;
  /**
   * What of a streamed response may wait for a slow client.
   *
   * @default "8MiB"
   */
  readonly responseBuffer?: string;
  /**
   * What a reply without `Content-Length`, `Status` and `Transfer-Encoding` is: the whole response, or
   * the first chunk of a stream that an empty message ends.
   *
   * @default "whole"
   */
  readonly bareReplies?: "whole" | "stream";
  /**
   * What of all responses together may wait for their clients; past it those of the client connection with the
   * most are cut off.
   *
   * @default "64MiB"
   */
  readonly responseTotal?: string;
  /**
   * What replies may be under way from NATS: as much of streams, and as much of whole ones, as far as their size
   * is known. Half of nats-server's `max_pending` at most; past it requests wait.
   *
   * @default "32MiB"
   */
  readonly replyTotal?: string;
  /**
   * Answer 200 as soon as a request is published; no replies.
   *
   * @default false
   */
  readonly publishOnly?: boolean;
}

/** The same, to be checked. */
export const requestFields = {
  requestTimeout: duration("30s", "How long the beginning of a reply may take"),
  idleTimeout: lasting().optional().meta({
    placeholder: "DURATION",
    description: "How long a streamed reply may be quiet; 0s for ever",
  }),
  maxBodySize: size("2MiB", "Largest request body and WebSocket message"),
  bodyTimeout: duration("30s", "How long a client may pause in the middle of a body"),
  sendTimeout: duration("30s", "How long a client may take nothing of its response"),
  responseBuffer: size("8MiB", "What of a streamed response may wait for a slow client"),
  bareReplies: oneOf(["whole", "stream"]).default("whole")
    .meta({ placeholder: "KIND", description: "Replies without headers are: whole or stream" }),
  responseTotal: size("64MiB", "What of all responses may wait for their clients"),
  replyTotal: size("32MiB", "What of replies may be under way from NATS"),
  publishOnly: z.boolean().default(false)
    .meta({ description: "Answer 200 once a request is published; no replies" }),
};
