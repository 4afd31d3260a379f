/**
 * How a response gets to its client.
 *
 * @module
 */
import type { EdgeParts } from "../parts.ts";
import { ResponseStream, type ResponseStreamOwner } from "./stream.ts";

/** Whom a response goes to. */
export interface Delivery {
  /** Which connection the client has, of all that there are. */
  readonly connection: string;
  /** The client does not take it, and is waited for no longer. */
  onGivenUp(): void;
}

/** What it takes to serve a request. */
export type HttpParts =
  & Pick<EdgeParts, "bursts" | "bus" | "config" | "deadlines" | "gatewayId" | "ids" | "inbox">
  & Pick<EdgeParts, "keys" | "log" | "metrics" | "outbox" | "persist" | "sending" | "strays">
  & Pick<EdgeParts, "windows">;

/** Opens a body that is handed on as the client takes it. */
export function openBody(
  owner: ResponseStreamOwner,
  { to: { connection }, parts }: { to: Delivery; parts: HttpParts },
): ResponseStream {
  const { responseBuffer: bufferBytes, sendTimeout: stallMs } = parts.config();
  return new ResponseStream({ bufferBytes, stallMs, connection, budget: parts.sending }, owner);
}
