/**
 * Who came and who went, as the gateways told it.
 *
 * @module
 */
import { jetstream, jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";

const STREAM = "EVENTS";
const PREFIX = "h8s.control.ws.conn.";

/** What was told of one connection. */
export interface ConnectionHistory {
  established: number;
  closed: number;
}

/**
 * Has NATS itself keep the events: whoever subscribed as a client would miss what is told while it is
 * still on its way back to a server that was restarted.
 *
 * @param nc The connection.
 */
export async function recordEvents(nc: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(nc);
  await manager.streams.add({
    name: STREAM,
    subjects: [`${PREFIX}established`, `${PREFIX}closed`],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    // An acknowledgement would go to the connection's inbox, and so to its client.
    no_ack: true,
  });
}

/**
 * Reads what was told.
 *
 * @param nc The connection.
 * @returns By connection id.
 */
export async function readEvents(nc: NatsConnection): Promise<Map<string, ConnectionHistory>> {
  const histories = new Map<string, ConnectionHistory>();
  const { state } = await (await jetstreamManager(nc)).streams.info(STREAM);
  if (state.messages === 0) return histories;
  const consumer = await jetstream(nc).consumers.get(STREAM);
  for await (const message of await consumer.consume({ max_messages: 1000 })) {
    const id = message.headers?.get("X-H8s-Connection-Id") ?? "";
    const history = histories.get(id) ?? { established: 0, closed: 0 };
    histories.set(id, history);
    history[message.subject === `${PREFIX}closed` ? "closed" : "established"]++;
    if (message.seq >= state.last_seq) break;
  }
  await consumer.delete();
  return histories;
}
