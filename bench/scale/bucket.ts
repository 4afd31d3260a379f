/**
 * The bucket of connections as somebody else sees it, and a gateway that is none.
 *
 * @module
 */
import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import type { NatsConnection } from "@nats-io/nats-core";
import { connect } from "@nats-io/transport";
import {
  type ConnectionRecord,
  encodeResumeRecord,
  renderConnectionRecord,
  RESUME,
  toRecordKey,
} from "../../lib/mapping/connection_record.ts";
import { toHeaderLines } from "../../lib/mapping/headers.ts";
import { readHostTokens, readSubject } from "../../lib/mapping/subject.ts";
import { toHeartbeatSubject } from "../../lib/mapping/heartbeat.ts";
import { pause } from "../../lib/time/within.ts";
import { Unmeasurable } from "../process.ts";

const STREAM = "KV_h8s-connections";
const FAKE = "FAKE";
const SUBJECT = "h8s.ws.ws.com.example.bench.socket";
/** How many records are written before the first of them is waited for. */
const BATCH = 500;
const LOOK_AGAIN_MS = 100;
/** An hour's worth of handshakes looks like this: what a browser sends. */
const LINES = [
  "Accept-Encoding: gzip, deflate, br",
  "Accept-Language: en-GB,en;q=0.9",
  "Cookie: session=0123456789abcdef; theme=dark",
  "Host: bench.example.com",
  "Origin: http://bench.example.com",
  "Sec-Websocket-Version: 13",
  "User-Agent: Mozilla/5.0 (X11; Linux x86_64) Chrome/140.0",
  "X-H8s-PublishSubject: h8s.ws.ws.com.example.bench.socket",
  "X-H8s-Original-Query: ",
  `X-H8s-Gateway-Id: ${FAKE}`,
];

function toRecord(id: string, inbox: string): ConnectionRecord {
  return {
    inbox,
    subject: readSubject(SUBJECT),
    hostTokens: readHostTokens("com.example.bench"),
    lines: toHeaderLines([...LINES, `X-H8s-Connection-Id: ${id}`, ""].join("\r\n")),
  };
}

/** Who has been told to have closed. */
export interface Closed {
  readonly first: Promise<void>;
  readonly all: Promise<void>;

  /** @throws {Unmeasurable} where an end was told twice. */
  check(): void;
}

/** What others can do with it. */
export class Bucket implements AsyncDisposable {
  readonly connection: NatsConnection;

  private constructor(connection: NatsConnection) {
    this.connection = connection;
  }

  static async connect(servers: string): Promise<Bucket> {
    return new Bucket(await connect({ servers }));
  }

  /** Says a word in the name of the gateway that is none. */
  beat(event: "alive" | "gone", gateway: string = FAKE): void {
    this.connection.publish(toHeartbeatSubject({ gateway, event }, "h8s"));
  }

  /** Counts the ends that are told from now on. */
  countClosed(size: number): Closed {
    const [first, all] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    const told = new Set<string>();
    let events = 0;
    this.connection.subscribe("h8s.control.ws.conn.closed", {
      callback: (_error, message) => {
        events++;
        told.add(message.headers?.get("X-H8s-Connection-Id") ?? "");
        first.resolve();
        if (told.size === size) all.resolve();
      },
    });
    return {
      first: first.promise,
      all: all.promise,
      check() {
        if (events !== size) throw new Unmeasurable(`${events} events for ${size} connections`);
      },
    };
  }

  /** Writes records of the gateway that is none. */
  async write(size: number): Promise<void> {
    await this.#write(size, (id) => ({
      key: toRecordKey(FAKE, id),
      text: renderConnectionRecord(toRecord(id, `_INBOX.h8s.${FAKE}.1`)),
    }));
  }

  /** Writes records of connections that it holds, and that can be resumed. */
  async writeResumable(size: number): Promise<void> {
    await this.#write(size, (id) => ({
      key: toRecordKey(RESUME, id),
      text: encodeResumeRecord({
        ...{ owner: FAKE, proof: "A".repeat(43), windowMs: 30_000 },
        connection: toRecord(id, `h8s.resumed.${id}`),
        info: {
          ...{ id, host: "bench.example.com", path: "/socket", remote: "127.0.0.1", query: "" },
          ...{
            subject: SUBJECT,
            inbox: `h8s.resumed.${id}`,
            since: new Date(0).toISOString(),
            protocol: "",
          },
        },
        route: { subscribe: [], mode: "publish", isPersistent: false },
      }),
    }));
  }

  async #write(
    size: number,
    toEntry: (id: string) => { key: string; text: string | Uint8Array },
  ): Promise<void> {
    const client = jetstream(this.connection);
    for (let begin = 0; begin < size; begin += BATCH) {
      const count = Math.min(BATCH, size - begin);
      await Promise.all(Array.from({ length: count }, (_, index) => {
        const { key, text } = toEntry(`${FAKE}-${begin + index}`);
        return client.publish(`$KV.h8s-connections.${key}`, text);
      }));
    }
  }

  /** Waits until so many records are there. */
  async untilHolds(size: number): Promise<void> {
    const manager = await jetstreamManager(this.connection);
    while ((await manager.streams.info(STREAM)).state.messages < size) await pause(LOOK_AGAIN_MS);
  }

  /** Waits until the gateway that is none has no records. */
  async untilEmpty(): Promise<void> {
    const manager = await jetstreamManager(this.connection);
    const isLeft = async () => {
      const { state } = await manager.streams.info(STREAM, { subjects_filter: `$KV.*.${FAKE}.>` });
      return Object.keys(state.subjects ?? {}).length > 0;
    };
    while (await isLeft()) await pause(LOOK_AGAIN_MS);
  }

  async purge(): Promise<void> {
    const manager = await jetstreamManager(this.connection);
    await manager.streams.purge(STREAM);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.connection.close();
  }
}
