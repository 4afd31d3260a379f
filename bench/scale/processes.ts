/**
 * More gateways on one port, and one of them that restarts.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { freePort } from "../../tests/harness/free_port.ts";
import type { Sample } from "../case.ts";
import { findClient } from "../load/http.ts";
import { Child, CpuMeter } from "../process.ts";
import { gatewayArgs } from "../targets.ts";
import type { Growth, GrowthWorld } from "./growth.ts";

const CONNECTIONS = 256;
const PATH = "/api/v1/small";

/** Each takes what the system gives it of the connections. */
export const processGrowth: Growth = {
  name: "processes",
  title: "gateways that share a port (--share-port), and one of them that restarts",
  sizes: [1, 2],
  measure,
};

async function measure(size: number, world: GrowthWorld): Promise<Sample> {
  const port = freePort();
  await using running = new AsyncDisposableStack();
  const start = async () => running.use(await startOne(port, world.nats.url));
  const gateways: Child[] = [];
  for (let count = 0; count < size; count++) gateways.push(await start());
  const client = await findClient();
  const load = { path: PATH, connections: CONNECTIONS, seconds: world.seconds };
  await client.run({ port }, load);
  const meters = gateways.map(({ pid }) => new CpuMeter(pid));
  const { requests, seconds, p50Millis, p99Millis } = await client.run({ port }, load);
  const micros = meters.map((meter) => meter.micros());
  const under = client.run({ port }, { ...load, seconds: world.seconds + 2 });
  await pause(500);
  const [first] = gateways;
  Deno.kill(first!.pid, "SIGTERM");
  await first!.ended;
  await start();
  const restarted = await under;
  const sum = micros.reduce((sum, one) => sum + one, 0);
  return {
    "cpu µs/request, all together": sum / requests,
    "share of the busiest": Math.max(...micros) / sum,
    "requests/s": requests / seconds,
    "p50 ms": p50Millis,
    "p99 ms": p99Millis,
    "requests while one restarts": restarted.requests,
    "of them failed": restarted.errors,
  };
}

async function startOne(port: number, natsUrl: string): Promise<Child> {
  const flags = ["--listen", `127.0.0.1:${port}`, "--share-port", "--nats-url", natsUrl];
  const args = gatewayArgs([...flags, "--log-format", "json"]);
  const child = new Child(Deno.execPath(), args, { output: "stderr" });
  await child.nextLine((line) => line.includes('"nats connected"'));
  child.ignoreOutput().catch(() => {});
  return child;
}
