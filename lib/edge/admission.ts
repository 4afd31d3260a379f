/**
 * The checks that a request passes before anything is done for it.
 *
 * @module
 */
import type { RequestKind } from "../mapping/headers.ts";
import { GatewayError } from "../errors.ts";
import {
  type RequestSnapshot,
  type Target,
  toRequestHeaders,
  toTarget,
} from "../mapping/request.ts";
import type { EdgeParts } from "./parts.ts";

/** A request that may go on. */
export interface Admitted {
  readonly request: Request;
  readonly target: Target;
  /** Lines for the header block of its messages. */
  readonly headerLines: string;
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
  const snapshot: RequestSnapshot = {
    method: request.method,
    url: request.url,
    headers: [...request.headers],
    remoteAddress: peer.remoteAddress,
  };
  const target = toTarget(snapshot, { prefix: parts.config.prefix, kind });
  if (kind === "websocket") checkHandshake(request);
  if (parts.bus.state !== "connected") {
    throw new GatewayError("nats_unavailable", "The gateway is not connected to NATS");
  }
  const provenance = {
    requestId: peer.requestId,
    traceparent: parts.ids.nextTraceparent(),
    scheme: request.url.startsWith("https:") ? "https" : "http",
  } as const;
  return { request, target, headerLines: toRequestHeaders(snapshot, { target, kind, provenance }) };
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

/** RFC 6455 §4.2.1. */
function checkHandshake({ method, headers }: Request): void {
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
  const protocols = headers.get("sec-websocket-protocol");
  if (
    protocols !== null && !/^[!#$%&'*+\-.^_`|~\w]+(\s*,\s*[!#$%&'*+\-.^_`|~\w]+)*$/.test(protocols)
  ) {
    throw malformed("Sec-WebSocket-Protocol is not a list of tokens");
  }
}

function listsToken(list: string | null, token: string): boolean {
  return list?.toLowerCase().split(",").some((item) => item.trim() === token) ?? false;
}

function malformed(reason: string): GatewayError {
  return new GatewayError("malformed_request", `Cannot upgrade: ${reason}`);
}
