/**
 * Small records that outlive whoever wrote them: a KV bucket of JetStream.
 *
 * @module
 */
import type { JetStreamClient, JsMsg } from "@nats-io/jetstream";
import type { KV } from "@nats-io/kv";
import { toHeaderBlock, toHeaderLine } from "../../mapping/headers.ts";
import { HEADER } from "../../mapping/names.ts";
import type { Session } from "../client/session.ts";
import type { Inbox } from "../inbox.ts";
import { type BucketQuery, readBucket } from "./read_bucket.ts";
import { JetStreamError, type JetStreamRequest, requestJetStream } from "./request.ts";
import { Semaphore } from "./semaphore.ts";

/** How long JetStream may take to answer. */
const TIMEOUT_MS = 3000;
/** What may be under way at once: JetStream drops what makes its queue of requests too long. */
const MAX_IN_FLIGHT = 256;

const ENCODER = new TextEncoder();

/** Error code of the JetStream API: wrong last sequence. */
const WRONG_LAST_SEQUENCE = 10071;

/** A record as it stands in the bucket. */
export interface StoredRecord {
  readonly key: string;
  readonly value: Uint8Array;
  /** Grows with each version of the record. */
  readonly revision: number;
}

/** What it takes to keep records. */
export interface RecordsParts {
  readonly session: Pick<Session, "connection" | "publish">;
  readonly inbox: Pick<Inbox, "open">;
}

/** The bucket. All methods reject while NATS or JetStream is away. */
export class Records {
  readonly #parts: RecordsParts;
  readonly #bucket: string;
  readonly #semaphore = new Semaphore(MAX_IN_FLIGHT);
  #open: { readonly client: JetStreamClient; readonly kv: KV } | undefined;

  constructor(bucket: string, parts: RecordsParts) {
    this.#bucket = bucket;
    this.#parts = parts;
  }

  /**
   * Opens the bucket, or makes it: in memory, one version of each key. There is no limit of age, since a
   * connection may last for ever; what the dead leave is claimed by the living. A bucket that is there
   * is used as it is, so that whoever wants replicas or a disk makes it before.
   *
   * @throws {Error} when there is no JetStream, or no right to use it.
   */
  async open(): Promise<void> {
    const { connection } = this.#parts.session;
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
    this.#open = { client, kv };
  }

  /**
   * Writes a record.
   *
   * @param key Tokens.
   * @returns The new revision.
   */
  async put(key: string, value: Uint8Array): Promise<number> {
    const { seq } = await this.#ask({ subject: this.#toSubject(key), data: value });
    return toCount(seq);
  }

  /**
   * Writes a record on top of the version that is known.
   *
   * @param key Tokens.
   * @param revision Of that version; 0 if it must not be there.
   * @returns The new revision; undefined when there is another version.
   */
  async replace(key: string, value: Uint8Array, revision: number): Promise<number | undefined> {
    const headers = toHeaderBlock(toHeaderLine(HEADER.natsExpectedRevision, String(revision)));
    try {
      const { seq } = await this.#ask({ subject: this.#toSubject(key), data: value, headers });
      return toCount(seq);
    } catch (error) {
      if (error instanceof JetStreamError && error.code === WRONG_LAST_SEQUENCE) return undefined;
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
    const filter = this.#toSubject(key);
    const what = revision === undefined ? { filter } : { filter, seq: revision + 1 };
    const { purged } = await this.#ask({
      subject: `$JS.API.STREAM.PURGE.KV_${this.#bucket}`,
      data: ENCODER.encode(JSON.stringify(what)),
    });
    return toCount(purged) > 0;
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
   * @param isWanted Says of which more is kept than their key: there may be many.
   * @returns Those that are there, in the order in which they were written.
   */
  async list(
    pattern: string,
    isWanted: (value: Uint8Array) => boolean = () => true,
  ): Promise<StoredRecord[]> {
    const records: StoredRecord[] = [];
    await this.#readAll({ pattern, keysOnly: false }, (key, { data: value, seq: revision }) => {
      if (isWanted(value)) records.push({ key, value, revision });
    });
    return records;
  }

  /**
   * Reads keys.
   *
   * @param pattern May hold wildcards.
   * @returns Those of the records that are there.
   */
  async keys(pattern: string): Promise<string[]> {
    const keys: string[] = [];
    await this.#readAll({ pattern, keysOnly: true }, (key) => keys.push(key));
    return keys;
  }

  async #readAll(
    query: Omit<BucketQuery, "bucket">,
    take: (key: string, message: JsMsg) => void,
  ): Promise<void> {
    const { client } = this.#opened();
    await readBucket(client, { bucket: this.#bucket, ...query }, take);
  }

  /** A bucket is a stream, a key a subject of it (NATS ADR-8). */
  #toSubject(key: string): string {
    return `$KV.${this.#bucket}.${key}`;
  }

  /** What is written or taken for each connection does without the client library. */
  #ask(
    request: Omit<JetStreamRequest, "timeoutMs">,
  ): Promise<Readonly<Record<string, unknown>>> {
    this.#opened();
    const { session: bus, inbox } = this.#parts;
    return this.#semaphore.run(() =>
      requestJetStream({ ...request, timeoutMs: TIMEOUT_MS }, { bus, inbox })
    );
  }

  #opened(): { readonly client: JetStreamClient; readonly kv: KV } {
    if (this.#open === undefined) throw new Error("Cannot use the records: they are not open");
    return this.#open;
  }
}

/** A bucket, whatever it is made of. */
export type RecordStore = Pick<Records, keyof Records>;

/** Whoever hears what is written may answer it, too. */
function toCount(field: unknown): number {
  if (!Number.isSafeInteger(field)) {
    throw new Error("Cannot read the answer: JetStream's has numbers");
  }
  return Number(field);
}

/** Opens the records that are configured; undefined for none. */
export function openRecords(config: RecordsConfig, parts: RecordsParts): Records | undefined {
  const bucket = toRecordsBucket(config);
  return bucket === undefined ? undefined : new Records(bucket, parts);
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
