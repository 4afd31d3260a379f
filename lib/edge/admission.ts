/**
 * What a request passes before anything is done for it: its shape, the chain of checks, its session,
 * its route.
 *
 * @module
 */
import type { GatewayConfig } from "../config/schema.ts";
import { GatewayError } from "../errors.ts";
import { ACK_PROTOCOL } from "../mapping/ack.ts";
import type { HeaderEntry, RequestKind } from "../mapping/headers.ts";
import { type Target, toRequestHeaders, toTarget } from "../mapping/request.ts";
import { type Offer, pickSubprotocol } from "../mapping/subprotocol.ts";
import { type Memory, toChain } from "./admission/chain.ts";
import type { Candidate, Check } from "./admission/check.ts";
import { parseHandshake } from "./admission/handshake.ts";
import { registeredInterest } from "./admission/interest.ts";
import { Load } from "./admission/load.ts";
import { RateTable, takeToken } from "./admission/rate.ts";
import type { EdgeParts } from "./parts.ts";
import type { Peer } from "./peer.ts";
import { findRoute, type Routed, toRouted } from "./routing.ts";
import { type ClientSession, toClientSession } from "./session_cookie.ts";

/** A request that may go on. */
export interface Admitted extends Routed {
  readonly request: Request;
  readonly target: Target;
  /** Lines for the header block of its messages. */
  readonly headerLines: string;
  /** Unique among all gateways; undefined for an HTTP request. */
  readonly connectionId: string | undefined;
  /** The subprotocol that is picked; undefined where none is offered. */
  readonly protocol: string | undefined;
  /** How the client names itself to `h8s.ack.v1`; undefined where it does not. */
  readonly ackClient: string | undefined;
  /** Undefined where sessions are off. */
  readonly session: ClientSession | undefined;
  readonly remoteAddress: string;
  /** What the client can quote when something fails. */
  readonly requestId: string;
  /** A WebSocket's place among the connections, to be given back when it ends. */
  readonly place: Disposable | undefined;
}

/** Lets requests in, or not. */
export class Admission {
  readonly #parts: EdgeParts;
  readonly #memory: Memory = { load: new Load(), rates: new RateTable() };
  #config: GatewayConfig | undefined;
  #chain: readonly Check[] = [];
  readonly #hasInterest: Check;

  /**
   * @param parts Of the edge.
   */
  constructor(parts: EdgeParts) {
    this.#parts = parts;
    this.#hasInterest = parts.interests === undefined
      ? () => {}
      : registeredInterest(parts.interests);
  }

  /** What goes on at once; the requests are counted by whoever serves them. */
  get load(): Load {
    return this.#memory.load;
  }

  /**
   * Checks a request, and works out what its messages look like.
   *
   * @param request As it came.
   * @param options What kind it is, and who asks.
   * @returns The admitted request.
   * @throws {GatewayError} with what the client is to be told.
   */
  admit(request: Request, { kind, peer }: { kind: RequestKind; peer: Peer }): Admitted {
    const { config, bus } = this.#parts;
    if (config !== this.#config) {
      this.#config = config;
      this.#chain = toChain(config, this.#memory);
    }
    const candidate = toCandidate(request, { kind, peer, prefix: config.prefix });
    for (const check of this.#chain) check(candidate);
    this.#hasInterest(candidate);
    if (bus.state !== "connected") {
      throw new GatewayError("nats_unavailable", "The gateway is not connected to NATS");
    }
    return this.#complete(candidate);
  }

  #complete({ request, kind, headers, target, offer, peer }: Candidate): Admitted {
    const { config, ids, gatewayId } = this.#parts;
    const isWebSocket = kind === "websocket";
    const session = this.#toSession(request);
    const connectionId = isWebSocket ? `${gatewayId}-${ids.nextNumber()}` : undefined;
    const routable = { method: request.method, kind, target, sessionId: session?.id, connectionId };
    const match = findRoute(config.routes, routable);
    const routed = toRouted(match, { request: routable, parts: this.#parts });
    const provenance = {
      ...peer,
      traceparent: peer.traceparent ?? ids.nextTraceparent(),
      sessionId: session?.id,
    };
    const { subject } = routed;
    const headerLines = toRequestHeaders(headers, { target, subject, kind, provenance });
    const protocol = offer &&
      pickSubprotocol(offer.names, routed.isPersistent ? [ACK_PROTOCOL] : []);
    const { clientAddress: remoteAddress, requestId } = peer;
    const place = isWebSocket ? this.load.connect(remoteAddress, config) : undefined;
    return {
      ...routed,
      request,
      target,
      headerLines,
      connectionId,
      protocol,
      ackClient: offer?.asides.ackClient,
      session,
      remoteAddress,
      requestId,
      place,
    };
  }

  #toSession(request: Request): ClientSession | undefined {
    const { config: { session: config, rate }, ids } = this.#parts;
    if (config === undefined) return undefined;
    const session = toClientSession(request, { config, newId: () => ids.nextRequestId() });
    // A new session has asked for nothing yet.
    if (rate !== undefined && session.setCookie === undefined) {
      takeToken(`session ${session.id}`, { rate, table: this.#memory.rates });
    }
    return session;
  }
}

function toCandidate(
  request: Request,
  { kind, peer, prefix }: { kind: RequestKind; peer: Peer; prefix: string },
): Candidate {
  const offer = kind === "websocket" ? parseHandshake(request) : undefined;
  const headers = offer === undefined
    ? [...request.headers]
    : withPublicOffer(request.headers, offer);
  const { method, url } = request;
  const target = toTarget({ method, url, headers }, { prefix, kind, host: peer.host });
  return { request, kind, headers, target, offer, peer };
}

/** What a client says in passing among its subprotocols may be a secret: no workload gets to see it. */
function withPublicOffer(headers: Headers, { names }: Offer): HeaderEntry[] {
  return [...headers].flatMap(([name, value]): HeaderEntry[] => {
    if (name !== "sec-websocket-protocol") return [[name, value]];
    return names.length === 0 ? [] : [[name, names.join(", ")]];
  });
}
