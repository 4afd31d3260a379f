/**
 * What a check of the admission chain is, and what it looks at.
 *
 * @module
 */
import type { HeaderEntry, RequestKind } from "../../mapping/headers.ts";
import type { Target } from "../../mapping/request.ts";
import type { Offer } from "../../mapping/subprotocol.ts";
import type { Peer } from "../peer.ts";

/** A request of the right shape that wants to get in. */
export interface Candidate {
  readonly request: Request;
  readonly kind: RequestKind;
  /** Names in lower case; without what is said in passing among the subprotocols. */
  readonly headers: readonly HeaderEntry[];
  readonly target: Target;
  /** The subprotocols of a WebSocket; undefined for an HTTP request. */
  readonly offer: Offer | undefined;
  readonly peer: Peer;
}

/**
 * One reason to turn a request away.
 *
 * @throws {GatewayError} when there is that reason.
 */
export type Check = (candidate: Candidate) => void;
