/**
 * The streams of the demo, made where they are missing.
 *
 * @module
 */
import {
  AckPolicy,
  type Consumer,
  type ConsumerConfig,
  DiscardPolicy,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
} from "@nats-io/jetstream";
import { nanos } from "@nats-io/nats-core";
import type { Subjects } from "./subjects.ts";

/** How many messages of each room are kept. */
export const KEPT_PER_ROOM = 1000;

const DAY_MS = 24 * 60 * 60 * 1000;
const MIB = 1024 * 1024;
/** One after the other, so that a room hears its messages in the order in which they were said. */
const IN_ORDER: Partial<ConsumerConfig> = {
  ack_policy: AckPolicy.Explicit,
  ack_wait: nanos(5000),
  max_ack_pending: 1,
};

/** What the worker works through, and what it is to know of the streams. */
export interface Streams {
  /** What was said, until the worker has taken it. */
  readonly said: Consumer;
  /** `POST /users`, until the worker has answered it. */
  readonly users: Consumer;
  /** Tells one life of the stream `rooms` from the next. */
  readonly transcriptId: string;
}

/**
 * Makes the streams and their consumers; those that are there already are taken as they are.
 *
 * @param manager Of JetStream.
 * @param subjects What they capture.
 * @returns The consumers.
 * @throws {Error} when a stream of that name is configured otherwise.
 */
export async function openStreams(
  manager: JetStreamManager,
  subjects: Subjects,
): Promise<Streams> {
  await addStream(manager, {
    name: "said",
    subjects: [subjects.allSaid],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.File,
    max_bytes: 64 * MIB,
    discard: DiscardPolicy.New,
  });
  await addStream(manager, {
    name: "users",
    subjects: [subjects.postUsers],
    retention: RetentionPolicy.Workqueue,
    storage: StorageType.Memory,
    max_bytes: 16 * MIB,
    discard: DiscardPolicy.New,
  });
  await addStream(manager, {
    name: "names",
    subjects: [subjects.allNames],
    storage: StorageType.File,
    max_msgs_per_subject: 1,
    max_msgs: 100_000,
    max_age: nanos(30 * DAY_MS),
  });
  const transcriptId = await addStream(manager, {
    name: "rooms",
    subjects: [subjects.allKept],
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    max_msgs_per_subject: KEPT_PER_ROOM,
    max_bytes: 256 * MIB,
    // A page says a message again until it has heard it; within a day it is kept only once.
    duplicate_window: nanos(DAY_MS),
  });
  return {
    said: await addConsumer(manager, "said"),
    users: await addConsumer(manager, "users"),
    transcriptId,
  };
}

/** Returns when it was made. */
async function addStream(
  manager: JetStreamManager,
  config: Partial<StreamConfig> & { name: string },
): Promise<string> {
  try {
    const { created } = await manager.streams.add(config);
    return created;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new Error(
      `Cannot make the stream "${config.name}": ${reason}. If another one is in the way and nobody ` +
        `needs it: nats stream rm ${config.name}`,
      { cause },
    );
  }
}

async function addConsumer(manager: JetStreamManager, stream: string): Promise<Consumer> {
  await manager.consumers.add(stream, { durable_name: "worker", ...IN_ORDER });
  return manager.jetstream().consumers.get(stream, "worker");
}
