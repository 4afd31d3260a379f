/**
 * The resumable connections that this gateway holds: let in, taken over, adopted, handed on.
 *
 * @module
 */
import {
  encodeResumeRecord,
  parseResumeRecord,
  RESUME,
  type ResumeRecord,
  toRecordKey,
  withOwner,
} from "../../mapping/connection_record.ts";
import { CLOSE } from "../../mapping/close.ts";
import { toOwnSubject } from "../../mapping/names.ts";
import { renderNumbered, toResumeInbox } from "../../mapping/resume.ts";
import type { BusSubscription } from "../../nats/bus.ts";
import { Semaphore } from "../../nats/jetstream/semaphore.ts";
import type { ResumeStore } from "../../nats/jetstream/resume_stream.ts";
import type { Load } from "../admission/load.ts";
import { repeat } from "../../time/clock.ts";
import { LOST } from "../lifetime/connection_records.ts";
import { tell } from "../lifetime/control_events.ts";
import { Lease, type LeaseHome, type RecordKind } from "../lifetime/lease.ts";
import type { EdgeParts } from "../parts.ts";
import { Resumable } from "./resumable.ts";
import { ResumeEntrance, type ResumeEntry } from "./resume_entrance.ts";
import type { Connection, ConnectionOwner } from "../socket/websocket.ts";

/** How often clients are told how far they have come, at most. */
const MARK_INTERVAL_MS = 15_000;
/** How many connections catch up at once after NATS was away: each asks JetStream for a consumer. */
const CATCHING_UP = 16;
const EMPTY = new Uint8Array();

/** What is worked with. */
export interface ResumablesOptions {
  readonly parts: EdgeParts;
  readonly home: LeaseHome;
  readonly stream: ResumeStore;
  /** Where what waits for its client is counted. */
  readonly load: Load;
  /** Called when a connection is held from now on. */
  readonly onHeld: (resumable: Resumable) => void;
  /** Called when it is no longer. */
  readonly onOver: (resumable: Resumable) => void;
}

/** Knows them by id. */
export class Resumables implements Disposable {
  readonly #options: ResumablesOptions;
  readonly #parts: EdgeParts;
  readonly #kind: RecordKind<ResumeRecord>;
  readonly #held = new Map<string, Resumable>();
  readonly #moved: BusSubscription;
  readonly #endMarks: () => void;
  readonly #endState: () => void;
  /** What the stream had reached one interval ago: all of it has been sent on since. */
  #safeSeq = 0;
  readonly #catchingUp = new Semaphore(CATCHING_UP);
  #isLeaving = false;

  /** Lets clients in. */
  readonly entrance: ResumeEntrance;

