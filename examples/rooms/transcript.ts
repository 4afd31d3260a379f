/**
 * What was said in the rooms, kept in the stream `rooms`.
 *
 * @module
 */
import { type Consumer, DeliverPolicy, type JetStreamManager } from "@nats-io/jetstream";
import type { Message } from "./protocol.ts";
import type { Subjects } from "./subjects.ts";

const STREAM = "rooms";
/** More than a read of all that is kept should ever take. */
const READ_TIMEOUT_MS = 5000;

/** The transcripts of all rooms. */
export class Transcript {
  readonly #manager: JetStreamManager;
  readonly #subjects: Subjects;

  /**
   * @param manager Of JetStream.
   * @param subjects Where transcripts are kept.
   */
  constructor(manager: JetStreamManager, subjects: Subjects) {
    this.#manager = manager;
    this.#subjects = subjects;
  }

  /**
   * Keeps a message. One that is kept already is not kept twice.
   *
   * @param room Where it was said.
   * @param message What was said.
   * @returns The message as it was kept.
   */
  async keep(room: string, message: Omit<Message, "seq">): Promise<Message> {
    const msgID = `${message.from.id}.${message.id}`;
    const { seq } = await this.#manager.jetstream()
      .publish(this.#subjects.kept(room), JSON.stringify(message), { msgID });
    return { ...message, seq };
  }

  /**
   * Reads a room's transcript.
   *
   * @param room Which one.
   * @param afterSeq Only what came after this message; undefined for all that is kept.
   * @returns The messages, in order.
   */
  async read(room: string, afterSeq: number | undefined): Promise<Message[]> {
    const consumer = await this.#manager.jetstream().consumers.get(STREAM, {
      filter_subjects: this.#subjects.kept(room),
      ...(afterSeq === undefined
        ? {}
        : { deliver_policy: DeliverPolicy.StartSequence, opt_start_seq: afterSeq + 1 }),
    });
    try {
      return await readPending(consumer);
    } finally {
      await consumer.delete();
    }
  }

  /**
   * Finds a room's last message.
   *
   * @param room Which one.
   * @returns Its sequence number; 0 when nothing was said.
   */
  async lastSeq(room: string): Promise<number> {
    const last = await this.#manager.streams
      .getMessage(STREAM, { last_by_subj: this.#subjects.kept(room) });
    return last?.seq ?? 0;
  }
}

async function readPending(consumer: Consumer): Promise<Message[]> {
  const { num_pending } = await consumer.info(true);
  const messages: Message[] = [];
  if (num_pending === 0) return messages;
  const batch = await consumer.fetch({ max_messages: num_pending, expires: READ_TIMEOUT_MS });
  for await (const message of batch) {
    messages.push({ ...message.json<Omit<Message, "seq">>(), seq: message.seq });
  }
  return messages;
}
