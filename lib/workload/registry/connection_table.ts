/**
 * Connections in memory, found by id, subject and gateway.
 *
 * @module
 */
import type { KnownConnection } from "../../mapping/socket_message.ts";

/** Nothing but the maps. */
export class ConnectionTable {
  readonly #byId = new Map<string, KnownConnection>();
  readonly #bySubject = new Map<string, Set<KnownConnection>>();
  readonly #byGateway = new Map<string, Set<KnownConnection>>();

  /** How many there are. */
  get size(): number {
    return this.#byId.size;
  }

  /**
   * Adds a connection.
   *
   * @param connection Unknown so far.
   * @returns False when its id is known; then nothing changes.
   */
  add(connection: KnownConnection): boolean {
    if (this.#byId.has(connection.id)) return false;
    this.#byId.set(connection.id, connection);
    addTo(this.#bySubject, connection.subject, connection);
    addTo(this.#byGateway, connection.gateway, connection);
    return true;
  }

  /**
   * Gives a connection to another gateway.
   *
   * @returns False when its id is unknown.
   */
  move(id: string, gateway: string): boolean {
    const connection = this.#byId.get(id);
    if (connection === undefined) return false;
    const moved = { ...connection, gateway };
    removeFrom(this.#bySubject, connection.subject, connection);
    removeFrom(this.#byGateway, connection.gateway, connection);
    this.#byId.set(id, moved);
    addTo(this.#bySubject, moved.subject, moved);
    addTo(this.#byGateway, gateway, moved);
    return true;
  }

  /**
   * Removes a connection.
   *
   * @returns What was removed, or undefined.
   */
  remove(id: string): KnownConnection | undefined {
    const connection = this.#byId.get(id);
    if (connection === undefined) return undefined;
    this.#byId.delete(id);
    removeFrom(this.#bySubject, connection.subject, connection);
    removeFrom(this.#byGateway, connection.gateway, connection);
    return connection;
  }

  /** All of them, in the order in which they became known. */
  all(): KnownConnection[] {
    return [...this.#byId.values()];
  }

  /**
   * Those with a subject.
   *
   * @param subject What their messages are published to.
   * @returns In the order in which they became known.
   */
  ofSubject(subject: string): KnownConnection[] {
    return [...this.#bySubject.get(subject) ?? []];
  }

  /**
   * Those of a gateway.
   *
   * @returns In the order in which they became known.
   */
  ofGateway(gateway: string): KnownConnection[] {
    return [...this.#byGateway.get(gateway) ?? []];
  }
}

function addTo(
  map: Map<string, Set<KnownConnection>>,
  key: string,
  connection: KnownConnection,
): void {
  const set = map.get(key);
  if (set === undefined) map.set(key, new Set([connection]));
  else set.add(connection);
}

function removeFrom(
  map: Map<string, Set<KnownConnection>>,
  key: string,
  connection: KnownConnection,
): void {
  const set = map.get(key);
  set?.delete(connection);
  if (set?.size === 0) map.delete(key);
}
