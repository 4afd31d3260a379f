/**
 * A nats-server, a gateway process and a plain NATS client: what most end-to-end tests stand on.
 *
 * @module
 */
import { Buffer } from "node:buffer";
import { jetstreamManager } from "@nats-io/jetstream";
import { connect } from "@nats-io/transport";
import { headers, type Msg, type MsgHdrs, type NatsConnection } from "@nats-io/nats-core";
import { isNotFound } from "../../lib/nats/jetstream/stream.ts";
import { GatewayProcess } from "./gateway.ts";
import { type NatsOptions, type NatsServer, startNats } from "./nats_server.ts";
import { asGateway, readOpenRights } from "./rights.ts";
import { Events, until } from "./waiting.ts";

/** The three of them, ended together. */
export interface Setup extends AsyncDisposable {
  readonly nats: NatsServer;
  readonly gateway: GatewayProcess;
  /** Connected to {@link nats}: the workload, written with nothing but the NATS client. */
  readonly nc: NatsConnection;
}

/**
 * Starts them, the gateway with the rights that the documents ask for and no other.
 *
 * @param flags For the gateway.
 * @param options For nats-server.
 * @param stdin What is piped into the gateway, e.g. for `--config -`.
 * @returns The running setup.
 */
export async function setUp(
  flags: readonly string[] = [],
  options: NatsOptions = {},
  stdin?: string,
): Promise<Setup> {
  await using stack = new AsyncDisposableStack();
  const prefix = flags[flags.indexOf("--prefix") + 1];
  const config = readOpenRights(flags.includes("--prefix") ? prefix : undefined);
  const nats = stack.use(await startNats({ jetstream: false, config, ...options }));
  const nc = stack.adopt(await connect({ servers: nats.url }), (nc) => nc.close());
  const gateway = stack.use(
    await GatewayProcess.start(["--nats-url", asGateway(nats.url), ...flags], { stdin }),
  );
  const all = stack.move();
  return { nats, gateway, nc, [Symbol.asyncDispose]: () => all.disposeAsync() };
}

/**
 * Subscribes and keeps what comes.
 *
 * @param nc The connection.
 * @param subject May hold wildcards.
 * @returns `next()` waits for the next message; `all` holds every one so far.
 */
export async function listen(
  nc: NatsConnection,
  subject: string,
): Promise<Events<Msg>> {
  const messages = new Events<Msg>(`a message on ${subject}`);
  nc.subscribe(subject, {
    callback: (error, message) => {
      if (error !== null) throw error;
      messages.add(message);
    },
  });
  await nc.flush();
  return messages;
}

/**
 * Waits until the records of so many connections are in JetStream.
 *
 * @param nc The connection.
 * @param count How many.
 */
export async function recordsWritten(nc: NatsConnection, count: number): Promise<void> {
  const { streams } = await jetstreamManager(nc);
  const written = () =>
    streams.info("KV_h8s-connections").then(({ state }) => state.messages, (error) => {
      // The bucket comes with the first of them.
      if (isNotFound(error)) return 0;
      throw error;
    });
  await until(async () => await written() >= count, `${count} records are written`);
}

/**
 * Answers every message.
 *
 * @param nc The connection.
 * @param subject May hold wildcards.
 * @param answer Called with each message; what it returns is sent as one reply.
 */
export async function answer(
  nc: NatsConnection,
  subject: string,
  answer: (message: Msg) => { data?: string | Uint8Array; headers?: MsgHdrs },
): Promise<void> {
  nc.subscribe(subject, {
    callback: (error, message) => {
      if (error !== null) throw error;
      const { data = "", headers } = answer(message);
      message.respond(data, headers === undefined ? {} : { headers });
    },
  });
  await nc.flush();
}

/**
 * NATS headers from pairs.
 *
 * @param entries Names and values; a name may come twice.
 * @returns The headers.
 */
export function natsHeaders(...entries: [name: string, value: string][]): MsgHdrs {
  const result = headers();
  for (const [name, value] of entries) result.append(name, value);
  return result;
}

/**
 * A NATS header block as it stands, for what the client library refuses to write.
 *
 * @param block Latin-1.
 * @returns Something that publishes as this block.
 */
export function rawHeaders(block: string): MsgHdrs {
  return { encode: () => Buffer.from(block, "latin1") } as unknown as MsgHdrs;
}

/** All headers of a message, as pairs. */
export function headerEntries(message: Msg): [name: string, value: string][] {
  const entries: [string, string][] = [];
  for (const [name, values] of message.headers ?? []) {
    for (const value of values) entries.push([name, value]);
  }
  return entries;
}
