/**
 * One wildcard subscription for all replies of this gateway, told apart by id. Requests and
 * WebSocket connections each hold one slot of it.
 *
 * @module
 */
import { INBOX } from "../mapping/names.ts";
import { toAckedStream } from "../mapping/stream_ack.ts";
import { type Bus, type BusMessage, type BusSubscription, toKept } from "./bus.ts";

/** How often deadlines are looked at, in milliseconds: what a timeout may be late by. */
const SWEEP_INTERVAL_MS = 100;

/** Why waiting any longer is in vain: the connection to NATS was lost, or the gateway stops. */
export type AbortReason = "nats_disconnected" | "draining";

/** Who gets the messages of one slot. */
export interface Receiver {
  /**
   * Whether it waits for a stream's acknowledgement. For all others that is no answer: a stream that
   * nobody told the gateway of captured what was published.
   */
  readonly takesAcks?: boolean;
  /** Whether it keeps nothing of a message's data; see `SubscribeOptions` of the bus. */
  readonly borrows?: boolean;
  /** Called for each message to the slot's subject. */
  onMessage(message: BusMessage): void;
  /** Called once when the deadline has passed; the slot stays until it is released. */
  onDeadline?(): void;
  /** Called at the first sweep that finds the slot taken: it has been waiting for a while. */
  onWaiting?(): void;
  /** Called when no message will come any more, or may have been lost. */
  onAbort?(reason: AbortReason): void;
}

/** Told what a receiver throws, and when it was called. */
export type OnInboxFault = (stage: "message" | "timer", error: unknown) => void;

function rethrow(_stage: string, error: unknown): never {
  throw error;
}

/** A place in the inbox. */
export interface Slot {
  /** Unique for the life of the process; one token. */
  readonly id: string;
  /** `_INBOX.h8s.<gateway>.<id>`: what is published there reaches the receiver. */
  readonly subject: string;
  /**
   * (Re)starts the deadline.
   *
   * @param timeoutMs From now, in milliseconds.
   */
  setDeadline(timeoutMs: number): void;
  /** Gives the place back; later messages to the subject are ignored. */
  release(): void;
}

/** Who is told of what is nobody's answer. */
export interface InboxWatcher {
  /** A stream has acknowledged what was no message for it. */
  ack(stream: string): void;
  /** A message has come whose slot was released. */
  unclaimed(message: BusMessage): void;
}

class InboxSlot implements Slot {
  deadline = Number.POSITIVE_INFINITY;
  isNew = true;
  readonly #onRelease: (slot: InboxSlot) => void;

  constructor(
    readonly index: number,
    readonly id: string,
    readonly subject: string,
    readonly receiver: Receiver,
    onRelease: (slot: InboxSlot) => void,
  ) {
    this.#onRelease = onRelease;
  }

  setDeadline(timeoutMs: number): void {
    // To ask for the time is much of what a chunk costs.
    this.deadline = timeoutMs === Infinity ? timeoutMs : performance.now() + timeoutMs;
  }

  release(): void {
    this.#onRelease(this);
  }
}

/**
 * The slots, in an array with a free list: an id is index and generation, so that a late reply to a
 * slot that was given away again reaches nobody.
 */
export class Inbox implements Disposable {
  readonly #root: string;
  readonly #watcher: InboxWatcher | undefined;
  readonly #slots: (InboxSlot | undefined)[] = [];
  readonly #generations: number[] = [];
  readonly #free: number[] = [];
  /** The one that the last message was for. */
  #last: InboxSlot | undefined;
  readonly #subscription: BusSubscription;
  readonly #endState: () => void;
  readonly #onFault: OnInboxFault;
  readonly #timer: ReturnType<typeof setInterval>;

  /**
   * Subscribes to `_INBOX.h8s.<gateway>.*`.
   *
   * @param options `watcher`: told of what is nobody's answer; `onFault`: told what a receiver throws, while
   * the others go on.
   */
  constructor(
    bus: Bus,
    gatewayId: string,
    { watcher, onFault = rethrow }: { watcher?: InboxWatcher; onFault?: OnInboxFault } = {},
  ) {
    this.#onFault = onFault;
    this.#root = `${INBOX}.${gatewayId}.`;
    this.#watcher = watcher;
    this.#subscription = bus.subscribe(`${this.#root}*`, (message) => this.#dispatch(message), {
      borrows: true,
    });
    this.#endState = bus.onState((state) => {
      if (state !== "connected") this.abort("nats_disconnected");
    });
    this.#timer = setInterval(() => this.#sweep(), SWEEP_INTERVAL_MS);
  }

  /** Takes a slot. */
  open(receiver: Receiver): Slot {
    const index = this.#free.pop() ?? this.#slots.length;
    const generation = this.#generations[index] ?? 0;
    this.#generations[index] = generation + 1;
    const id = `${index}-${generation}`;
    const slot = new InboxSlot(index, id, this.#root + id, receiver, this.#release);
    this.#slots[index] = slot;
    return slot;
  }

  /** Tells all receivers that waiting is in vain. */
  abort(reason: AbortReason): void {
    this.#each((slot) => slot.receiver.onAbort?.(reason));
  }

  /** Ends the subscription and the sweep. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#endState();
    this.#subscription.unsubscribe();
  }

  #dispatch(message: BusMessage): void {
    const slot = this.#find(message.subject);
    if (slot === undefined) return this.#watcher?.unclaimed(message);
    const { receiver } = slot;
    try {
      const stream = receiver.takesAcks ? undefined : toAckedStream(message.headers, message.data);
      if (stream === undefined) receiver.onMessage(receiver.borrows ? message : toKept(message));
      else this.#watcher?.ack(stream);
    } catch (error) {
      this.#onFault("message", error);
    }
  }

  #find(subject: string): InboxSlot | undefined {
    // The chunks of a stream come one behind another.
    if (this.#last?.subject === subject) return this.#last;
    const slot = this.#slots[toIndex(subject, this.#root.length)];
    if (slot?.subject !== subject) return undefined;
    return this.#last = slot;
  }

  readonly #release = (slot: InboxSlot): void => {
    if (this.#slots[slot.index] !== slot) return;
    this.#slots[slot.index] = undefined;
    this.#free.push(slot.index);
    if (this.#last === slot) this.#last = undefined;
  };

  #sweep(): void {
    const now = performance.now();
    this.#each((slot) => {
      if (slot.deadline <= now) {
        slot.deadline = Number.POSITIVE_INFINITY;
        slot.receiver.onDeadline?.();
      } else if (slot.isNew) {
        slot.isNew = false;
        slot.receiver.onWaiting?.();
      }
    });
  }

  #each(visit: (slot: InboxSlot) => void): void {
    for (const slot of this.#slots) {
      if (slot === undefined) continue;
      try {
        visit(slot);
      } catch (error) {
        this.#onFault("timer", error);
      }
    }
  }
}

/** The number that a text has there; by hand, that is six times as fast as cut out and parsed. */
function toIndex(text: string, begin: number): number {
  let index = 0;
  for (let at = begin; at < text.length; at++) {
    const digit = text.charCodeAt(at) - 48;
    if (digit < 0 || digit > 9) break;
    index = index * 10 + digit;
  }
  return index;
}
