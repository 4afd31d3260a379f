/**
 * A bucket of records in memory: it fails, is late, or loses its answer when a test says so.
 *
 * @module
 */
import type { RecordStore, StoredRecord } from "../../lib/nats/jetstream/records.ts";

/** What is asked of it. */
export type Operation = keyof RecordStore;

/**
 * What becomes of a question: it is done and answered; not done; done, and the answer is lost; or it, or its
 * answer alone, waits for {@link FakeRecords.arrive}, as long as it takes.
 */
export type Outcome = "answered" | "fails" | "unanswered" | "late" | "answeredLate";

/** What several gateways write to. */
export type Bucket = Map<string, { readonly value: Uint8Array; readonly revision: number }>;

/** One gateway's way to a bucket. */
export class FakeRecords implements RecordStore {
  readonly bucket: Bucket;
  /** What has been asked, e.g. `put G1.a`. */
  readonly asked: string[] = [];
  /** What becomes of the next question. */
  plan: (operation: Operation, key: string) => Outcome = () => "answered";
  readonly #late: (() => void)[] = [];

  constructor(bucket: Bucket = new Map()) {
    this.bucket = bucket;
  }

  open(): Promise<void> {
    return this.#ask("open", "", () => {});
  }

  put(key: string, value: Uint8Array): Promise<number> {
    return this.#ask("put", key, () => this.#write(key, value));
  }

  replace(key: string, value: Uint8Array, revision: number): Promise<number | undefined> {
    return this.#ask("replace", key, () => {
      const { revision: known = 0 } = this.bucket.get(key) ?? {};
      return known === revision ? this.#write(key, value) : undefined;
    });
  }

  claim(key: string, revision?: number): Promise<boolean> {
    return this.#ask("claim", key, () => {
      const stored = this.bucket.get(key);
      return (revision === undefined || stored?.revision === revision) && this.bucket.delete(key);
    });
  }

  get(key: string): Promise<StoredRecord | undefined> {
    return this.#ask("get", key, () => this.#read(key));
  }

  list(
    pattern: string,
    isWanted: (value: Uint8Array) => boolean = () => true,
  ): Promise<StoredRecord[]> {
    const read = () => this.#find(pattern).map((key) => this.#read(key)!);
    return this.#ask("list", pattern, () => read().filter(({ value }) => isWanted(value)));
  }

  keys(pattern: string): Promise<string[]> {
    return this.#ask("keys", pattern, () => this.#find(pattern));
  }

  /** What is late arrives, in order. */
  arrive(): void {
    for (const done of this.#late.splice(0)) done();
  }

  /** A record's JSON; undefined where there is none. */
  read(key: string): Record<string, unknown> | undefined {
    const stored = this.bucket.get(key);
    return stored && JSON.parse(new TextDecoder().decode(stored.value));
  }

  #ask<T>(operation: Operation, key: string, act: () => T): Promise<T> {
    this.asked.push(`${operation} ${key}`.trim());
    const outcome = this.plan(operation, key);
    const refuse = () => Promise.reject(new Error(`the records are away: ${operation} ${key}`));
    switch (outcome) {
      case "answered":
        return Promise.resolve(act());
      case "fails":
        return refuse();
      case "unanswered":
        act();
        return refuse();
      case "late":
        return new Promise((resolve) => this.#late.push(() => resolve(act())));
      case "answeredLate": {
        const answer = act();
        return new Promise((resolve) => this.#late.push(() => resolve(answer)));
      }
    }
  }

  /** Revisions are of the whole bucket, as those of JetStream are of the whole stream. */
  #write(key: string, value: Uint8Array): number {
    const revision = 1 + Math.max(0, ...[...this.bucket.values()].map(({ revision }) => revision));
    this.bucket.set(key, { value, revision });
    return revision;
  }

  #read(key: string): StoredRecord | undefined {
    const stored = this.bucket.get(key);
    return stored && { key, ...stored };
  }

  #find(pattern: string): string[] {
    const regex = new RegExp(`^${pattern.replaceAll(".", "\\.").replace(/>|\*/, ".*")}$`);
    return [...this.bucket.keys()].filter((key) => regex.test(key));
  }
}
