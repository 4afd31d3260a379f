/**
 * The records of this gateway's connections: what others need to tell their end, should it die.
 *
 * A record and the right to tell a connection's end are one: whoever takes the record tells it. So it is
 * told once, also when a gateway that was taken for lost comes back.
 *
 * @module
 */
import {
  type ConnectionEnd,
  type ConnectionRecord,
  renderConnectionRecord,
  toRecordKey,
} from "../../mapping/connection_record.ts";
import type { BusState } from "../../nats/bus.ts";
import type { RecordStore } from "../../nats/jetstream/records.ts";
import { tellAndTake } from "./control_events.ts";
import type { EdgeParts } from "../parts.ts";

/** How often the record of a connection that has ended is asked for while JetStream fails. */
const MAX_ATTEMPTS = 6;
/** When a record that was given up may be there after all, in milliseconds. */
const LATE_MS = 10_000;
/** In the place of a gateway: here stands who is taken for lost. */
export const LOST = "lost";

interface Kept {
  record: ConnectionRecord;
  /** Of the record as it was last written. */
  revision: number;
  /**
   * `waiting`: not tried yet, or under way; `taken`: somebody else has told the end; `over`: the record
   * says how it ended, and nobody else takes it while this gateway lives.
   */
  state: "waiting" | "written" | "failed" | "taken" | "over";
  /** Resolves when it is no longer waiting. */
  written: Promise<void>;
}

/** Whose it is to tell an end; `unrecorded`: ours, and nobody would if this gateway died now. */
type Claim = "ours" | "theirs" | "unrecorded";

/** Without records, each gateway tells the end of its own connections, and nobody does for a dead one. */
export class ConnectionRecords implements Disposable {
  readonly #parts: EdgeParts;
  readonly #records: RecordStore | undefined;
  readonly #onTaken: (ids: ReadonlySet<string>) => void;
  readonly #alsoCompare: () => Promise<void>;
  readonly #kept = new Map<string, Kept>();
  readonly #timers = new Set<() => void>();
  readonly #endState: () => void;
  /** Until it is known how things stand: at the beginning, while NATS is away, and when it is back. */
  #settling: PromiseWithResolvers<void> | undefined;
  #isComparing = false;
  #isOn = false;
  #hasGivenUp = false;

  /**
   * Opens the bucket as soon as NATS is connected.
   *
   * @param parts Of the edge; without `records` nothing is kept.
   * @param options `onTaken` hears of the connections whose end somebody else has told; `alsoCompare`
   * looks after what else has records.
   */
  constructor(parts: EdgeParts, { onTaken, alsoCompare }: {
    onTaken: (ids: ReadonlySet<string>) => void;
    alsoCompare: () => Promise<void>;
  }) {
    this.#parts = parts;
    this.#records = parts.records;
    this.#onTaken = onTaken;
    this.#alsoCompare = alsoCompare;
    this.#endState = parts.bus.onState((state) => this.#onState(state));
    if (parts.records !== undefined) this.#settling = Promise.withResolvers();
    if (parts.bus.state === "connected") this.#onState("connected");
  }

  /** True while somebody else may have told the end of connections that are held here. */
  get isSettling(): boolean {
    return this.#settling !== undefined;
  }

  /** Resolves to whether records are kept, as soon as that is known. */
  async opened(): Promise<boolean> {
    await this.#settling?.promise;
    return this.#isOn;
  }