  /**
   * Listens to who takes connections from here.
   *
   * @param options What is worked with.
   */
  constructor(options: ResumablesOptions) {
    this.#options = options;
    const { parts, stream } = options;
    this.#parts = parts;
    this.#kind = {
      encode: encodeResumeRecord,
      isOurs: (stored) => parseResumeRecord(stored).owner === parts.gatewayId,
      // Nobody else may hold it when its end is told: only the record knows.
      attempts: Number.POSITIVE_INFINITY,
    };
    this.entrance = new ResumeEntrance({
      ...options,
      records: options.home.records,
      make: (id) => this.#make(id),
      find: (id) => this.#held.get(id),
      takeOver: (record, revision) => this.#takeOver(record, revision),
    });
    this.#moved = parts.bus.subscribe(
      this.#toMovedSubject(parts.gatewayId),
      ({ data }) => this.#onMoved(new TextDecoder().decode(data)),
    );
    this.#endState = parts.bus.onState((state) => {
      if (state === "connected") return;
      for (const resumable of this.#held.values()) resumable.onNatsLost();
    });
    stream.onReady(() => this.#onStream());
    const interval = Math.min(MARK_INTERVAL_MS, Math.max(100, parts.config.resume / 2));
    this.#endMarks = repeat(parts.clock, interval, () => this.#mark());
  }

  /**
   * What is told of the socket that comes of a handshake.
   *
   * @param entry From {@link Resumables.entrance}.
   */
  toOwner(entry: ResumeEntry): ConnectionOwner {
    return {
      inbox: entry.resumable.inbox,
      // What comes to all at once is kept for nobody; 0 stands for its number.
      wrap: (frame) => renderNumbered(frame, 0),
      add: (connection) => this.#attach(connection, entry),
      remove: (connection, end) => {
        entry.resumable.detach(connection, end);
        if (this.#isLeaving) entry.resumable.end({ how: "left" });
      },
    };
  }

  /**
   * Takes over what a lost gateway held, so that its clients may come back.
   *
   * @param gateway Its token.
   * @returns How many.
   */
  async adopt(gateway: string): Promise<number> {
    if (this.#isLeaving) return 0;
    const left = (await this.#list()).filter(({ record: { owner } }) => owner === gateway);
    if (left.length === 0) return 0;
    await this.#options.home.records.put(toRecordKey(LOST, gateway), EMPTY);
    const adopted = left.map(async ({ record, revision }) => {
      const end = CLOSE.gatewayLost;
      const detached = record.detached ?? { end, at: Date.now() + record.windowMs };
      return await this.#claim({ ...record, detached }, revision) !== undefined;
    });
    return (await Promise.all(adopted)).filter((isHeld) => isHeld).length;
  }

  /** The gateways that hold connections, living or not. */
  async owners(): Promise<string[]> {
    return (await this.#list()).map(({ record: { owner } }) => owner);
  }

  /** Looks which connections are still held here. */
  async verify(): Promise<void> {
    await Promise.all([...this.#held.values()].map((resumable) => resumable.verify()));
  }

  /** Leaves all connections to other gateways; those with a client once that is gone. */
  leave(): void {
    this.#isLeaving = true;
    for (const resumable of this.#held.values()) {
      if (!resumable.hasClient) resumable.end({ how: "left" });
    }
  }

  /** Waits for nothing any more. */
  giveUp(): void {
    for (const resumable of this.#held.values()) resumable.end({ how: "lost" });
  }

  /** Holds nothing any more. */
  [Symbol.dispose](): void {
    this.#endMarks();
    this.#endState();
    this.#moved.unsubscribe();
    for (const resumable of this.#held.values()) resumable.end({ how: "forgotten" });
    this.#held.clear();
  }

  #attach(
    connection: Connection,
    { resumable, token, proof, lastSeq, lostFrom }: ResumeEntry,
  ): void {
    if (lastSeq === undefined) {
      const { gatewayId: owner } = this.#parts;
      const { record, route, windowMs } = connection;
      const info = connection.describe();
      resumable.begin({ owner, proof, windowMs, connection: record, info, route });
      this.#hold(resumable);
      tell({ type: "established" }, record, this.#parts);
    }
    resumable.attach(connection, { token, lastSeq, lostFrom });
    if (this.#isLeaving) connection.close(CLOSE.draining);
  }

  async #takeOver(record: ResumeRecord, revision: number): Promise<Resumable | undefined> {
    const end = record.detached?.end ?? CLOSE.vanished;
    const detached = { end, at: Date.now() + record.windowMs };
    const resumable = await this.#claim({ ...record, detached }, revision);
    if (resumable === undefined) return undefined;
    const moved = new TextEncoder().encode(`${record.info.id} ${resumable.revision}`);
    this.#parts.bus.publish(this.#toMovedSubject(record.owner), moved);
    return resumable;
  }

  async #claim(record: ResumeRecord, revision: number): Promise<Resumable | undefined> {
    const resumable = this.#make(record.info.id);
    const own = withOwner(record, this.#parts.gatewayId);
    const place = () => this.#options.load.take(record.info.remote);
    if (!await resumable.claim(own, { revision, place })) return undefined;
    this.#hold(resumable);
    tell({ type: "resumed", revision }, own.connection, this.#parts);
    return resumable;
  }

  #make(id: string): Resumable {
    const { parts, home, stream } = this.#options;
    const lease = new Lease({
      ...{ home, kind: this.#kind, key: toRecordKey(RESUME, id) },
      onLost: () => resumable.end({ how: "lost" }),
    });
    const resumable: Resumable = new Resumable({
      ...{ parts, stream, lease, id, inbox: toResumeInbox(id, parts.config.prefix) },
      safeSeq: () => this.#safeSeq,
      onOver: () => {
        if (this.#held.get(id) === resumable) this.#held.delete(id);
        this.#options.onOver(resumable);
      },
    });
    return resumable;
  }

  /** By now it may have come back: then what was left is not what is held. */
  #onMoved(text: string): void {
    const [id = "", revision] = text.split(" ");
    const held = this.#held.get(id);
    if (held !== undefined && held.revision < Number(revision)) held.end({ how: "lost" });
  }

  /** Two clients that come back at once may both have got it, one after the other. */
  #hold(resumable: Resumable): void {
    const other = this.#held.get(resumable.id);
    if (other !== undefined && other.revision > resumable.revision) {
      return resumable.end({ how: "lost" });
    }
    other?.end({ how: "lost" });
    this.#held.set(resumable.id, resumable);
    this.#options.onHeld(resumable);
  }

  async #list(): Promise<{ record: ResumeRecord; revision: number }[]> {
    const stored = await this.#options.home.records.list(toRecordKey(RESUME, "*"));
    return stored.map(({ value, revision }) => ({ record: parseResumeRecord(value), revision }));
  }

  /** NATS is back. A stream that ends before what clients have seen is another one. */
  async #onStream(): Promise<void> {
    const { last } = await this.#options.stream.extent();
    this.#safeSeq = last;
    const run = <T>(task: () => Promise<T>) => this.#catchingUp.run(task);
    const all = [...this.#held.values()].map((resumable) => resumable.catchUp(last, run));
    Promise.all(all).catch((error) => this.#parts.onFault("websocket", error));
  }

  /** One question for all connections. */
  #mark(): void {
    if (this.#held.size === 0 || this.#parts.bus.state !== "connected") return;
    this.#options.stream.extent().then(({ last }) => {
      for (const resumable of this.#held.values()) resumable.mark(this.#safeSeq);
      this.#safeSeq = last;
    }).catch((error) => this.#parts.log.debug("no mark", { error: String(error) }));
  }

  #toMovedSubject(gateway: string): string {
    return toOwnSubject(this.#parts.config.prefix, "moved", gateway);
  }
}
