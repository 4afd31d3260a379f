/**
 * Who is in which room: several tabs of one client count once.
 *
 * @module
 */
import type { Place } from "./subjects.ts";

/** Counts connections. */
export class Presence {
  /** Room → session → connections. */
  readonly #rooms = new Map<string, Map<string, Set<string>>>();

  /**
   * Somebody has opened a tab.
   *
   * @param place Who, and where.
   * @param connectionId Of the tab's WebSocket.
   */
  add({ room, session }: Place, connectionId: string): void {
    const sessions = this.#rooms.get(room) ?? new Map<string, Set<string>>();
    this.#rooms.set(room, sessions);
    const connections = sessions.get(session) ?? new Set();
    sessions.set(session, connections.add(connectionId));
  }

  /**
   * Somebody has closed a tab.
   *
   * @param place Who, and where.
   * @param connectionId Of the tab's WebSocket.
   */
  remove({ room, session }: Place, connectionId: string): void {
    const sessions = this.#rooms.get(room);
    const connections = sessions?.get(session);
    connections?.delete(connectionId);
    if (connections?.size === 0) sessions?.delete(session);
    if (sessions?.size === 0) this.#rooms.delete(room);
  }

  /** The rooms with somebody in them. */
  rooms(): string[] {
    return [...this.#rooms.keys()];
  }

  /** Who is in a room, in the order in which they came. */
  sessions(room: string): string[] {
    return [...this.#rooms.get(room)?.keys() ?? []];
  }

  /** Where somebody is. */
  roomsOf(session: string): string[] {
    return this.rooms().filter((room) => this.#rooms.get(room)?.has(session));
  }
}
