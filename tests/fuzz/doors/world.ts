/**
 * A gateway with guarded routes, sessions and a stream, with or without TLS, and a reverse daemon.
 *
 * @module
 */
import { jetstreamManager, type StreamAPI } from "@nats-io/jetstream";
import { Certificate } from "../../harness/certificate.ts";
import type { Program } from "../../harness/program.ts";
import { startReverse } from "../../harness/reverse.ts";
import { open } from "../../harness/raw_http.ts";
import { type Setup, setUp } from "../../harness/setup.ts";
import type { Door } from "../clients.ts";
import { FLAGS, NATS_CONFIG, type World } from "../fuzzer.ts";
import { Backend } from "./backend.ts";
import { DoorBytes } from "./bytes.ts";
import { BACKEND_HOST, CONFIG, STREAM } from "./config.ts";
import { DoorRules } from "./rules.ts";

/** WebSockets at the backend whose clients left in mid-handshake; the daemon gives each up after 10 s. */
const MOST_UNCLAIMED = 50;

/**
 * Starts all of it.
 *
 * @param seed For what the backend answers.
 * @param options `isTls`: whether clients come over TLS.
 * @returns The running world.
 */
export async function startDoors(
  seed: number,
  { isTls = false }: { isTls?: boolean } = {},
): Promise<World> {
  await using stack = new AsyncDisposableStack();
  const certificate = isTls ? stack.use(await Certificate.create()) : undefined;
  const tls = certificate && {
    tlsCert: certificate.ca,
    tlsKey: await Deno.readTextFile(certificate.keyFile),
  };
  const flags = [...FLAGS, "--config", "-"];
  const nats = { jetstream: true, config: NATS_CONFIG };
  const setup = stack.use(await setUp(flags, nats, JSON.stringify({ ...CONFIG, ...tls })));
  await setup.gateway.logged("stream ready");
  const backend = stack.use(await Backend.start(seed));
  const served = { natsUrl: setup.nats.url, hostname: BACKEND_HOST, port: backend.port };
  const reverse = stack.use(await startReverse(served));
  const { streams } = await jetstreamManager(setup.nc);
  const parts = { setup, backend, reverse, streams, rules: new DoorRules() };
  const client = certificate && stack.use(Deno.createHttpClient({ caCerts: [certificate.ca] }));
  const all = stack.move();
  return {
    ...{ setup, rules: parts.rules, door: toDoor(setup, certificate?.ca) },
    ...(client === undefined ? {} : { client }),
    toBytes: (random, batch) => new DoorBytes(random, String(batch)),
    describe: () => [
      `${parts.rules.guarded} messages with the key where it is asked for`,
      `${parts.rules.orders} for the stream`,
      `${backend.seen} requests at the backend`,
    ],
    judge: (kept) => judge(parts, kept),
    [Symbol.asyncDispose]: () => all.disposeAsync(),
  };
}

function toDoor({ gateway }: Setup, ca: string | undefined): Door {
  const { port } = gateway;
  if (ca === undefined) return () => open(port);
  const options = { caCerts: [ca], alpnProtocols: ["http/1.1"] };
  return async () => {
    const tcp = await open(port);
    // Else the first request waits for the delayed acknowledgement of the handshake's end.
    tcp.setNoDelay(true);
    const conn = await Deno.startTls(tcp, { hostname: "127.0.0.1", ...options });
    await conn.handshake();
    return conn;
  };
}

interface Parts {
  readonly setup: Setup;
  readonly backend: Backend;
  readonly reverse: Program;
  readonly streams: StreamAPI;
  readonly rules: DoorRules;
}

async function judge(
  { setup: { gateway }, backend, reverse, streams, rules }: Parts,
  kept: readonly number[],
): Promise<string[]> {
  const wrong = backend.wrong.splice(0);
  if (backend.open > MOST_UNCLAIMED) wrong.push(`${backend.open} WebSockets at the backend`);
  for (const line of reverse.lines.splice(0)) {
    if (line.level === "error") wrong.push(`the reverse daemon logged ${JSON.stringify(line)}`);
  }
  for (const line of reverse.noise.splice(0)) wrong.push(`the reverse daemon printed ${line}`);
  const { state } = await streams.info(STREAM, { subjects_filter: "orders.>" });
  const orders = Object.values(state.subjects ?? {}).reduce((sum, count) => sum + count, 0);
  const stored = await gateway.metric('h8s_persisted_messages_total{outcome="stored"}');
  const own = new Set(kept);
  const counts = JSON.stringify({
    ...{ orders, stored, told: kept.length },
    state: state.messages,
  });
  if (own.size !== kept.length) wrong.push(`one number for two orders: ${counts}`);
  // A client may leave before it is told.
  if (own.size > orders || orders > rules.orders) wrong.push(`orders were lost: ${counts}`);
  if (state.messages > stored) wrong.push(`the stream has more than was told: ${counts}`);
  return wrong;
}
