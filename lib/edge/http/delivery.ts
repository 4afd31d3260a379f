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

/** What a response is delivered with. */
export interface DeliveryOptions {
  readonly parts: EdgeParts;
  readonly delivery: Delivery;
}

/** Opens a body that is handed on as the client takes it. */
export function openStream(
  owner: ResponseStreamOwner,
  { delivery: { connection }, parts }: DeliveryOptions,
): ResponseStream {
  const { responseBuffer: bufferBytes, sendTimeout: stallMs } = parts.config();
  return new ResponseStream({ bufferBytes, stallMs, connection, budget: parts.sending }, owner);
}
