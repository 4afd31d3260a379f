/**
 * Small records that outlive whoever wrote them: a KV bucket of JetStream.
 *
 * @module
 */
import type { JetStreamManager } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { Semaphore } from "./semaphore.ts";
import type { Session } from "../client/session.ts";

/** How long JetStream may take to answer. */
const TIMEOUT_MS = 3000;
/** What may be under way at once: JetStream drops what makes its queue of requests too long. */
const MAX_IN_FLIGHT = 256;

/** Error code of the JetStream API: wrong last sequence. */
const WRONG_LAST_SEQUENCE = 10071;

/** A record as it stands in the bucket. */
export interface StoredRecord {
  readonly key: string;
  readonly value: Uint8Array;
  /** Grows with each version of the record. */
  readonly revision: number;
}

/** The bucket. All methods reject while NATS or JetStream is away. */
export class Records {
  readonly #session: Pick<Session, "connection">;
  readonly #bucket: string;
  readonly #semaphore = new Semaphore(MAX_IN_FLIGHT);
  #open: { readonly kv: KV; readonly manager: JetStreamManager } | undefined;

  constructor(session: Pick<Session, "connection">, bucket: string) {
    this.#session = session;
    this.#bucket = bucket;
  }

  /**
   * Opens the bucket, or makes it: in memory, one version of each key. There is no limit of age, since a
   * connection may last for ever; what the dead leave is claimed by the living. A bucket that is there
   * is used as it is, so that whoever wants replicas or a disk makes it before.
   *
   * @throws {Error} when there is no JetStream, or no right to use it.
   */
  async open(): Promise<void> {
    const { connection } = this.#session;
    if (connection === undefined) throw new Error("Cannot open the records: NATS is not connected");
    // Only who uses it pays for loading it.
    const [{ jetstream, StorageType }, { Kvm }] = await Promise.all([
      import("@nats-io/jetstream"),
      import("@nats-io/kv"),
    ]);
    const client = jetstream(connection, { timeout: TIMEOUT_MS });
    const kv = await new Kvm(client).create(this.#bucket, {
      ...{ history: 1, storage: StorageType.Memory, description: "Open WebSockets of h8s" },
    });
    this.#open = { kv, manager: await client.jetstreamManager(false) };
  }

  /**
   * Writes a record.
   *
   * @param key Tokens.
   * @returns The new revision.
   */
  put(key: string, value: Uint8Array): Promise<number> {
    const { kv } = this.#opened();
    return this.#semaphore.run(() => kv.put(key, value));
  }

  /**
   * Writes a record on top of the version that is known.
   *
   * @param key Tokens.
   * @param revision Of that version; 0 if it must not be there.
   * @returns The new revision; undefined when there is another version.
   */
  async replace(key: string, value: Uint8Array, revision: number): Promise<number | undefined> {
    const { kv } = this.#opened();
    try {
      return await this.#semaphore.run(() => kv.put(key, value, { previousSeq: revision }));
    } catch (error) {
      if (isConflict(error)) return undefined;
      throw error;
    }
  }

  /**
   * Removes a record without a trace. Of all who try, one succeeds.
   *
   * @param key Tokens.
   * @param revision Only if this is still the record's revision.
   * @returns True for the one.
   */
  async claim(key: string, revision?: number): Promise<boolean> {
    const { manager } = this.#opened();
    const filter = `$KV.${this.#bucket}.${key}`;
    const { purged } = await this.#semaphore.run(() =>
      manager.streams.purge(`KV_${this.#bucket}`, {
        filter,
        ...(revision === undefined ? {} : { seq: revision + 1 }),
      })
    );
    return purged > 0;
  }

  /**
   * Reads a record.
   *
   * @param key Tokens.
   * @returns The record; undefined where there is none.
   */
  async get(key: string): Promise<StoredRecord | undefined> {
    const entry = await this.#opened().kv.get(key);
    if (entry === null || entry.operation !== "PUT") return undefined;
    return { key, value: entry.value, revision: entry.revision };
  }

  /**
   * Reads records.
   *
   * @param pattern Keys; may hold wildcards.
   * @returns Those that are there, in the order in which they were written.
   */
  async list(pattern: string): Promise<StoredRecord[]> {
    const records: StoredRecord[] = [];
    for await (const entry of await this.#opened().kv.history({ key: pattern })) {
      const { key, value, revision, operation } = entry;
      if (operation === "PUT") records.push({ key, value, revision });
    }
    return records;
  }

  /**
   * Reads keys.
   *
   * @param pattern May hold wildcards.
   * @returns Those of the records that are there.
   */
  async keys(pattern: string): Promise<string[]> {
    return await Array.fromAsync(await this.#opened().kv.keys(pattern));
  }

  #opened(): { readonly kv: KV; readonly manager: JetStreamManager } {
    if (this.#open === undefined) throw new Error("Cannot use the records: they are not open");
    return this.#open;
  }
}

/** A bucket, whatever it is made of. */
export type RecordStore = Pick<Records, keyof Records>;

function isConflict(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === WRONG_LAST_SEQUENCE;
}

/** Opens the records that are configured; undefined for none. */
export function openRecords(
  session: Session,
  config: RecordsConfig,
): Records | undefined {
  const bucket = toRecordsBucket(config);
  return bucket === undefined ? undefined : new Records(session, bucket);
}

/** What says where records are kept. */
export interface RecordsConfig {
  readonly connectionRecords: string;
  readonly prefix: string;
}

/** The bucket that is configured; undefined for none. */
export function toRecordsBucket({ connectionRecords, prefix }: RecordsConfig): string | undefined {
  if (connectionRecords === "off") return undefined;
  if (connectionRecords !== "auto") return connectionRecords;
  return `${prefix.replaceAll(/[^\w-]/g, "_")}-connections`;
}
