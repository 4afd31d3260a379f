/**
 * The records of this gateway's connections: what others need to tell their end, should it die.
 *
 * A record and the right to tell a connection's end are one: whoever claims the record tells it. So it is
 * told once, also when a gateway that was taken for lost comes back.
 *
 * @module
 */
import { Crowd } from "../../crowd.ts";
import { toError } from "../../errors.ts";
import type { CloseInfo } from "../../mapping/close.ts";
import {
  type ConnectionRecord,
  renderConnectionRecord,
  toRecordKey,
} from "../../mapping/connection_record.ts";
import type { BusState } from "../../nats/bus.ts";
import type { RecordStore } from "../../nats/jetstream/records.ts";
import { JetStreamError } from "../../nats/jetstream/request.ts";
import type { Clock } from "../../time/clock.ts";
import type { EdgeParts } from "../parts.ts";
import { Lease, type LeaseHome, type RecordKind } from "./lease.ts";

/** When a record that was given up may be there after all, in milliseconds. */
const LATE_MS = 10_000;
/** How long to wait before the bucket is looked for, where nobody takes a record. */
const LOOK_AGAIN_MS = 1000;
/** In the place of a gateway: here stands who is taken for lost. */
export const LOST = "lost";

const ENCODER = new TextEncoder();

/** The key says whose it is. */
const KIND: RecordKind<ConnectionRecord> = {
  encode: (record) => ENCODER.encode(renderConnectionRecord(record)),
  isOurs: () => true,
  attempts: 6,
};

/** The right to tell the end of a connection that has a record here. */
export type KeptLease = Lease<ConnectionRecord>;

/** What it takes to keep records. */
export type RecordParts = Pick<
  EdgeParts,
  "bus" | "clock" | "config" | "gatewayId" | "log" | "metrics" | "onFault" | "records"
>;

/** Without records, each gateway tells the end of its own connections, and nobody does for a dead one. */
export class ConnectionRecords implements LeaseHome, Disposable {
  readonly #parts: RecordParts;
  readonly #alsoCompare: () => Promise<void>;
  readonly #leases = new Crowd<Lease<ConnectionRecord>>();
  readonly #timers = new Set<() => void>();
  readonly #endState: () => void;
  readonly #givenUp = new AbortController();
  #settling: PromiseWithResolvers<void> | undefined;
  #isComparing = false;
  #isOn = false;
  #isLookingAgain = false;

  /**
   * Opens the bucket as soon as NATS is connected.
   *
   * @param parts Of the edge; without `records` nothing is kept.
   * @param alsoCompare Looks after what else has records.
   */
  constructor(parts: RecordParts, alsoCompare: () => Promise<void>) {
    this.#parts = parts;
    this.#alsoCompare = alsoCompare;
    this.#endState = parts.bus.onState((state) => this.#onState(state));
    if (parts.records !== undefined) this.#settling = Promise.withResolvers();
    if (parts.bus.state === "connected") this.#onState("connected");
  }

  get records(): RecordStore {
    return this.#parts.records!;
  }

  get clock(): Clock {
    return this.#parts.clock;
  }

  get settling(): Promise<void> | undefined {
    return this.#settling?.promise;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  get isConnected(): boolean {
    return this.#parts.bus.state === "connected";
  }

  get givenUp(): AbortSignal {
    return this.#givenUp.signal;
  }

  /** Resolves to whether records are kept, as soon as that is known. */
  async opened(): Promise<boolean> {
    await this.settling;
    return this.#isOn;
  }

