/**
 * The right to tell a connection's end: one record, written in order, and what is known of it.
 *
 * Every version is written only on top of the last one that this gateway knows; who is too late has lost the
 * connection. The record says how it ended before that is told: should this gateway die in between, another
 * one tells it.
 *
 * @module
 */
import type { Seated } from "../../crowd.ts";
import type { RecordStore } from "../../nats/jetstream/records.ts";
import type { Clock } from "../../time/clock.ts";
import { pause } from "../../time/within.ts";

/** When what JetStream did not write is tried again. */
const RETRY_MS = 1000;
/** A nats-server that hung reads on where it stopped: by then it has done what it had been asked. */
const CLAIM_AGAIN_MS = 2000;

/**
 * `unrecorded`: nobody could tell the end if this gateway died now; `writing`: that may be about to change;
 * `ours`: the record is there; `ending`: it is to say how the connection ended; `theirs`: somebody else
 * holds the connection, or has told its end.
 */
export type LeaseState = "unrecorded" | "writing" | "ours" | "ending" | "theirs";

/** What happens to a lease. */
export type LeaseEvent = "write" | "written" | "failed" | "end" | "lost";

const MOVES: Readonly<Record<LeaseState, Partial<Record<LeaseEvent, LeaseState>>>> = {
  unrecorded: { write: "writing", end: "ending", lost: "theirs" },
  writing: { written: "ours", failed: "unrecorded", end: "ending", lost: "theirs" },
  ours: { write: "writing", end: "ending", lost: "theirs" },
  ending: { lost: "theirs" },
  theirs: {},
};

/** The state that an event leads to; what is not foreseen changes nothing. */
export function toNext(state: LeaseState, event: LeaseEvent): LeaseState {
  return MOVES[state][event] ?? state;
}

/** What all leases of a gateway share. */
export interface LeaseHome {
  readonly records: RecordStore;
  readonly clock: Clock;
  /** Until it is known how things stand: whether records are kept, and which are still there. */
  readonly settling: Promise<void> | undefined;
  /** Whether records are kept. */
  readonly isOn: boolean;
  readonly isConnected: boolean;
  /** Nothing is waited for any more: what has not been told is left to others. */
  readonly givenUp: AbortSignal;
  /** Whether somebody has told, or is telling, the end of connections that are held here. */
  wasLost(): Promise<boolean>;
  /** Claims a record that may come yet. */
  claimLate(key: string): void;
  /** The records did not do what they were asked. */
  report(error: unknown): void;
  /** Something failed that never should. */
  onFault(error: unknown): void;
}

/** What records of one kind are like. */
export interface RecordKind<T> {
  encode(record: T): Uint8Array;
  /** Whether a record, as it is stored, says that this gateway holds the connection. */
  isOurs(stored: Uint8Array): boolean;
  /** How often it is tried to have the record say how the connection ended, before that is told without. */
  readonly attempts: number;
}

/** What a lease is made of. */
export interface LeaseOptions<T> {
  readonly home: LeaseHome;
  readonly kind: RecordKind<T>;
  readonly key: string;
  /** Called once when somebody else turns out to hold the connection. */
  readonly onLost: () => void;
}

/** One connection's. */
export class Lease<T> implements Seated {
  readonly #options: LeaseOptions<T>;
  #state: LeaseState = "unrecorded";
  #record: T | undefined;
  #revision = 0;
  #busy: Promise<void> | undefined;
  seat: number | undefined;

  constructor(options: LeaseOptions<T>) {
    this.#options = options;
  }

  /** Of its record. */
  get key(): string {
    return this.#options.key;
  }

  get state(): LeaseState {
    return this.#state;
  }

  /** The newest version, written or not; undefined before the first one. */
  get record(): T | undefined {
    return this.#record;
  }

  /** Of the record as this gateway last wrote it; 0 for never. */
  get revision(): number {
    return this.#revision;
  }

  /** Resolves when all that was to be written has been, or never will be. */
  get settled(): Promise<void> {
    return this.#busy ?? Promise.resolve();
  }

  /** Takes over what another gateway wrote; false when somebody was faster. */
  async claim(record: T, revision: number): Promise<boolean> {
    this.#record = record;
    this.#move("write");
    const isOurs = await this.#put(revision);
    this.#move(isOurs ? "written" : "lost");
    return isOurs;
  }

  /** Writes a version, without waiting for it. The first one waits until it is known how things stand. */
  write(record: T): void {
    if (!this.#move("write", "writing")) return;
    this.#record = record;
    const { home } = this.#options;
    void this.#enqueue(async () => {
      if (this.#revision === 0 && home.settling !== undefined) await home.settling;
      if (home.isOn) await this.#attempt(() => this.#hold());
      else this.#move("failed");
    });
  }

