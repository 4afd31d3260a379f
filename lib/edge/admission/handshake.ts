/**
 * The shape of a WebSocket handshake (RFC 6455 §4.2.1).
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import { isAckClientId } from "../../mapping/ack.ts";
import { type HeaderEntry, valueOf } from "../../mapping/headers.ts";
import { type Offer, parseOffer } from "../../mapping/subprotocol.ts";

/**
 * Says whether a request asks to become a WebSocket.
 *
 * @returns True when `Upgrade` names `websocket`.
 */
export function isWebSocketUpgrade(headers: readonly HeaderEntry[]): boolean {
  return listsToken(valueOf(headers, "upgrade"), "websocket");
}

/**
 * Checks a handshake.
 *
 * @throws {GatewayError} `malformed_request` or `unsupported_websocket_version`.
 */
export function parseHandshake(method: string, headers: readonly HeaderEntry[]): Offer {
  if (method !== "GET") throw malformed("a WebSocket handshake is a GET");
  if (!listsToken(valueOf(headers, "connection"), "upgrade")) {
    throw malformed("a WebSocket handshake has Connection: Upgrade");
  }
  // Where an earlier line says h2c, Deno takes the handshake and then answers nothing (denoland/deno,
  // libs/http_h1/protocol.rs); and lines and lists look alike here.
  if (/^\s*h2c\s*,/i.test(valueOf(headers, "upgrade") ?? "")) {
    throw malformed("Upgrade names h2c first, which is not spoken here");
  }
  if (valueOf(headers, "sec-websocket-version") !== "13") {
    const detail = "Only version 13 of the WebSocket protocol is spoken here";
    throw new GatewayError("unsupported_websocket_version", detail);
  }
  if (!/^[A-Za-z0-9+/]{21}[AQgw]==$/.test(valueOf(headers, "sec-websocket-key") ?? "")) {
    throw malformed("Sec-WebSocket-Key is not 16 bytes in base64");
  }
  const offer = parseOffer(valueOf(headers, "sec-websocket-protocol") ?? null);
  const { ackClient, ping } = offer.asides;
  checkWord("ack.client.<id>", ackClient);
  checkWord("ping.<word>", ping);
  return offer;
}

function checkWord(name: string, word: string | undefined): void {
  if (word === undefined || isAckClientId(word)) return;
  throw malformed(`h8s.${name} needs 16 to 64 characters of A-Z a-z 0-9 _ -`);
}

function listsToken(list: string | undefined, token: string): boolean {
  const all = list?.toLowerCase() ?? "";
  return all === token || all.split(",").some((item) => item.trim() === token);
}

function malformed(reason: string): GatewayError {
  return new GatewayError("malformed_request", `Cannot upgrade: ${reason}`);
}
