/**
 * What WebSocket clients said and NATS has not taken, counted for each and for all: a WebSocket cannot be
 * paused, so whoever says too much has to go.
 *
 * @module
 */
import { Crowd, type Seated } from "../../crowd.ts";
import type { Bus } from "../../nats/bus.ts";

/** As long as the connection to NATS holds less than this, nobody is too fast and nothing is counted. */
const FREE_BYTES = 64 * 1024;

/** The bounds, asked for each message. */
export interface ReceiveLimits {
  /** For each client, in bytes. */
  readonly wsReceiveBuffer: number;
  /** For all clients together, in bytes. */
  readonly wsReceiveTotal: number;
}

/** The bytes of all clients. */
export class ReceiveBudget {
  readonly #bus: Bus;
  readonly #limits: () => ReceiveLimits;
  readonly #accounts = new Crowd<ReceiveAccount>();
  #published = 0;
  #held = 0;

  constructor(bus: Bus, limits: () => ReceiveLimits) {
    this.#bus = bus;
    this.#limits = limits;
  }

  /**
   * Begins to count one client's bytes.
   *
   * @param onExceeded Called when the client has to go: it exceeds its own bound, or exceeds others most.
   */
  open(onExceeded: () => void): ReceiveAccount {
    const account = new ReceiveAccount(this, onExceeded);
    this.#accounts.add(account);
    return account;
  }

  /** How many bytes wait here for NATS. */
  get held(): number {
    return this.#held;
  }

  /** How many bytes have been published so far, as far as they were counted. */
  get published(): number {
    return this.#published;
  }

  /** Up to which of the published bytes the operating system has taken all. */
  get written(): number {
    return this.#published - this.#bus.unsentBytes;
  }

  /** True while the connection takes everything at once. */
  get isFree(): boolean {
    return this.#bus.unsentBytes < FREE_BYTES;
  }

  /** Counts what was published. */
  addPublished(bytes: number): number {
    return this.#published += bytes;
  }

  /** Counts what is held besides. */
  addHeld(bytes: number): void {
    this.#held += bytes;
  }

  /** Looks whether somebody has to go after an account has grown. */
  check(account: ReceiveAccount): void {
    const { wsReceiveBuffer, wsReceiveTotal } = this.#limits();
    if (account.bytes > wsReceiveBuffer) return account.onExceeded();
    if (this.#held + this.#bus.unsentBytes <= wsReceiveTotal) return;
    let largest = account;
    for (const other of this.#accounts) if (other.bytes > largest.bytes) largest = other;
    largest.onExceeded();
  }

  /** Counts an account no longer. */
  remove(account: ReceiveAccount): void {
    this.#accounts.delete(account);
  }
}

/** The bytes of one client. */
export class ReceiveAccount implements Seated {
  readonly #budget: ReceiveBudget;
  /** Published, in order: where each run of bytes ends, and how long it is. */
  readonly #runs: { end: number; bytes: number }[] = [];
  #unsent = 0;
  #held = 0;
  seat: number | undefined;

  constructor(budget: ReceiveBudget, readonly onExceeded: () => void) {
    this.#budget = budget;
  }

  /** How many of its bytes wait, as of the last message. */
  get bytes(): number {
    return this.#unsent + this.#held;
  }

  /** The client's message was handed to the connection. */
  publish(bytes: number): void {
    if (this.#budget.isFree) {
      this.#runs.length = this.#unsent = 0;
      return;
    }
    this.#settle();
    const before = this.#budget.published;
    const end = this.#budget.addPublished(bytes);
    const last = this.#runs.at(-1);
    if (last?.end === before) {
      last.end = end;
      last.bytes += bytes;
    } else {
      this.#runs.push({ end, bytes });
    }
    this.#unsent += bytes;
    this.#budget.check(this);
  }

  /**
   * The client's message waits for something else: for NATS to come back, or for JetStream.
   *
   * @param bytes Its length; {@link release} gives it back.
   */
  hold(bytes: number): void {
    this.#held += bytes;
    this.#budget.addHeld(bytes);
    this.#budget.check(this);
  }

  /** What was held is taken, or given up. */
  release(bytes: number): void {
    this.#held -= bytes;
    this.#budget.addHeld(-bytes);
  }

  /** The client is gone and says no more; what is held stays counted until it is released. */
  close(): void {
    this.#budget.remove(this);
  }

  #settle(): void {
    const { written } = this.#budget;
    let done = 0;
    for (const run of this.#runs) {
      const taken = Math.min(run.bytes, Math.max(0, written - (run.end - run.bytes)));
      this.#unsent -= taken;
      run.bytes -= taken;
      if (run.bytes > 0) break;
      done++;
    }
    this.#runs.splice(0, done);
  }
}
