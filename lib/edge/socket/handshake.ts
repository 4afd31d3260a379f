/**
 * What is kept of a WebSocket's handshake.
 *
 * @module
 */
import type { ListedConnection } from "../../mapping/listing.ts";
import type { Admitted } from "../admission.ts";
import type { Routed } from "../admission/routing.ts";

/** It lives as long as its connection. */
export type Handshake =
  & Omit<Routed, "replyMs" | "idleMs">
  & Pick<
    Admitted,
    | "visit"
    | "target"
    | "connectionId"
    | "socketId"
    | "protocol"
    | "numberScope"
    | "session"
    | "expiresAt"
    | "remoteAddress"
  >
  & {
    /** The text that the client pings with; undefined for one that does not. */
    readonly pingWord: string | undefined;
  };

/** Leaves out what is done with once it is open. */
export function toKeptHandshake(admitted: Admitted): Handshake {
  return {
    subject: admitted.subject,
    subscribe: admitted.subscribe,
    mode: admitted.mode,
    isPersistent: admitted.isPersistent,
    windowMs: admitted.windowMs,
    visit: admitted.visit,
    target: admitted.target,
    session: admitted.session,
    expiresAt: admitted.expiresAt,
    remoteAddress: admitted.remoteAddress,
    connectionId: admitted.connectionId,
    socketId: admitted.socketId,
    protocol: admitted.protocol,
    numberScope: admitted.numberScope,
    pingWord: admitted.offer?.asides.ping,
  };
}

/** What goes into a stream has none: the stream would answer there. */
export function hasReply(
  { mode, isPersistent }: Pick<Handshake, "mode" | "isPersistent">,
): boolean {
  return mode === "request" && !isPersistent;
}

/**
 * What is told to those who ask who is connected.
 *
 * @param options `inbox`: what is published there reaches it; `since`: in milliseconds since 1970.
 */
export function describeHandshake(
  { connectionId, subject, target, remoteAddress, protocol, session }: Handshake,
  { inbox, since }: { inbox: string; since: number },
): ListedConnection {
  const { authority, path, query } = target;
  return {
    id: connectionId!,
    inbox,
    subject,
    host: authority,
    path,
    query,
    remote: remoteAddress,
    since: new Date(since).toISOString(),
    protocol: protocol ?? "",
    ...(session === undefined ? {} : { session: session.id }),
  };
}