  /** Looks whether the connection is still held here, and writes the record if JetStream has lost it. */
  async verify(): Promise<void> {
    if (this.#isAtRest) await this.#enqueue(() => this.#attempt(() => this.#holdAgain()));
  }

  /** The same, where the record is known to be gone. */
  restore(wasLost: boolean): void {
    if (!this.#isAtRest) return;
    if (wasLost && this.#revision > 0) return this.#lose();
    void this.#enqueue(() => this.#attempt(() => this.#put(0)));
  }

  /** Somebody else holds the connection: nothing is written, and nothing told. */
  drop(): void {
    this.#move("lost");
  }

  /**
   * Has the record say that the connection is over, tells it, and claims the record: the last two go to NATS in
   * one write. Who dies has done neither, and another gateway finds the record, or both.
   *
   * @param tell Called once, unless somebody else has told it or will.
   * @returns When that is done; never rejects.
   */
  end(record: T, tell: () => void): Promise<void> {
    return this.#enqueue(() => this.#end(record, tell));
  }

  async #end(record: T, tell: () => void): Promise<void> {
    const { home, key } = this.#options;
    const isDoubtful = this.#state === "unrecorded";
    if (!this.#move("end", "ending")) return;
    this.#record = record;
    const end = await this.#announceEnd();
    if (end === "theirs") return this.drop();
    // What JetStream did not acknowledge may be there after all, and would be taken for a connection.
    if (home.isOn && (isDoubtful || end === "unrecorded")) home.claimLate(key);
    tell();
    if (end === "ours") await this.#claimOwn();
  }

  /** `unrecorded`: it is ours to tell, and nobody would if this gateway died now. */
  async #announceEnd(): Promise<"ours" | "theirs" | "unrecorded"> {
    const { home, kind } = this.#options;
    const { clock, givenUp: signal } = home;
    for (let attempt = 1;; attempt++) {
      while (home.settling !== undefined) await home.settling;
      if (signal.aborted || this.#state === "theirs") return "theirs";
      if (!home.isOn || attempt > kind.attempts) return "unrecorded";
      try {
        return await this.#hold() ? "ours" : "theirs";
      } catch (error) {
        // What failed while the connection was lost says nothing of JetStream.
        if (home.isConnected) home.report(error);
        else attempt = 0;
      }
      await pause(RETRY_MS, { clock, signal });
    }
  }

  async #claimOwn(): Promise<void> {
    const { home: { records, clock, givenUp: signal, report }, key } = this.#options;
    do {
      try {
        await records.claim(key, this.#revision);
        return;
      } catch (error) {
        report(error);
      }
      await pause(CLAIM_AGAIN_MS, { clock, signal });
    } while (!signal.aborted);
  }

  async #attempt(hold: () => Promise<boolean>): Promise<void> {
    if (!this.#move("write", "writing")) return;
    try {
      if (await hold()) this.#move("written");
      else this.#lose();
    } catch (error) {
      this.#move("failed");
      this.#options.home.report(error);
    }
  }

  /** Writes the newest version; false when somebody else holds the connection. */
  async #hold(): Promise<boolean> {
    return await this.#put(this.#revision) || await this.#holdAgain();
  }

  /** The same, when an earlier attempt was not answered, somebody has claimed it, or JetStream has lost it. */
  async #holdAgain(): Promise<boolean> {
    const { home, kind, key } = this.#options;
    const stored = await home.records.get(key);
    const isOurs = stored === undefined
      ? this.#revision === 0 || !await home.wasLost()
      : kind.isOurs(stored.value);
    return isOurs && await this.#put(stored?.revision ?? 0);
  }

  /** False when the record is not the version that was expected. */
  async #put(revision: number): Promise<boolean> {
    const { home: { records }, kind, key } = this.#options;
    const written = await records.replace(key, kind.encode(this.#record!), revision);
    this.#revision = written ?? this.#revision;
    return written !== undefined;
  }

  #lose(): void {
    if (this.#state === "theirs") return;
    this.drop();
    this.#options.onLost();
  }

  get #isAtRest(): boolean {
    return this.#record !== undefined && (this.#state === "ours" || this.#state === "unrecorded");
  }

  /** Says whether it has led where it was to lead. */
  #move(event: LeaseEvent, expected?: LeaseState): boolean {
    this.#state = toNext(this.#state, event);
    return this.#state === expected;
  }

  /** What is asked for first goes to NATS at once, before whatever its connection does next. */
  #enqueue(task: () => Promise<void>): Promise<void> {
    const begun = this.#busy === undefined ? task() : this.#busy.then(task);
    const done = begun.catch((error) => this.#options.home.onFault(error)).finally(() => {
      if (this.#busy === done) this.#busy = undefined;
    });
    return this.#busy = done;
  }
}
