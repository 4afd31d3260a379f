/**
 * Taking resumable connections over from other gateways: their clients come back here, or they are lost.
 *
 * @module
 */
import {
  readOwner,
  readResumeRecord,
  RESUME,
  type ResumeRecord,
  toRecordKey,
  withOwner,
} from "../../mapping/connection_record.ts";
import { CLOSE } from "../../mapping/close.ts";
import { toMovedSubject } from "../../mapping/control.ts";
import type { RecordStore } from "../../nats/jetstream/records.ts";
import type { Load } from "../admission/load.ts";
import { LOST } from "../lifetime/connection_records.ts";
import { type EventParts, tell } from "../lifetime/control_events.ts";
import type { EdgeParts } from "../parts.ts";
import type { Resumable } from "./resumable.ts";

/** Whoever holds them. */
const ALL = toRecordKey(RESUME, "*");
const EMPTY = new Uint8Array();

/** Who holds the connections of this gateway. */
export interface Holder {
  /** True once no more are to come. */
  readonly isLeaving: boolean;
  /** Makes a connection that nobody holds yet. */
  make(id: string): Resumable;
  /** The connection of an id, if it is held here. */
  find(id: string): Resumable | undefined;
  /** Holds a connection from now on. */
  hold(resumable: Resumable): void;
}

/** What is worked with. */
export interface TakeoverOptions {
  readonly parts: EventParts & Pick<EdgeParts, "bus" | "gatewayId" | "log">;
  readonly records: RecordStore;
  /** Where what waits for its client is counted. */
  readonly load: Load;
  readonly holder: Holder;
}

/** Claims what others hold, or have left. */
export class Takeover {
  readonly #options: TakeoverOptions;

  constructor(options: TakeoverOptions) {
    this.#options = options;
  }

  /** Takes a connection whose client is here; undefined when somebody was faster. */
  async take(record: ResumeRecord, revision: number): Promise<Resumable | undefined> {
    const end = record.detached?.end ?? CLOSE.vanished;
    const detached = { end, at: Date.now() + record.windowMs };
    const resumable = await this.#claim({ ...record, detached }, revision);
    if (resumable === undefined) return undefined;
    const { bus, config } = this.#options.parts;
    const moved = new TextEncoder().encode(`${record.info.id} ${resumable.revision}`);
    bus.publish(toMovedSubject(config().prefix, record.owner), moved);
    return resumable;
  }

  /**
   * Takes what a lost gateway held, so that its clients may come back.
   *
   * @param gateway Its token.
   */
  async adopt(gateway: string): Promise<number> {
    const { records, holder } = this.#options;
    if (holder.isLeaving) return 0;
    const left = await this.#listOf(gateway);
    if (left.length === 0) return 0;
    await records.put(toRecordKey(LOST, gateway), EMPTY);
    const adopted = left.map(async ({ record, revision }) => {
      const end = CLOSE.gatewayLost;
      const detached = record.detached ?? { end, at: Date.now() + record.windowMs };
      return await this.#claim({ ...record, detached }, revision) !== undefined;
    });
    return (await Promise.all(adopted)).filter((isHeld) => isHeld).length;
  }

  /** The gateways that hold connections, living or not. */
  async owners(): Promise<string[]> {
    const owners = new Set<string>();
    await this.#options.records.list(ALL, (value) => {
      const owner = readOwner(value);
      if (owner !== undefined) owners.add(owner);
      return false;
    });
    return [...owners];
  }

  async #claim(record: ResumeRecord, revision: number): Promise<Resumable | undefined> {
    const { parts, load, holder } = this.#options;
    const resumable = holder.make(record.info.id);
    const own = withOwner(record, parts.gatewayId);
    const place = () => load.take(record.info.remote);
    if (!await resumable.claim(own, { revision, place })) return undefined;
    holder.hold(resumable);
    tell({ type: "resumed", revision }, own.connection, parts);
    return resumable;
  }

  /** One that cannot be read is left to whoever can: it keeps no other one's end from being told. */
  async #listOf(gateway: string): Promise<{ record: ResumeRecord; revision: number }[]> {
    const { records, parts: { log } } = this.#options;
    const stored = await records.list(ALL, (value) => (readOwner(value) ?? gateway) === gateway);
    return stored.flatMap(({ key, value, revision }) => {
      const record = readResumeRecord(value);
      if (record === undefined) log.warn("the record of a connection cannot be read", { key });
      return record === undefined ? [] : [{ record, revision }];
    });
  }
}
