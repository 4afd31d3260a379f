/**
 * One subscription on two connections for a moment, while everything moves from one to the other: each
 * message is delivered once, in its order.
 *
 * @module
 */
import { decodeLatin1 } from "../../mapping/latin1.ts";
import { type BusMessage, toKept } from "../bus.ts";

/** Copies of one message come within this time; other messages that look the same do not. */
export const COPY_MS = 400;

/**
 * The old connection delivers until its subscription has ended; what comes over the new one waits. Then what
 * both had is taken away, and the rest follows: so nothing overtakes. Copies are told by all of their bytes.
 */
export class Overlap {
  /** Gets each message. */
  readonly deliver: (message: BusMessage) => void;
  readonly #now: () => number;
  /** When messages came over the old connection and not yet over the new one, oldest first. */
  readonly #unmatched = new Map<string, number[]>();
  #held: { readonly message: BusMessage; readonly at: number }[] = [];
  #hasEnded = false;

  /** @param now A clock in milliseconds. */
  constructor(deliver: (message: BusMessage) => void, now: () => number = () => performance.now()) {
    this.deliver = deliver;
    this.#now = now;
  }

  /** True when there is only the new connection. */
  get hasEnded(): boolean {
    return this.#hasEnded;
  }

  /**
   * A message came over the old connection.
   *
   * @param message Delivered at once.
   */
  onOld(message: BusMessage): void {
    const key = toKey(message);
    const times = this.#unmatched.get(key);
    if (times === undefined) this.#unmatched.set(key, [this.#now()]);
    else times.push(this.#now());
    this.deliver(message);
  }

  /**
   * A message came over the new connection.
   *
   * @param message Held until the old one has ended.
   */
  onNew(message: BusMessage): void {
    if (this.#hasEnded) this.deliver(message);
    else this.#held.push({ message: toKept(message), at: this.#now() });
  }

  /** Nothing comes over the old connection any more. */
  end(): void {
    const held = this.#held;
    this.#held = [];
    this.#hasEnded = true;
    for (const { message, at } of held) if (!this.#takeCopy(message, at)) this.deliver(message);
    this.#unmatched.clear();
  }

  #takeCopy(message: BusMessage, at: number): boolean {
    const times = this.#unmatched.get(toKey(message));
    const index = times?.findIndex((time) => Math.abs(time - at) <= COPY_MS) ?? -1;
    if (index === -1) return false;
    times!.splice(index, 1);
    return true;
  }
}

function toKey({ subject, reply, headers, data }: BusMessage): string {
  const bytes = decodeLatin1(data);
  return [subject, reply, headers, bytes].join("\0");
}
