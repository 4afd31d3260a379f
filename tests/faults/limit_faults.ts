/**
 * What a server or a system allows, and allows no longer.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { until } from "../harness/waiting.ts";
import { fetchOnce } from "../harness/fetch_once.ts";
import type { GatewayProcess } from "../harness/gateway.ts";
import { open } from "../harness/raw_http.ts";
import { Client } from "../harness/websocket.ts";
import { type Fault, reconnectsOf, untilReconnected } from "./fault.ts";
import { statsOf } from "./process_stats.ts";
import type { World } from "./world.ts";

const SMALL = "max_payload: 100000\nmax_control_line: 1024";
/** Fits under the defaults, and not under {@link SMALL}. */
const LARGE_MESSAGE = "x".repeat(200_000);
const LONG_PATH = `/${"a".repeat(1500)}`;
const TOO_LARGE = 1009;
const FREE_DESCRIPTORS = 8;
const IDLE_CLIENTS = 60;
/** Longer than the first pauses before it is listened again. */
const WITHOUT_DESCRIPTORS_MS = 1500;

/** All of them. */
export const LIMIT_FAULTS: readonly Fault[] = [
  {
    name: "nats-server comes back with smaller limits",
    breaksNats: true,
    losesMessages: true,
    repeatsPersisted: true,
    async happen(world) {
      await restartNats(world, SMALL);
      await refusesWhatIsTooLarge(world);
      await restartNats(world);
    },
  },
  {
    name: "nats-server is reloaded with smaller limits",
    breaksNats: true,
    losesMessages: true,
    repeatsPersisted: true,
    async happen(world) {
      const reconnects = await reconnectsOf(world);
      await world.nats.reload(SMALL);
      // It closes the connection of who exceeds them, and says no sooner what they are: to each gateway.
      const isNoticed = async () => {
        await Promise.all(world.gateways.map(echoes));
        const now = await reconnectsOf(world);
        return now.every((count, index) => count > reconnects[index]!);
      };
      await until(isNoticed, "the server refuses what is too large of each gateway");
      await untilReconnected(world, reconnects);
      await refusesWhatIsTooLarge(world);
      await restartNats(world);
    },
  },
  {
    name: "a gateway has no file descriptor left",
    spares: ["sockets"],
    happen: ({ gateways: [gateway] }) => takeDescriptors(gateway!),
  },
];

async function restartNats(world: World, config?: string): Promise<void> {
  const reconnects = await reconnectsOf(world);
  await world.restartNats(config);
  await untilReconnected(world, reconnects);
  for (const gateway of world.gateways) {
    await until(() => echoes(gateway), "a large body is echoed");
  }
}

/** The body arrives, as one message or in parts. */
async function echoes({ url }: GatewayProcess): Promise<boolean> {
  const target = `${url}/echo?nonce=${crypto.randomUUID()}`;
  const response = await fetchOnce(target, { method: "POST", body: LARGE_MESSAGE });
  const text = await response.text();
  if (response.status === 200 && text !== LARGE_MESSAGE) throw new Error("Another body came back");
  return response.status === 200;
}

async function refusesWhatIsTooLarge(world: World): Promise<void> {
  for (const { url } of world.gateways) {
    const client = await Client.connect(url.replace("http", "ws"));
    client.send(LARGE_MESSAGE);
    const { code } = await client.closed;
    if (code !== TOO_LARGE) {
      throw new Error(`Expected ${TOO_LARGE} for a large message, got ${code}`);
    }
    const response = await fetchOnce(`${url}${LONG_PATH}`);
    await response.body?.cancel();
    if (response.status !== 414) throw new Error(`Expected 414, got ${response.status}`);
  }
}

async function takeDescriptors(gateway: GatewayProcess): Promise<void> {
  const { fds } = await statsOf(gateway.pid);
  await limitDescriptors(gateway.pid, fds + FREE_DESCRIPTORS);
  const idle: Deno.TcpConn[] = [];
  for (let count = 0; count < IDLE_CLIENTS; count++) {
    // While nobody listens it is refused.
    const conn = await open(gateway.port).catch(() => undefined);
    if (conn !== undefined) idle.push(conn);
  }
  await pause(WITHOUT_DESCRIPTORS_MS);
  for (const conn of idle) conn.close();
  await limitDescriptors(gateway.pid, 1024);
  await until(() => echoes(gateway).catch(() => false), "it serves again");
  const restarts = await gateway.metric("h8s_listener_restarts_total");
  if (restarts === 0) throw new Error("The gateway never was out of descriptors");
}

/** The soft limit of a process that runs, as `ulimit -Sn` would have set it. */
async function limitDescriptors(pid: number, most: number): Promise<void> {
  const args = ["--pid", String(pid), `--nofile=${most}:`];
  const { success, stderr } = await new Deno.Command("prlimit", { args }).output();
  if (!success) throw new Error(new TextDecoder().decode(stderr));
}
