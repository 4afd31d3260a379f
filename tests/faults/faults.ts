/**
 * What can go wrong, each with its end: when a fault has passed, everything runs again.
 *
 * @module
 */
import { connect } from "node:net";
import { jetstreamManager } from "@nats-io/jetstream";
import { STREAM } from "./kept.ts";
import { once } from "node:events";
import { HANDSHAKE } from "../harness/websocket.ts";
import type { World } from "./world.ts";

/** Something that goes wrong, and is mended again. */
export interface Fault {
  readonly name: string;
  /** How long what the fault broke may take to be told; another fault meanwhile would be two at once. */
  readonly aftermathMs?: number;
  /** Sockets that stay open may miss what was under way: NATS alone promises no more. */
  readonly losesMessages?: true;
  /** What was under way to or from NATS is lost, and told again where that can be. */
  readonly breaksNats?: true;
  /** What JetStream had not acknowledged is published again: who listens live may hear it twice. */
  readonly repeatsPersisted?: true;
  /** What was under way may come after what was sent later, over another connection. */
  readonly delaysMessages?: true;
  /** Lets it happen; resolves when all processes run again and are connected. */
  happen(world: World): Promise<void>;
}

const RESET_CLIENTS = 40;
/** A server that hung is noticed within 6 s, and is tried again every few seconds. */
const RECONNECT_MS = 15_000;

/** All of them. */
export const FAULTS: readonly Fault[] = [
  {
    name: "nats-server is killed and started again",
    breaksNats: true,
    losesMessages: true,
    repeatsPersisted: true,
    async happen(world) {
      const reconnects = await reconnectsOf(world);
      await world.nats.kill();
      await pause(1000);
      await world.restartNats();
      await untilReconnected(world, reconnects);
    },
  },
  {
    name: "nats-server hangs for 10 s",
    breaksNats: true,
    losesMessages: true,
    delaysMessages: true,
    repeatsPersisted: true,
    async happen(world) {
      const reconnects = await reconnectsOf(world);
      world.nats.signal("SIGSTOP");
      await pause(10_000);
      world.nats.signal("SIGCONT");
      await untilReconnected(world, reconnects);
    },
  },
  {
    name: "a gateway is killed",
    aftermathMs: 16_000,
    async happen(world) {
      await world.killGateway(0);
      await world.startGateway(0);
    },
  },
  {
    name: "a gateway is told to stop",
    async happen(world) {
      const [gateway] = world.gateways;
      gateway!.kill("SIGTERM");
      const { code } = await gateway!.ended;
      if (code !== 0) throw new Error(`The gateway ended with ${code}`);
      await world.startGateway(0);
    },
  },
  {
    name: "the workload is killed and started again",
    losesMessages: true,
    async happen(world) {
      await world.killWorkload();
      await world.startWorkload();
    },
  },
  {
    name: "clients reset their connections",
    async happen(world) {
      const clients = Array.from({ length: RESET_CLIENTS }, (_, index) => index);
      await Promise.all(clients.map((client) => resetInTheMiddle(world, client)));
    },
  },
];

/** Only where what clients say is persisted. */
export const FULL_STREAM: Fault = {
  name: "the stream is full",
  losesMessages: true,
  repeatsPersisted: true,
  async happen(world) {
    const { streams } = await jetstreamManager(world.nc);
    const { config, state } = await streams.info(STREAM);
    const before = await refusedBy(world);
    await streams.update(STREAM, { ...config, max_bytes: state.bytes });
    while (await refusedBy(world) < before + 20) await pause(50);
    await pause(1000);
    await streams.update(STREAM, { ...config, max_bytes: -1 });
  },
};

async function refusedBy({ gateways }: World): Promise<number> {
  const series = 'h8s_persisted_messages_total{outcome="refused"}';
  const counts = await Promise.all(gateways.map((gateway) => gateway.metric(series)));
  return counts.reduce((sum, count) => sum + count);
}

/** By turns in the middle of a streamed reply, of a request's body, and of a WebSocket's life. */
async function resetInTheMiddle(world: World, client: number): Promise<void> {
  const port = Number(world.addressFor(client).split(":")[1]);
  const socket = connect(port, "127.0.0.1");
  socket.on("error", () => {});
  const nonce = crypto.randomUUID();
  const waitsForReply = client % 3 !== 1;
  const requests = [
    `GET /stream?nonce=${nonce} HTTP/1.1\r\nHost: reset.example.com\r\n\r\n`,
    `POST /echo?nonce=${nonce} HTTP/1.1\r\nHost: reset.example.com\r\nContent-Length: 900000\r\n\r\nbegin`,
    `${HANDSHAKE.join("\r\n")}\r\n\r\n`,
  ];
  socket.write(requests[client % 3]!);
  await once(socket, waitsForReply ? "data" : "ready");
  socket.resetAndDestroy();
  await once(socket, "close");
}

/** A gateway may notice a loss only when it is over: so what counts is that it came back. */
async function untilReconnected(world: World, before: readonly number[]): Promise<void> {
  const latest = performance.now() + RECONNECT_MS;
  for (const [index, gateway] of world.gateways.entries()) {
    while (
      await reconnects(gateway) <= before[index]! ||
      await gateway.metric("h8s_nats_connected") === 0
    ) {
      if (performance.now() > latest) throw new Error(`Gateway ${index} does not reconnect`);
      await pause(50);
    }
  }
}

function reconnectsOf({ gateways }: World): Promise<number[]> {
  return Promise.all(gateways.map(reconnects));
}

function reconnects(gateway: World["gateways"][number]): Promise<number> {
  return gateway.metric("h8s_nats_reconnects_total");
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
