/**
 * Who came and who went: as the gateways kept it, as they told it, and as the workload heard it.
 *
 * @module
 */
import { jetstream, jetstreamManager, RetentionPolicy, StorageType } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import type { Report } from "./workload.ts";

/** The stream of the gateways' own. */
export const KEPT = "who";
/** What a subscriber would have heard that was always there. */
const LIVE = "LIVE";
const PREFIX = "h8s.control.ws.conn.";

/** How often an event got so far. */
export interface Stages {
  kept: number;
  live: number;
  heard: number;
  /** When NATS had it last, in milliseconds since 1970. */
  at: number;
}

/** What became of the two events of one connection. */
export interface ConnectionHistory {
  readonly established: Stages;
  readonly closed: Stages;
}

/**
 * Has NATS itself keep what is told live: whoever subscribed as a client would miss what is told while it
 * is still on its way back to a server that was restarted.
 *
 * @param nc The connection.
 */
export async function recordEvents(nc: NatsConnection): Promise<void> {
  const manager = await jetstreamManager(nc);
  await manager.streams.add({
    name: LIVE,
    subjects: [`${PREFIX}established`, `${PREFIX}closed`],
    storage: StorageType.File,
    retention: RetentionPolicy.Limits,
    // An acknowledgement would go to the connection's inbox, and so to its client.
    no_ack: true,
  });
}

/**
 * Reads what was kept, told and heard.
 *
 * @param nc The connection.
 * @param reports What the workloads said.
 * @returns By connection id.
 */
export async function readEvents(
  nc: NatsConnection,
  reports: readonly Report[],
): Promise<Map<string, ConnectionHistory>> {
  const histories = new Map<string, ConnectionHistory>();
  const of = (id: string) => {
    const none = () => ({ kept: 0, live: 0, heard: 0, at: 0 });
    const history = histories.get(id) ?? { established: none(), closed: none() };
    histories.set(id, history);
    return history;
  };
  for (const [stream, stage] of [[KEPT, "kept"], [LIVE, "live"]] as const) {
    for await (const { id, isClosed, at } of readStream(nc, stream)) {
      const stages = of(id)[isClosed ? "closed" : "established"];
      stages[stage]++;
      stages.at = Math.max(stages.at, at);
    }
  }
  for (const report of reports) {
    if (report.type === "opened") of(report.id).established.heard++;
    else if (report.type === "closed") of(report.id).closed.heard++;
  }
  return histories;
}

async function* readStream(
  nc: NatsConnection,
  stream: string,
): AsyncGenerator<{ id: string; isClosed: boolean; at: number }> {
  const { state } = await (await jetstreamManager(nc)).streams.info(stream);
  if (state.messages === 0) return;
  const consumer = await jetstream(nc).consumers.get(stream);
  for await (const message of await consumer.consume({ max_messages: 1000 })) {
    const id = message.headers?.get("X-H8s-Connection-Id") ?? "";
    yield { id, isClosed: message.subject.includes(".closed"), at: message.time.getTime() };
    if (message.seq >= state.last_seq) break;
  }
  await consumer.delete();
}
