/**
 * A WebSocket's handshake with the backend, and what the backend says to it.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import type { ClientRequest, IncomingMessage } from "node:http";
import { findHeader, type HeaderEntry } from "../mapping/headers.ts";
import { isOwn, listPickable, parseOffer } from "../mapping/subprotocol.ts";
import { toBackendTarget, toForwarded, toHandshakeHeaders } from "./backend_request.ts";
import type { Ws, WsSocket } from "./libraries.ts";

/** A backend that says nothing for so long is down; the gateway waits no longer by default. */
const HANDSHAKE_TIMEOUT_MS = 10_000;

/** What the backend said. */
export type BackendAnswer =
  | {
    readonly kind: "accepted";
    /** What it picked; undefined for none. */
    readonly protocol: string | undefined;
    /** What else is for the client. */
    readonly headers: readonly HeaderEntry[];
  }
  | {
    readonly kind: "refused";
    readonly status: number;
    readonly headers: readonly HeaderEntry[];
    readonly body: Uint8Array;
  }
  | { readonly kind: "failed"; readonly error: unknown };

/** Where the backend is. */
export interface BackendAddress {
  readonly url: URL;
  /** Who vouches for it: certificates in PEM. */
  readonly ca: string | undefined;
}

/** What a client asked for. */
export interface BackendHandshakeOptions extends BackendAddress {
  /** Path and query as the client sent them. */
  readonly target: string;
  /** The client's, names in any case. */
  readonly headers: readonly HeaderEntry[];
  /** The largest message, and the largest body of a refusal, in bytes. */
  readonly maxBytes: number;
}

/**
 * Begins a handshake. The socket reads nothing but the answer until it is resumed.
 *
 * @returns The socket, and what the backend says; that never rejects.
 */
export function shakeHands(
  { WebSocket }: Ws,
  options: BackendHandshakeOptions,
): { readonly socket: WsSocket; readonly answer: Promise<BackendAnswer> } {
  const { url, ca, target, headers, maxBytes } = options;
  const offered = findHeader(headers, "sec-websocket-protocol");
  const offer = offered === undefined ? {} : toOffer(offered);
  const socket = new WebSocket(url, [], {
    headers: { ...toHandshakeHeaders(headers), ...offer },
    ca,
    perMessageDeflate: false,
    maxPayload: maxBytes,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    finishRequest(request) {
      // The library makes a URL of the address, and so another path.
      request.path = toBackendTarget(url, target);
      request.end();
    },
  });
  return { socket, answer: toAnswer(socket, maxBytes) };
}

function toAnswer(socket: WsSocket, maxBytes: number): Promise<BackendAnswer> {
  const { promise, resolve } = Promise.withResolvers<BackendAnswer>();
  let accepted: BackendAnswer | undefined;
  socket.once("upgrade", (response: IncomingMessage) => {
    const protocol = response.headers["sec-websocket-protocol"];
    // The library would have it be one of those that it knows to be offered; the client judges itself.
    delete response.headers["sec-websocket-protocol"];
    accepted = { kind: "accepted", protocol, headers: toClientHeaders(response) };
  });
  socket.once("open", () => {
    socket.pause();
    resolve(accepted!);
  });
  socket.once("unexpected-response", (request: ClientRequest, response: IncomingMessage) => {
    const { statusCode: status = 502 } = response;
    readBody(response, maxBytes)
      .then((body) =>
        resolve({ kind: "refused", status, headers: toClientHeaders(response), body })
      )
      .catch((error) => resolve({ kind: "failed", error }))
      .finally(() => request.destroy());
  });
  socket.once("error", (error) => resolve({ kind: "failed", error }));
  return promise;
}

/** A body that is too large for the answer is left out. */
async function readBody(response: IncomingMessage, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response) {
    length += chunk.length;
    if (length > maxBytes) return new Uint8Array();
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

function toClientHeaders({ rawHeaders }: IncomingMessage): HeaderEntry[] {
  const entries = rawHeaders.flatMap((name, index): HeaderEntry[] =>
    index % 2 === 0 ? [[name, rawHeaders[index + 1] ?? ""]] : []
  );
  return toForwarded(entries).filter(([name]) => !/^sec-websocket-/i.test(name));
}

/** Credentials among the subprotocols are for the backend; what is the gateway's own is not. */
function toOffer(header: string): Record<string, string> {
  const names = parseOffer(header).names.filter((name) => !isOwn(name));
  return names.length === 0 ? {} : { "Sec-WebSocket-Protocol": names.join(", ") };
}

/**
 * What a client was promised by a gateway that asks nobody: the first that it offers.
 *
 * @returns The one name that may be offered to the backend; undefined without one.
 */
export function toPromised(headers: readonly HeaderEntry[]): string | undefined {
  const offered = findHeader(headers, "sec-websocket-protocol");
  return offered === undefined ? undefined : listPickable(parseOffer(offered).names)[0];
}
