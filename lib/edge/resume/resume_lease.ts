/**
 * The right of this gateway to hold a resumable connection: its record, as long as it says so.
 *
 * @module
 */
import { type ConnectionEnd, toRecordKey } from "../../mapping/connection_record.ts";
import {
  encodeResumeRecord,
  OVER,
  parseResumeRecord,
  RESUME,
  type ResumeRecord,
} from "../../mapping/resume_record.ts";
import type { RecordStore } from "../../nats/jetstream/records.ts";
import { pause } from "../../time/within.ts";
import { LOST } from "../lifetime/connection_records.ts";
import { tell, tellAndTake } from "../lifetime/control_events.ts";
import type { EdgeParts } from "../parts.ts";

/** When what JetStream did not take is tried again. */
const RETRY_MS = 1000;

/** What a lease is made of. */
export interface ResumeLeaseOptions {
  readonly parts: EdgeParts;
  readonly records: RecordStore;
  readonly id: string;
  readonly inbox: string;
  /** Called when somebody else holds the connection. */
  readonly onLost: () => void;
}

/**
 * One record, written in order. Every version is written only on top of the last one that this gateway
 * knows; who is too late has lost the connection.
 */
export class ResumeLease {
  readonly #options: ResumeLeaseOptions;
  #record: ResumeRecord | undefined;
  #revision = 0;
  #isOver = false;
  #writing: Promise<void> = Promise.resolve();

  /**
   * @param options What it is made of.
   */
  constructor(options: ResumeLeaseOptions) {
    this.#options = options;
  }

  /** The connection's. */
  get id(): string {
    return this.#options.id;
  }

  /** The connection's. */
  get inbox(): string {
    return this.#options.inbox;
  }

  /** The newest version, written or not; undefined before the first one. */
  get record(): ResumeRecord | undefined {
    return this.#record;
  }

  /** Of the record as this gateway last wrote it. */
  get revision(): number {
    return this.#revision;
  }

  /** Resolves when all that was to be written has been, or never will be. */
  get settled(): Promise<unknown> {
    return this.#writing;
  }

  /**
   * Makes a record, or takes it over.
   *
   * @param record The new version; this gateway is its owner.
   * @param revision Of the version that it replaces; 0 for a new connection.
   * @returns False when somebody was faster.
   */
  async take(record: ResumeRecord, revision: number): Promise<boolean> {
    const isTaken = await this.#put(record, revision);
    if (isTaken) this.#record = record;
    return isTaken;
  }

  /**
   * Makes a record without waiting for it.
   *
   * @param record The first version.
   */
  begin(record: ResumeRecord): void {
    this.#record = record;
    this.#enqueue(() => this.#write());
  }

  /**
   * Writes a new version, without waiting for it.
   *
   * @param change Makes it from the last one.
   */
  update(change: (record: ResumeRecord) => ResumeRecord): void {
    if (this.#record === undefined) return;
    this.#record = change(this.#record);
    this.#enqueue(() => this.#write());
  }

  /** Looks whether the connection is still held here, and writes the record if JetStream has lost it. */
  verify(): Promise<void> {
    return this.#enqueue(() => this.#check());
  }

  /**
   * Ends the connection, and tells it, unless somebody else holds it. The record says that it is over
   * before the end is told: should this gateway die in between, another one tells it.
   *
   * @param end How it ended.
   * @returns When that is done; never rejects.
   */
  end(end: ConnectionEnd): Promise<void> {
    this.#record = { ...this.#record!, detached: { end, at: OVER } };
    const { connection } = this.#record;
    const { records, parts } = this.#options;
    return this.#enqueue(async () => {
      if (!await this.#holdAtLast()) return;
      await tellAndTake({
        clock: parts.clock,
        tell: () => tell({ type: "closed", ...end }, connection, parts),
        take: () => records.take(this.#key, this.#revision),
        isGivenUp: () => this.#isGivenUp,
        onError: (error) => this.#report(error),
      });
      this.#isOver = true;
    });
  }

  /** Writes and takes no more. */
  drop(): void {
    this.#isOver = true;
  }

  async #write(): Promise<void> {
    if (this.#isOver) return;
    try {
      if (!await this.#hold()) this.#lose();
    } catch (error) {
      this.#report(error);
    }
  }

  async #check(): Promise<void> {
    if (this.#isOver || this.#record === undefined) return;
    try {
      if (!await this.#holdAgain()) this.#lose();
    } catch (error) {
      this.#report(error);
    }
  }

  /** Writes the newest version; false when somebody else holds the connection. */
  async #hold(): Promise<boolean> {
    return await this.#put(this.#record!, this.#revision) || await this.#holdAgain();
  }

  /** The same, when somebody has written or taken the record, or JetStream has lost it. */
  async #holdAgain(): Promise<boolean> {
    const stored = await this.#options.records.get(this.#key);
    const isOurs = stored === undefined
      ? !await this.#wasLost()
      : parseResumeRecord(stored.value).owner === this.#options.parts.gatewayId;
    return isOurs && await this.#put(this.#record!, stored?.revision ?? 0);
  }

  #lose(): void {
    this.#isOver = true;
    this.#options.onLost();
  }

  /** As {@link #hold}, until JetStream answers. */
  async #holdAtLast(): Promise<boolean> {
    while (!this.#isGivenUp) {
      try {
        return await this.#hold();
      } catch (error) {
        this.#report(error);
        await pause(RETRY_MS, { clock: this.#options.parts.clock });
      }
    }
    return false;
  }

  get #isGivenUp(): boolean {
    return this.#isOver || this.#options.parts.bus.state === "closed";
  }

  /** False when the record is not the version that was expected. */
  async #put(record: ResumeRecord, revision: number): Promise<boolean> {
    const value = encodeResumeRecord(record);
    const written = await this.#options.records.replace(this.#key, value, revision);
    this.#revision = written ?? this.#revision;
    return written !== undefined;
  }

  async #wasLost(): Promise<boolean> {
    const { records, parts: { gatewayId } } = this.#options;
    return await records.get(toRecordKey(LOST, gatewayId)) !== undefined;
  }

  get #key(): string {
    return toRecordKey(RESUME, this.id);
  }

  #enqueue(task: () => Promise<void>): Promise<void> {
    return this.#writing = this.#writing.then(task).catch((error) => this.#report(error));
  }

  #report(error: unknown): void {
    const { metrics, log } = this.#options.parts;
    metrics.recordFailed();
    log.warn("the record of a resumable connection cannot be written", { error: String(error) });
  }
}