  /**
   * Keeps a record, without waiting for it.
   *
   * @param onLost Called if somebody else turns out to have told its end.
   * @returns The right to tell it; undefined where no records are kept.
   */
  keep(id: string, record: ConnectionRecord, onLost: () => void): KeptLease | undefined {
    const isOff = this.settling === undefined && !this.#isOn;
    if (this.#parts.records === undefined || isOff) return undefined;
    const lease = new Lease({ home: this, kind: KIND, key: this.#toKey(id), onLost });
    this.#leases.add(lease);
    lease.write(record);
    return lease;
  }

  /**
   * Takes a record back, since the connection has ended.
   *
   * @param lease As it was given when it began.
   * @param tell Called if that is ours to tell.
   * @returns When it has been told, and the record is gone.
   */
  async end(lease: KeptLease, end: CloseInfo, tell: () => void): Promise<void> {
    await lease.end({ ...lease.record!, end }, tell);
    this.#leases.delete(lease);
  }

  /** Looks which records are still there: somebody may have claimed them, or JetStream lost them. */
  async resync(): Promise<void> {
    if (this.#parts.records === undefined || this.#isComparing) return;
    this.#isComparing = true;
    this.#settling ??= Promise.withResolvers();
    try {
      await this.records.open();
      this.#isOn = true;
      await Promise.all([this.#compare(), this.#alsoCompare()]);
    } catch (error) {
      this.#onUnavailable(error);
    }
    this.#isComparing = false;
    if (this.isConnected) this.#settle();
  }

  async wasLost(): Promise<boolean> {
    return await this.records.get(toRecordKey(LOST, this.#parts.gatewayId)) !== undefined;
  }

  claimLate(key: string): void {
    const cancel = this.clock.after(LATE_MS, () => {
      this.#timers.delete(cancel);
      return this.records.claim(key).then(() => {}, this.report);
    });
    this.#timers.add(cancel);
  }

  readonly report = (error: unknown): void => {
    this.#tell(error);
    // Nobody takes a record: somebody may have deleted the bucket.
    if (error instanceof JetStreamError && error.code === undefined) this.#lookAgain();
  };

  #tell(error: unknown): void {
    this.#parts.metrics.recordFailed();
    this.#parts.log.warn("the record of a connection cannot be written or taken", {
      error: String(error),
    });
  }

  #lookAgain(): void {
    if (this.#isLookingAgain) return;
    this.#isLookingAgain = true;
    const cancel = this.clock.after(LOOK_AGAIN_MS, () => {
      this.#timers.delete(cancel);
      this.#isLookingAgain = false;
      if (this.isConnected) void this.resync();
    });
    this.#timers.add(cancel);
  }

  onFault(error: unknown): void {
    this.#parts.onFault("websocket", error);
  }

  /** Waits no more for NATS: what has not been told is left to others. */
  giveUp(): void {
    this.#givenUp.abort();
    this.#settle();
  }

  /** Ends what waits. */
  [Symbol.dispose](): void {
    this.#endState();
    this.giveUp();
    for (const cancel of this.#timers) cancel();
  }

  #onState(state: BusState): void {
    if (this.#parts.records === undefined) return;
    if (state === "connected") void this.resync();
    else if (this.#isOn) this.#settling ??= Promise.withResolvers();
  }

  #settle(): void {
    const settling = this.#settling;
    this.#settling = undefined;
    settling?.resolve();
  }

  /** One question for all connections. */
  async #compare(): Promise<void> {
    const known = [...this.#leases].filter(({ state }) =>
      state === "ours" || state === "unrecorded"
    );
    if (known.length === 0) return;
    const keys = new Set(await this.records.keys(this.#toKey("*")));
    const wasLost = await this.wasLost();
    for (const lease of known) if (!keys.has(lease.key)) lease.restore(wasLost);
  }

  #toKey(id: string): string {
    return toRecordKey(this.#parts.gatewayId, id);
  }

  #onUnavailable(error: unknown): void {
    if (this.#isOn) return this.#tell(error);
    const { log, config } = this.#parts;
    const text = "connection records are off: nobody will tell the end of this gateway's " +
      "WebSockets if it dies";
    const fields = { error: toError(error).message };
    if (config().connectionRecords === "auto") log.info(text, fields);
    else log.error(text, fields);
  }
}
