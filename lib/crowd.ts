/**
 * Those who come and go, in no order: as a set, for many of which each is there for a short time only.
 *
 * A `Set` or `Map` of V8 makes itself a new table whenever one is used up by whoever came and went. The old one
 * goes on holding all that was in it, and the next one; and what has once got among V8's old objects is taken for
 * alive until all of the heap is looked through. So nobody who came would be collected while young.
 *
 * @module
 */

/** Somebody in a crowd; of one crowd at a time. */
export interface Seated {
  /** Where; for the crowd alone. */
  seat: number | undefined;
}

/** All of them. Those who come while it is iterated may be left out. */
export class Crowd<T extends Seated> implements Iterable<T> {
  readonly #seats: (T | undefined)[] = [];
  readonly #free: number[] = [];

  /** How many there are. */
  get size(): number {
    return this.#seats.length - this.#free.length;
  }

  /** Lets somebody in; once, however often it is called. */
  add(member: T): void {
    if (member.seat !== undefined) return;
    const seat = this.#free.pop() ?? this.#seats.length;
    this.#seats[seat] = member;
    member.seat = seat;
  }

  /** Lets somebody go; nothing happens to who is not there. */
  delete(member: T): void {
    const { seat } = member;
    if (seat === undefined) return;
    this.#seats[seat] = undefined;
    this.#free.push(seat);
    member.seat = undefined;
  }

  /** Lets all go. */
  clear(): void {
    for (const member of this) this.delete(member);
  }

  *[Symbol.iterator](): Iterator<T> {
    for (let seat = 0; seat < this.#seats.length; seat++) {
      const member = this.#seats[seat];
      if (member !== undefined) yield member;
    }
  }
}