  /**
   * Keeps a record, without waiting for it.
   *
   * @param id The connection's.
   * @param record What to keep.
   */
  keep(id: string, record: ConnectionRecord): void {
    if (this.#records === undefined || (!this.isSettling && !this.#isOn)) return;
    const kept: Kept = { record, revision: 0, state: "waiting", written: Promise.resolve() };
    this.#kept.set(id, kept);
    kept.written = this.#write(id, kept);
  }

  /**
   * Takes a record back, since the connection has ended.
   *
   * @param id The connection's.
   * @param end How.
   * @param tellEnd Called if that is ours to tell, as a rule once.
   * @returns When it has been told, and the record is gone; never rejects.
   */
  async release(id: string, end: ConnectionEnd, tellEnd: () => void): Promise<void> {
    try {
      await this.#release(id, end, tellEnd);
    } catch (error) {
      this.#report("the end of a connection", error);
    } finally {
      this.#kept.delete(id);
    }
  }

  /** Looks which records are still there: somebody may have taken them, or JetStream lost them. */
  async resync(): Promise<void> {
    if (this.#records === undefined || this.#isComparing) return;
    this.#isComparing = true;
    this.#settling ??= Promise.withResolvers();
    try {
      await this.#records.open();
      this.#isOn = true;
      await Promise.all([this.#compare(this.#records), this.#alsoCompare()]);
    } catch (error) {
      this.#onUnavailable(error);
    }
    this.#isComparing = false;
    if (this.#parts.bus.state === "connected") this.#settle();
  }

  /** Waits no more for NATS: what has not been told is left to others. */
  giveUp(): void {
    this.#hasGivenUp = true;
    this.#settle();
  }

  /** Ends what waits. */
  [Symbol.dispose](): void {
    this.#endState();
    this.giveUp();
    for (const cancel of this.#timers) cancel();
  }

  async #release(id: string, end: ConnectionEnd, tellEnd: () => void): Promise<void> {
    const kept = this.#kept.get(id);
    if (kept === undefined) return tellEnd();
    kept.record = { ...kept.record, end };
    const claim = await this.#claim(id, kept);
    if (claim === "unrecorded") return tellEnd();
    if (claim === "theirs") return;
    kept.state = "over";
    await tellAndTake({
      clock: this.#parts.clock,
      tell: tellEnd,
      take: () => this.#records!.take(toRecordKey(this.#parts.gatewayId, id)),
      isGivenUp: () => this.#hasGivenUp,
      onError: (error) => this.#report("the record of a connection", error),
    });
  }

  #onState(state: BusState): void {
    if (this.#records === undefined) return;
    if (state === "connected") void this.resync();
    else if (this.#isOn) this.#settling ??= Promise.withResolvers();
  }

  #settle(): void {
    const settling = this.#settling;
    this.#settling = undefined;
    settling?.resolve();
  }

  async #compare(records: RecordStore): Promise<void> {
    const known = [...this.#kept].filter(([, { state }]) =>
      state === "written" || state === "failed"
    );
    if (known.length === 0) return;
    const { gatewayId } = this.#parts;
    const keys = new Set(await records.keys(toRecordKey(gatewayId, "*")));
    const wasLost = await this.#wasLost(records);
    const taken = new Set<string>();
    for (const [id, kept] of known) {
      if (kept.state === "taken" || keys.has(toRecordKey(gatewayId, id))) continue;
      if (wasLost && kept.state === "written") {
        kept.state = "taken";
        taken.add(id);
      } else kept.written = this.#put(records, id, kept);
    }
    if (taken.size > 0) this.#onTaken(taken);
  }

  /** Whether somebody has told, or is telling, the end of connections that are held here. */
  async #wasLost(records: RecordStore): Promise<boolean> {
    return await records.get(toRecordKey(LOST, this.#parts.gatewayId)) !== undefined;
  }

  /** As a rule nothing is waited for, so that the record goes to NATS before the event does. */
  async #write(id: string, kept: Kept): Promise<void> {
    if (this.#settling !== undefined) await this.#settling.promise;
    if (this.#isOn && this.#records !== undefined) await this.#put(this.#records, id, kept);
    else kept.state = "failed";
  }

  async #put(records: RecordStore, id: string, kept: Kept): Promise<void> {
    kept.state = "waiting";
    try {
      kept.revision = await records.put(toRecordKey(this.#parts.gatewayId, id), encode(kept));
      kept.state = "written";
    } catch (error) {
      kept.state = "failed";
      this.#report("the record of a connection", error);
    }
  }

  /**
   * Has the record say how the connection ended. From then on its end is ours to tell; should this gateway
   * die before it does, another one will.
   */
  async #claim(id: string, kept: Kept): Promise<Claim> {
    const key = toRecordKey(this.#parts.gatewayId, id);
    for (let attempt = 1;; attempt++) {
      await this.#untilSettled(kept);
      if (this.#hasGivenUp || kept.state === "taken") return "theirs";
      if (!this.#isOn || this.#records === undefined) return "unrecorded";
      if (attempt > MAX_ATTEMPTS) {
        this.#takeLater(key, this.#records);
        return "unrecorded";
      }
      try {
        return kept.state === "written"
          ? await this.#mark(this.#records, key, kept)
          : await this.#forgo(this.#records, key);
      } catch (error) {
        // What failed while the connection was lost says nothing of JetStream.
        if (this.#parts.bus.state !== "connected") attempt = 0;
        else this.#report("the record of a connection", error);
      }
    }
  }

  /** Comparing may have it written once more. */
  async #untilSettled(kept: Kept): Promise<void> {
    while (this.isSettling || kept.state === "waiting") {
      await this.#settling?.promise;
      await kept.written;
    }
  }

  /** What was not acknowledged may be there, and may come later still. */
  async #forgo(records: RecordStore, key: string): Promise<Claim> {
    if (!await records.take(key)) this.#takeLater(key, records);
    return "unrecorded";
  }

  async #mark(records: RecordStore, key: string, kept: Kept): Promise<Claim> {
    const revision = await records.replace(key, encode(kept), kept.revision);
    if (revision !== undefined) return "ours";
    // Either an earlier attempt was not answered, or somebody has taken it, or JetStream has lost it.
    const stored = await records.get(key);
    if (stored === undefined) return await this.#wasLost(records) ? "theirs" : "unrecorded";
    return await records.replace(key, encode(kept), stored.revision) === undefined
      ? "theirs"
      : "ours";
  }

  /** What JetStream did not acknowledge in time may still get there, and would be taken for a connection. */
  #takeLater(key: string, records: RecordStore): void {
    const cancel = this.#parts.clock.after(LATE_MS, () => {
      this.#timers.delete(cancel);
      records.take(key).catch((error) => this.#report("a late record", error));
    });
    this.#timers.add(cancel);
  }

  #onUnavailable(error: unknown): void {
    if (this.#isOn) return this.#report("the records of connections", error);
    const { log, config } = this.#parts;
    const text = "connection records are off: nobody will tell the end of this gateway's " +
      "WebSockets if it dies";
    const fields = { error: error instanceof Error ? error.message : String(error) };
    if (config.connectionRecords === "auto") log.info(text, fields);
    else log.error(text, fields);
  }

  #report(what: string, error: unknown): void {
    this.#parts.metrics.recordFailed();
    this.#parts.log.warn(`${what} cannot be written or taken`, { error: String(error) });
  }
}

function encode({ record }: Kept): Uint8Array {
  return new TextEncoder().encode(renderConnectionRecord(record));
}
