/**
 * A client's request or handshake → what the checks look at.
 *
 * @module
 */
import type { GatewayConfig } from "../../config/schema.ts";
import { type HeaderEntry, type RequestKind, valueOf } from "../../mapping/headers.ts";
import { toTarget } from "../../mapping/request.ts";
import type { toHostTokens } from "../../mapping/subject.ts";
import type { Offer } from "../../mapping/subprotocol.ts";
import type { Visit } from "../visit.ts";
import type { Candidate } from "./check.ts";
import { parseHandshake } from "./handshake.ts";

/**
 * Reads what the checks look at.
 *
 * @throws {GatewayError} when it is no handshake, or its URL is none.
 */
export function toCandidate(
  request: Request,
  { kind, visit, headers: sent, config: { prefix, listen }, hostTokensOf }: {
    kind: RequestKind;
    visit: Visit;
    headers: readonly HeaderEntry[];
    config: GatewayConfig;
    hostTokensOf: typeof toHostTokens;
  },
): Candidate {
  const offer = kind === "websocket" ? parseHandshake(request.method, sent) : undefined;
  const headers = offer === undefined ? sent : withoutAsides(sent, offer);
  visit.onHeaders(headers);
  const { method, url } = request;
  const { peer } = visit;
  const options = { prefix, kind, host: peer.host, listen, hostTokensOf };
  const target = toTarget({ method, url, headers }, options);
  return { request, kind, headers, target, offer, peer };
}

/** What a client says in passing among its subprotocols may be a secret: no workload gets to see it. */
function withoutAsides(
  headers: readonly HeaderEntry[],
  { names }: Offer,
): readonly HeaderEntry[] {
  if (valueOf(headers, "sec-websocket-protocol") === undefined) return headers;
  return headers.flatMap(([name, value]): HeaderEntry[] => {
    if (name !== "sec-websocket-protocol") return [[name, value]];
    return names.length === 0 ? [] : [[name, names.join(", ")]];
  });
}
