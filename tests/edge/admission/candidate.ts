/**
 * Requests that want to get in.
 *
 * @module
 */
import type { Candidate } from "../../../lib/edge/admission/check.ts";
import type { RequestKind } from "../../../lib/mapping/headers.ts";
import { toTarget } from "../../../lib/mapping/request.ts";
import { parseOffer } from "../../../lib/mapping/subprotocol.ts";

/** What differs from a GET of `http://shop.example/`. */
export interface CandidateOptions {
  readonly kind?: RequestKind;
  readonly url?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly address?: string;
}

/**
 * Makes one.
 *
 * @param options What differs.
 * @returns As the admission makes it of a request.
 */
export function toCandidate(
  { kind = "http", url = "http://shop.example/", headers = {}, address = "192.0.2.7" }:
    CandidateOptions = {},
): Candidate {
  const request = new Request(url, { headers });
  const entries = [...request.headers, ["host", new URL(url).host]] as const;
  return {
    request,
    kind,
    headers: entries,
    target: toTarget({ method: "GET", url, headers: entries }, { prefix: "h8s", kind }),
    offer: kind === "websocket"
      ? parseOffer(request.headers.get("sec-websocket-protocol"))
      : undefined,
    peer: {
      clientAddress: address,
      scheme: "http",
      host: undefined,
      isProxied: false,
      forwardedFor: address,
      requestId: "1",
      traceparent: undefined,
      tracestate: undefined,
    },
  };
}
