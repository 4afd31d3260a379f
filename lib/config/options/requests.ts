/**
 * Options: HTTP requests and their responses.
 *
 * @module
 */
import { z } from "zod";
import { duration, size } from "../fields.ts";

/** Bounds of requests and responses. */
export interface RequestOptions {
  /**
   * How long a reply, or the next message of a streamed one, may take.
   *
   * @default "30s"
   */
  readonly requestTimeout?: string;
  /**
   * The largest request body and the largest WebSocket message.
   *
   * @default "2MiB"
   */
  readonly maxBodySize?: string;
  /**
   * What of a streamed response may wait for a slow client.
   *
   * @default "8MiB"
   */
  readonly responseBuffer?: string;
  /**
   * Answer 200 as soon as a request is published; no replies.
   *
   * @default false
   */
  readonly publishOnly?: boolean;
}

/** The same, to be checked. */
export const requestFields = {
  requestTimeout: duration("30s", "How long a reply, or the next chunk of one, may take"),
  maxBodySize: size("2MiB", "Largest request body and WebSocket message"),
  responseBuffer: size("8MiB", "What of a streamed response may wait for a slow client"),
  publishOnly: z.boolean().default(false)
    .meta({ description: "Answer 200 once a request is published; no replies" }),
};
