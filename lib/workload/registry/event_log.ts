/**
 * Which events were heard: a gateway tells one again where it may have been lost with a connection.
 *
 * @module
 */

/** An event comes again after a reconnect, so many others later at most. */
const MAX_EVENTS = 65_536;

/**
 * Remembers the latest ones by their `X-H8s-Event-Id`. Of what several replicas share, each gets a part; but
 * each hears every event itself, and before its part of it.
 */
export class EventLog {
  /** In the order in which they were heard, since a map keeps the order of its keys. */
  readonly #heard = new Map<string, number>();

  /**
   * Notes that an event came.
   *
   * @param id Its own; undefined where its gateway tells none.
   */
  hear(id: string | undefined): boolean {
    if (id === undefined) return true;
    const count = (this.#heard.get(id) ?? 0) + 1;
    this.#heard.set(id, count);
    if (this.#heard.size > MAX_EVENTS) this.#heard.delete(this.#heard.keys().next().value!);
    return count === 1;
  }

  /**
   * Says whether an event came more than once.
   *
   * @param id Its own; undefined where its gateway tells none.
   */
  isRepeated(id: string | undefined): boolean {
    return id !== undefined && (this.#heard.get(id) ?? 0) > 1;
  }

  /** Says whether an event came. */
  has(id: string): boolean {
    return this.#heard.has(id);
  }
}
