/**
 * What is used of the NATS client and is no part of its interface. Its version is pinned exactly for
 * that; where another one comes in all the same, this says so before anything is lost.
 *
 * @module
 */
import { MsgImpl, type ProtocolHandler } from "@nats-io/nats-core/internal";

/** As deno.json pins it. */
export const TRIED_VERSION = "3.4.0";

const METHODS = [
  "dialLoop",
  "disconnected",
  "flushPending",
  "getServer",
  "isClosed",
  "prepare",
  "resetOutbound",
];

/**
 * Looks whether all is there.
 *
 * @param protocol What a connection of the client is made of.
 * @throws {Error} when something is not.
 */
export function checkPrivateParts(protocol: ProtocolHandler): void {
  const parts = protocol as unknown as Record<string, unknown>;
  const isMessage = ["_msg", "_rdata"].every((name) =>
    Object.hasOwn(new MsgImpl(NO_MESSAGE, new Uint8Array(), protocol), name)
  );
  const missing = [
    ...METHODS.filter((name) => typeof parts[name] !== "function"),
    ...(Array.isArray(parts.pongs) ? [] : ["pongs"]),
    ...(typeof parts.connected === "boolean" ? [] : ["connected"]),
    ...(typeof protocol.outbound?.size === "function" ? [] : ["outbound.size"]),
    ...(isMessage ? [] : ["a message's bytes"]),
  ];
  if (missing.length === 0) return;
  throw new Error(
    `Cannot use this @nats-io/nats-core: it has no ${missing.join(", ")}; ` +
      `install the version that this was tried with, ${TRIED_VERSION}`,
  );
}

const NO_MESSAGE = {
  subject: new Uint8Array(),
  reply: new Uint8Array(),
  hdr: -1,
  sid: 0,
  size: 0,
};
