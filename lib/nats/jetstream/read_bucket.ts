/**
 * Reading all that stands in a bucket, without being in the way of what else comes by the same connection.
 *
 * @module
 */
import type { ConsumerConfig, JetStreamClient, JsMsg, PushConsumer } from "@nats-io/jetstream";
import { settlesWithin } from "../../time/within.ts";

/** How fast JetStream sends: as fast as it can, all else would wait behind it. */
const BITS_PER_SECOND = 400_000_000;
/** A key without its value is counted as little, and costs as much to take. */
const KEY_BITS_PER_SECOND = 100_000_000;
/** When to ask whether more is to come, in milliseconds. */
const QUIET_MS = 500;

/** What is read. */
export interface BucketQuery {
  readonly bucket: string;
  /** Keys; may hold wildcards. */
  readonly pattern: string;
  readonly keysOnly: boolean;
}

/**
 * Reads what stands in a bucket now.
 *
 * @param take Called for each, in the order in which they were written.
 * @throws {Error} when JetStream does not answer.
 */
export async function readBucket(
  client: JetStreamClient,
  query: BucketQuery,
  take: (key: string, message: JsMsg) => void,
): Promise<void> {
  const stream = `KV_${query.bucket}`;
  const consumer = await client.consumers.getPushConsumer(stream, toConsumer(query));
  try {
    if ((await consumer.info(true)).num_pending > 0) await readAll(consumer, take);
  } finally {
    // Else the server keeps it for minutes.
    consumer.delete().catch(() => {});
  }
}

async function readAll(
  consumer: PushConsumer,
  take: (key: string, message: JsMsg) => void,
): Promise<void> {
  const { promise: done, resolve, reject } = Promise.withResolvers<void>();
  const messages = await consumer.consume({
    callback(message) {
      try {
        // What was deleted by hand leaves a mark.
        if (!message.headers?.has("KV-Operation")) take(toKey(message), message);
        if (message.info.pending === 0) resolve();
      } catch (error) {
        reject(error);
      }
    },
  });
  try {
    while (!await settlesWithin(done, QUIET_MS)) {
      // The last ones may have been taken out before they were sent.
      if ((await consumer.info()).num_pending === 0) return;
    }
    await done;
  } finally {
    messages.stop();
  }
}

function toConsumer({ bucket, pattern, keysOnly }: BucketQuery): Partial<ConsumerConfig> {
  return {
    filter_subject: `$KV.${bucket}.${pattern}`,
    deliver_policy: "last_per_subject",
    headers_only: keysOnly,
    rate_limit_bps: keysOnly ? KEY_BITS_PER_SECOND : BITS_PER_SECOND,
  };
}

/** `$KV.<bucket>.<key>` (NATS ADR-8). */
function toKey({ subject }: JsMsg): string {
  return subject.slice(subject.indexOf(".", "$KV.".length) + 1);
}
