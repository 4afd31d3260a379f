/**
 * What a request becomes at the backend.
 *
 * @module
 */
import {
  type HeaderEntry,
  isHopByHop,
  namedByConnection,
  toCanonicalName,
} from "../mapping/headers.ts";

/** Between this daemon and the backend, or said anew by the client library. */
const OWN: ReadonlySet<string> = new Set(["host", "expect"]);
/** The rest of a handshake is the library's; what the client offers is the backend's to pick from. */
const HANDSHAKE = /^(?:sec-websocket-(?!protocol$).*|content-length)$/;

/**
 * The backend's path and query for a request.
 *
 * @param backendUrl The local server; its path is put before the request's.
 * @param target Path and query as the client sent them.
 */
export function toBackendTarget(backendUrl: URL, target: string): string {
  return backendUrl.pathname.replace(/\/$/, "") + target;
}

/**
 * A request's headers for the backend: without those of one hop, `Host` being the backend's.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { toBackendHeaders } from "./backend_request.ts";
 *
 * const headers = [["host", "e.com"], ["te", "trailers"], ["x-a", "1"], ["x-a", "2"]] as const;
 * assert.deepEqual(toBackendHeaders(headers), ["X-A", "1", "X-A", "2"]);
 * ```
 */
export function toBackendHeaders(headers: readonly HeaderEntry[]): string[] {
  return toForwarded(headers).flatMap(([name, value]) => [toCanonicalName(name), value]);
}

/** A handshake's headers for the backend, as the WebSocket library wants them. */
export function toHandshakeHeaders(headers: readonly HeaderEntry[]): Record<string, string[]> {
  const result: Record<string, string[]> = {};
  for (const [name, value] of toForwarded(headers)) {
    const key = name.toLowerCase();
    if (!HANDSHAKE.test(key)) (result[toCanonicalName(key)] ??= []).push(value);
  }
  return result;
}

/** The headers that go on, either way: without those of one hop, and what `Connection` names as such. */
export function toForwarded(headers: readonly HeaderEntry[]): readonly HeaderEntry[] {
  const named = namedByConnection(headers);
  return headers.filter(([name]) => {
    const key = name.toLowerCase();
    return !isHopByHop(key) && !OWN.has(key) && !named?.has(key);
  });
}
