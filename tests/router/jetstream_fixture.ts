import {
  AckPolicy,
  type Consumer,
  type ConsumerConfig,
  type ConsumerMessages,
  jetstream,
  jetstreamManager,
  type PubAck,
  RetentionPolicy,
} from "@nats-io/jetstream";
import { connect, nanos, type NatsConnection } from "@nats-io/transport";
import type { ListenFailure } from "../../lib/router/mod.ts";
import { startNats } from "../harness/nats_server.ts";

/** Long, so that no test passes because JetStream delivers a message again by itself. */
const ACK_WAIT_MS = 60_000;

/** What the server says of a message that was acked or terminated. */
export interface Advisory {
  readonly deliveries: number;
  readonly stream_seq: number;
  readonly reason?: string;
}

/** A server with a stream and a consumer, until it is disposed of. */
export interface Fixture extends AsyncDisposable {
  readonly connection: NatsConnection;
  /** Whether the server takes the reason of a termination: 2.10.4 and later. */
  readonly hasReasons: boolean;
  consumer(): Promise<Consumer>;
  consume(): Promise<ConsumerMessages>;
  publish(subject: string, data?: string): Promise<PubAck>;
  /** The next message on a subject of the server's own. */
  once(subject: string): Promise<Advisory>;
}

/** A server with the stream `ORDERS` and its consumer `worker`, which reports every ack. */
export async function open(config: Partial<ConsumerConfig> = {}): Promise<Fixture> {
  const server = await startNats();
  const connection = await connect({ servers: server.url });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({
    name: "ORDERS",
    subjects: ["order.>"],
    retention: RetentionPolicy.Workqueue,
  });
  await manager.consumers.add("ORDERS", {
    durable_name: "worker",
    ack_policy: AckPolicy.Explicit,
    ack_wait: nanos(ACK_WAIT_MS),
    sample_freq: "100%",
    ...config,
  });
  const streams = jetstream(connection);
  const consumer = () => streams.consumers.get("ORDERS", "worker");
  const [major = 0, minor = 0, patch = 0] = connection.info!.version.split(".").map(Number);
  return {
    connection,
    hasReasons: major * 1e6 + minor * 1e3 + patch >= 2_010_004,
    consumer,
    consume: async () => (await consumer()).consume(),
    publish: (subject: string, data = "") => streams.publish(subject, data),
    once(subject: string): Promise<Advisory> {
      const { promise, resolve, reject } = Promise.withResolvers<Advisory>();
      connection.subscribe(subject, {
        max: 1,
        callback: (error, msg) => error === null ? resolve(msg.json()) : reject(error),
      });
      return promise;
    },
    async [Symbol.asyncDispose](): Promise<void> {
      await connection.close();
      await server[Symbol.asyncDispose]();
    },
  };
}

/** A failure in one line: stage, subject, action. */
export function toText(failure: ListenFailure): string {
  if (failure.stage === "source") return failure.stage;
  return `${failure.stage} ${failure.message.subject} ${failure.action}`;
}
