/**
 * Options: where clients come in, and how it ends.
 *
 * @module
 */
import { z } from "zod";
import { address, duration } from "../fields.ts";

/** Where clients come in, and how it ends. */
export interface ListenOptions {
  /**
   * Where clients come in, as `"HOST:PORT"`; port 0 for a free one.
   *
   * @default "0.0.0.0:8080"
   */
  readonly listen?: string;
  /**
   * Whether other gateways on this machine may listen on the same address (`SO_REUSEPORT`, Linux): the way
   * to use all cores is one process for each.
   *
   * @default false
   */
  readonly sharePort?: boolean;
  /**
   * Where health and metrics are served, as `"HOST:PORT"`.
   *
   * @default undefined: nowhere
   */
  readonly admin?: string | undefined;
  /**
   * How long requests in flight may take to end when stopping.
   *
   * @default "10s"
   */
  readonly drainTimeout?: string | number;
}

/** The same, to be checked. */
export const listenFields = {
  listen: address().prefault("0.0.0.0:8080")
    .meta({ placeholder: "HOST:PORT", description: "Where clients come in" }),
  sharePort: z.boolean().default(false)
    .meta({ description: "Let more gateways on this machine listen on the same address" }),
  admin: address().optional()
    .meta({ placeholder: "HOST:PORT", description: "Serve /healthz, /readyz and /metrics here" }),
  drainTimeout: duration("10s", "How long requests in flight may take to end when stopping"),
};
