/**
 * Options: where clients come in, and how it ends.
 *
 * @module
 */
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
  listen: address().default({ hostname: "0.0.0.0", port: 8080 })
    .meta({ placeholder: "HOST:PORT", description: "Where clients come in" }),
  admin: address().optional()
    .meta({ placeholder: "HOST:PORT", description: "Serve /healthz, /readyz and /metrics here" }),
  drainTimeout: duration("10s", "How long requests in flight may take to end when stopping"),
};
