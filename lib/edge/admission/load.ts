/**
 * How much goes on at once: connections, overall and of each client, and requests in flight.
 *
 * @module
 */
import { GatewayError } from "../../errors.ts";
import { toClientKey } from "../../mapping/address.ts";
import type { Check } from "./check.ts";

/** How many WebSockets there may be; 0 for any number. */
export interface ConnectionLimits {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
}

/** One among the connections; given back once. */
export interface Place extends Disposable {
  /** The client address's. */
  readonly key: string;
  readonly isTaken: boolean;
}

/** Counts what goes on, whether it is limited or not: limits may come later. */
export class Load {
  readonly #connections = new Map<string, number>();
  /** Connections that are open, about to be, or waited for until their clients come back. */
  #total = 0;
  #requests = 0;

  /** Requests that have not been answered to the end, the latest included. */
  get requests(): number {
    return this.#requests;
  }

  /** A request came. */
  requestBegun(): void {
    this.#requests++;
  }

  /** A request was answered to the end. */
  requestEnded(): void {
    this.#requests--;
  }

  /**
   * Takes a place among the connections if there is one.
   *
   * @param own The place that the same connection has, and leaves for this one.
   * @throws {GatewayError} when there is none.
   */
  connect(address: string, limits: ConnectionLimits, own?: Place): Place {
    this.checkConnection(address, limits, own);
    return this.take(address);
  }

  /** Takes a place whether there is one or not: what cannot be refused counts all the same. */
  take(address: string): Place {
    const key = toClientKey(address);
    this.#total++;
    this.#connections.set(key, (this.#connections.get(key) ?? 0) + 1);
    return new TakenPlace(key, this.#disconnect);
  }

  /**
   * Says whether there is a place among the connections.
   *
   * @throws {GatewayError} `too_many_connections` or `too_many_connections_from_address`.
   */
  checkConnection(address: string, limits: ConnectionLimits, own?: Place): void {
    const { maxConnections, maxConnectionsPerAddress: maxPerAddress } = limits;
    const ownKey = own?.isTaken ? own.key : undefined;
    if (maxConnections > 0 && this.#total - Number(ownKey !== undefined) >= maxConnections) {
      throw new GatewayError("too_many_connections", "All connections are taken");
    }
    if (maxPerAddress === 0) return;
    const key = toClientKey(address);
    const others = (this.#connections.get(key) ?? 0) - Number(key === ownKey);
    if (others < maxPerAddress) return;
    const detail = `There are ${maxPerAddress} connections from this address already`;
    throw new GatewayError("too_many_connections_from_address", detail);
  }

  readonly #disconnect = (key: string): void => {
    this.#total--;
    const left = this.#connections.get(key)! - 1;
    if (left === 0) this.#connections.delete(key);
    else this.#connections.set(key, left);
  };
}

class TakenPlace implements Place {
  readonly #leave: (key: string) => void;
  #isTaken = true;

  constructor(readonly key: string, leave: (key: string) => void) {
    this.#leave = leave;
  }

  get isTaken(): boolean {
    return this.#isTaken;
  }

  [Symbol.dispose](): void {
    if (this.#isTaken) this.#leave(this.key);
    this.#isTaken = false;
  }
}

/**
 * How many WebSockets there are. Who comes back to one that counts already needs no other place: that is
 * known only once its token has been looked up.
 *
 * @returns The check; it throws `too_many_connections` or `too_many_connections_from_address`.
 */
export function connectionLimit(limits: ConnectionLimits, load: Load): Check {
  return ({ kind, peer, offer }) => {
    const isComingBack = offer?.asides.resumeToken !== undefined;
    if (kind === "websocket" && !isComingBack) load.checkConnection(peer.clientAddress, limits);
  };
}

/**
 * How many requests are in flight.
 *
 * @returns The check; it throws `overloaded`.
 */
export function inFlightLimit(limit: number, load: Load): Check {
  return () => {
    if (load.requests <= limit) return;
    throw new GatewayError("overloaded", `There are ${limit} requests in flight already`);
  };
}
