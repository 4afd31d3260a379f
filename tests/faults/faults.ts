/**
 * What can go wrong, each with its end: when a fault has passed, everything runs again.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { until } from "../harness/waiting.ts";
import { jetstreamManager } from "@nats-io/jetstream";
import { fetchOnce } from "../harness/fetch_once.ts";
import type { GatewayProcess } from "../harness/gateway.ts";
import { CLIENT_FAULTS } from "./client_faults.ts";
import { type Fault, reconnectsOf, sumOf, untilReconnected } from "./fault.ts";
import { STREAM } from "./kept.ts";
import { LIMIT_FAULTS } from "./limit_faults.ts";
import type { World } from "./world.ts";

/** Less than `--drain-timeout`. */
const SLOW_MS = 1500;
/** As long as a load balancer may take to notice that another gateway is there. */
const HANDOVER_MS = 300;

/** What happens to the processes themselves. */
export const PROCESS_FAULTS: readonly Fault[] = [
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
      await stopInOrder(world, world.gateways[0]!);
      await world.startGateway(0);
    },
  },
  {
    name: "a gateway is replaced by another",
    spares: ["requests"],
    async happen(world) {
      const old = world.gateways[0]!;
      await world.startGateway(0);
      await pause(HANDOVER_MS);
      await stopInOrder(world, old);
    },
  },
  {
    name: "the workload is killed and started again",
    killsWorkload: true,
    losesMessages: true,
    async happen(world) {
      await world.killWorkload();
      await world.startWorkload();
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
    await until(async () => await refusedBy(world) >= before + 20, "the stream refuses messages");
    await pause(1000);
    await streams.update(STREAM, { ...config, max_bytes: -1 });
  },
};

/** Everything that can be tried in any world. */
export const FAULTS: readonly Fault[] = [...PROCESS_FAULTS, ...LIMIT_FAULTS, ...CLIENT_FAULTS];

function refusedBy(world: World): Promise<number> {
  return sumOf(world, 'h8s_persisted_messages_total{outcome="refused"}');
}

/** What runs is finished before it ends. */
async function stopInOrder(world: World, gateway: GatewayProcess): Promise<void> {
  const nonce = crypto.randomUUID();
  const slow = fetchOnce(`${gateway.url}/slow?ms=${SLOW_MS}&nonce=${nonce}`);
  const isAsked = () => world.reports.some((it) => it.type === "slow" && it.nonce === nonce);
  await until(isAsked, "the workload begins with a slow request");
  gateway.kill("SIGTERM");
  const text = await (await slow).text();
  if (text !== `slow ${nonce}`) throw new Error(`The slow request got ${text}`);
  const { code } = await gateway.ended;
  if (code !== 0) throw new Error(`The gateway ended with ${code}`);
}
