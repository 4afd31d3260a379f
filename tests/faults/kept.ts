/**
 * What the stream of a persisting gateway holds.
 *
 * @module
 */
import { jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";

/** The stream's name. */
export const STREAM = "said";

/**
 * Counts each message.
 *
 * @param nc The connection.
 * @returns How often each payload is there. They stay: it is a work queue, and nothing is taken here.
 */
export async function countKept(nc: NatsConnection): Promise<Map<string, number>> {
  const { streams, direct } = await jetstreamManager(nc);
  // The gateway has no use for it; here it is a hundred times faster.
  const { state } = await streams.update(STREAM, { allow_direct: true });
  const counts = new Map<string, number>();
  for (let seq = state.first_seq; seq <= state.last_seq;) {
    const batch = await direct.getBatch(STREAM, { seq, batch: 500 });
    for await (const message of batch) {
      const text = message.string();
      counts.set(text, (counts.get(text) ?? 0) + 1);
      seq = message.seq + 1;
    }
  }
  return counts;
}
