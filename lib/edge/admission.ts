/**
 * The checks that a request passes before anything is done for it.
 *
 * @module
 */
import { ACK_PROTOCOL, isAckClientId } from "../mapping/ack.ts";
import type { HeaderEntry, RequestKind } from "../mapping/headers.ts";
import { GatewayError } from "../errors.ts";
import {
  type RequestSnapshot,
  type Target,
  toRequestHeaders,
  toTarget,
} from "../mapping/request.ts";
import { isHostMatch } from "../mapping/route.ts";
import { toHostName } from "../mapping/subject.ts";
import { type Offer, parseOffer, pickSubprotocol } from "../mapping/subprotocol.ts";
import type { EdgeParts } from "./parts.ts";
import { route, type Routed } from "./routing.ts";
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
}

/** Who is asking. */
export interface Peer {
  /** The peer's IP address. */
  readonly remoteAddress: string;
  /** What the client can quote when something fails. */
  readonly requestId: string;
}

/**
 * Checks a request, and works out what its messages look like.
 *
 * @param request As it came.
 * @param options What kind it is, who asks, and the parts of the edge.
 * @returns The admitted request.
 * @throws {GatewayError} with what the client is to be told.
 */
export function admit(
  request: Request,
  { kind, peer, parts }: { kind: RequestKind; peer: Peer; parts: EdgeParts },
): Admitted {
  const offer = kind === "websocket" ? checkHandshake(request) : undefined;
  const snapshot: RequestSnapshot = {
    method: request.method,
    url: request.url,
    headers: offer === undefined ? [...request.headers] : withPublicOffer(request.headers, offer),
    remoteAddress: peer.remoteAddress,
  };
  const { config, ids, gatewayId } = parts;
  const target = toTarget(snapshot, { prefix: config.prefix, kind });
  checkHost(target, config.hostFilters);
  checkInterest(target, { method: kind === "websocket" ? "ws" : request.method, parts });
  if (parts.bus.state !== "connected") {
    throw new GatewayError("nats_unavailable", "The gateway is not connected to NATS");
  }
  const session = config.session &&
    toClientSession(request, { config: config.session, newId: () => ids.nextRequestId() });
  const connectionId = kind === "websocket" ? `${gatewayId}-${ids.nextNumber()}` : undefined;
  const { method } = request;
  const routed = route(
    { method, kind, target, sessionId: session?.id, connectionId },
    parts,
  );
  const headerLines = toRequestHeaders(snapshot, {
    target,
    subject: routed.subject,
    kind,
    provenance: {
      requestId: peer.requestId,
      traceparent: ids.nextTraceparent(),
      scheme: request.url.startsWith("https:") ? "https" : "http",
      sessionId: session?.id,
    },
  });
  const { remoteAddress, requestId } = peer;
  const protocol = offer &&
    pickSubprotocol(offer.names, routed.isPersistent ? [ACK_PROTOCOL] : []);
  return {
    ...routed,
    request,
    target,
    headerLines,
    connectionId,
    protocol,
    ackClient: toAckClient(offer),
    session,
    remoteAddress,
    requestId,
  };
}

/**
 * Says whether a request asks to become a WebSocket.
 *
 * @param request As it came.
 * @returns True when `Upgrade` names `websocket`.
 */
export function isWebSocketUpgrade(request: Request): boolean {
  return listsToken(request.headers.get("upgrade"), "websocket");
}

function checkHost({ authority }: Target, filters: readonly string[]): void {
  if (filters.length === 0) return;
  const host = toHostName(authority);
  if (filters.some((filter) => isHostMatch(filter, host))) return;
  throw new GatewayError("host_not_served", "This host is not served here");
}

function checkInterest(
  { hostTokens, pathTokens }: Target,
  { method, parts }: { method: string; parts: EdgeParts },
): void {
  if (parts.interests?.has({ hostTokens, pathTokens, method }) ?? true) return;
  throw new GatewayError(
    "no_interest",
    "No workload has registered for this host, path and method",
  );
}

/** RFC 6455 §4.2.1. */
function checkHandshake({ method, headers }: Request): Offer {
  if (method !== "GET") throw malformed("a WebSocket handshake is a GET");
  if (!listsToken(headers.get("connection"), "upgrade")) {
    throw malformed("a WebSocket handshake has Connection: Upgrade");
  }
  if (headers.get("sec-websocket-version") !== "13") {
    const detail = "Only version 13 of the WebSocket protocol is spoken here";
    throw new GatewayError("unsupported_websocket_version", detail);
  }
  if (!/^[A-Za-z0-9+/]{21}[AQgw]==$/.test(headers.get("sec-websocket-key") ?? "")) {
    throw malformed("Sec-WebSocket-Key is not 16 bytes in base64");
  }
  return parseOffer(headers.get("sec-websocket-protocol"));
}

/** What a client says in passing among its subprotocols may be a secret: no workload gets to see it. */
function withPublicOffer(headers: Headers, { names }: Offer): HeaderEntry[] {
  return [...headers].flatMap(([name, value]): HeaderEntry[] => {
    if (name !== "sec-websocket-protocol") return [[name, value]];
    return names.length === 0 ? [] : [[name, names.join(", ")]];
  });
}

function toAckClient(offer: Offer | undefined): string | undefined {
  const id = offer?.asides.ackClient;
  if (id === undefined || isAckClientId(id)) return id;
  throw malformed("h8s.ack.client.<id> needs 16 to 64 characters of A-Z a-z 0-9 _ -");
}

function listsToken(list: string | null, token: string): boolean {
  return list?.toLowerCase().split(",").some((item) => item.trim() === token) ?? false;
}

function malformed(reason: string): GatewayError {
  return new GatewayError("malformed_request", `Cannot upgrade: ${reason}`);
}
