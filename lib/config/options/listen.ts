/**
 * Options: where clients come in, and how it ends.
 *
 * @module
 */
import { z } from "zod";
import { type Address, doAddressesOverlap } from "../units.ts";
import { address, duration, fileText } from "../fields.ts";

/** Where clients come in, and how it ends. */
export interface ListenOptions {
  /**
   * Where clients come in, as `"HOST:PORT"`; port 0 for a free one.
   *
   * @default "0.0.0.0:8080"
   */
  readonly listen?: string;
  /**
   * The certificate for HTTPS and WSS, with those that vouch for it: PEM, or the path of a file that holds
   * it. With it, {@link ListenOptions.listen} speaks no plain HTTP.
   *
   * @default undefined: plain HTTP
   */
  readonly tlsCert?: string | undefined;
  /**
   * The private key of {@link ListenOptions.tlsCert}: PEM, or the path of a file that holds it.
   *
   * @default undefined: none
   */
  readonly tlsKey?: string | undefined;
  /**
   * Whether other gateways on this machine may listen on the same address (`SO_REUSEPORT`, Linux): the way
   * to use all cores is one process for each.
   *
   * @default false
   */
  readonly sharePort?: boolean;
  /**
   * Where the page for whoever runs it, health and metrics are served, as `"HOST:PORT"`.
   *
   * @default undefined: nowhere
   */
  readonly admin?: string | undefined;
  /**
   * How long requests in flight may take to end when stopping.
   *
   * @default "10s"
   */
  readonly drainTimeout?: string;
  /**
   * For how long new requests are turned away at least before the port is closed when stopping: as long as a
   * load balancer needs to notice.
   *
   * @default "0s"
   */
  readonly drainDelay?: string;
}

/** The same, to be checked. */
export const listenFields = {
  listen: address().prefault("0.0.0.0:8080")
    .meta({ placeholder: "HOST:PORT", description: "Where clients come in" }),
  tlsCert: fileText("Certificate for HTTPS and WSS, in PEM"),
  tlsKey: fileText("Private key of that certificate", { isSecret: true }),
  sharePort: z.boolean().default(false)
    .meta({ description: "Let more gateways on this machine listen on the same address" }),
  admin: address().optional()
    .meta({
      placeholder: "HOST:PORT",
      description: "Serve a page, /healthz, /readyz and /metrics here",
    }),
  drainTimeout: duration("10s", "How long requests in flight may take to end when stopping"),
  drainDelay: duration(
    "0s",
    "How long to refuse requests at least when stopping",
  ),
};

/**
 * Checks that both servers can listen.
 *
 * @param config The parts of the configuration that have to fit together.
 */
export function checkAddresses(
  { listen, admin }: { readonly listen: Address; readonly admin?: Address | undefined },
  context: z.RefinementCtx,
): void {
  if (admin === undefined || !doAddressesOverlap(listen, admin)) return;
  const message = "expected another address than that of listen, which takes this one, too";
  context.addIssue({ code: "custom", path: ["admin"], message });
}
