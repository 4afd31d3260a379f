/**
 * A connection to a server, by the lane where it is open.
 *
 * @module
 */
import type { NatsConnection } from "@nats-io/nats-core";
import type { BusMessage, PublishOptions, SubscribeOptions } from "../bus.ts";
import type { FastLane } from "./fast_lane.ts";
import { flushPending, type OnSessionFault, publishOn, subscribeOn } from "./wire.ts";

/** A connection with the way past the client library. */
export interface ServerLink {
  readonly connection: NatsConnection;
  readonly lane: FastLane;
}

/** Who is told of what goes wrong. */
export interface Hooks {
  readonly onError: (error: Error) => void;
  readonly onFault: OnSessionFault;
}

/** A message to be published. */
export interface OutgoingMessage {
  readonly subject: string;
  readonly data: Uint8Array;
  readonly options: PublishOptions;
}

/** A subscription that outlives connections. */
export interface Registration {
  readonly subject: string;
  readonly options: SubscribeOptions;
  /** Asked for each message, since it changes while everything moves. */
  onMessage: (message: BusMessage) => void;
  /** Ends it at the server; undefined until connected. */
  end: (() => void) | undefined;
}

/**
 * Subscribes on a connection.
 *
 * @param hooks Who gets the errors; who gets the messages, if not the registration.
 * @returns Ends the subscription at once.
 */
export function subscribeVia(
  { connection, lane }: ServerLink,
  registration: Registration,
  { onError, onFault, onMessage = (message) => registration.onMessage(message) }: Hooks & {
    onMessage?: (message: BusMessage) => void;
  },
): () => void {
  const { subject, options } = registration;
  const end = subscribeOn(connection, {
    ...{ subject, options, lane, onMessage, onError, onFault },
  });
  flushPending(connection);
  return () => {
    end();
    flushPending(connection);
  };
}

/** Publishes on a connection, by the lane where it is open. */
export function publishVia(
  { connection, lane }: ServerLink,
  message: OutgoingMessage,
): void {
  const maxPayload = connection.info?.max_payload ?? Number.POSITIVE_INFINITY;
  if (!lane.isOn || !lane.publish(message, maxPayload)) publishOn(connection, message);
}

/** Undefined where messages go through the client library: for good, or while there is no socket. */
export function openLaneOf({ lane }: ServerLink): FastLane | undefined {
  return lane.isOn && lane.isOpen ? lane : undefined;
}
