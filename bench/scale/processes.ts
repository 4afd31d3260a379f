/**
 * More gateways on one port, and one of them that restarts.
 *
 * @module
 */
import { pause } from "../../lib/time/within.ts";
import { readProxyFile } from "../../tests/harness/behind_proxy.ts";
import { freePort } from "../../tests/harness/free_port.ts";
import { Proxy } from "../../tests/harness/proxy.ts";
import type { Sample } from "../case.ts";
import { type Client, findClient, type HttpLoad } from "../load/http.ts";
import { Child, CpuMeter, Unmeasurable } from "../process.ts";
import { gatewayArgs } from "../targets.ts";
import type { Growth, GrowthWorld } from "./growth.ts";

const CONNECTIONS = 256;
/** Of clients of nginx, which keeps as many to the gateways. */
const PROXIED_CONNECTIONS = 32;
const PATH = "/api/v1/small";

/** Each takes what the system gives it of the connections. */
export const processGrowth: Growth = {
  name: "processes",
  title: "gateways that share a port (--share-port), and one of them that restarts",
  sizes: [1, 2],
  measure,
};

/** As `deploy/nginx` says, with the port of both or one of each: a port that both share never fails. */
export const proxiedGrowth: Growth = {
  name: "nginx",
  title: "ports of two gateways behind nginx, of which one restarts",
  sizes: [1, 2],
  measure: measureBehind,
};

async function measureBehind(size: number, world: GrowthWorld): Promise<Sample> {
  const shared = freePort();
  const ports = size === 1 ? [shared, shared] : [freePort(), freePort()];
  // Whoever asks one port cannot leave one of them alone, so that there is nothing to wait for.
  const flags = size === 1 ? ["--share-port"] : ["--drain-delay", "2s"];
  await using running = new AsyncDisposableStack();
  const start = async (port: number) =>
    running.use(await startOne(port, { natsUrl: world.nats.url, flags }));
  const first = await start(ports[0]!);
  await start(ports[1]!);
  const file = await readProxyFile("nginx");
  const text = file.replaceAll(/gateway-(\d):8080/g, (_, at) => `127.0.0.1:${ports[at - 1]}`)
    .replaceAll("max_fails=1", size === 1 ? "max_fails=0" : "max_fails=1");
  await using proxy = await startNginx(text);
  const client = await findClient();
  const load = { path: PATH, connections: PROXIED_CONNECTIONS, seconds: world.seconds };
  await client.run(proxy, load);
  return await restartUnder(client, {
    load: { ...load, seconds: world.seconds + 5 },
    port: proxy.port,
    first,
    start: () => start(ports[0]!),
  });
}

async function startNginx(text: string): Promise<Proxy> {
  try {
    return await Proxy.start("nginx", text);
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
    throw new Unmeasurable("there is no nginx; apt-get install nginx-light");
  }
}

async function measure(size: number, world: GrowthWorld): Promise<Sample> {
  const port = freePort();
  await using running = new AsyncDisposableStack();
  const start = async () =>
    running.use(await startOne(port, { natsUrl: world.nats.url, flags: ["--share-port"] }));
  const gateways: Child[] = [];
  for (let count = 0; count < size; count++) gateways.push(await start());
  const client = await findClient();
  const load = { path: PATH, connections: CONNECTIONS, seconds: world.seconds };
  await client.run({ port }, load);
  const meters = gateways.map(({ pid }) => new CpuMeter(pid));
  const { requests, seconds, p50Millis, p99Millis } = await client.run({ port }, load);
  const micros = meters.map((meter) => meter.micros());
  const restarted = await restartUnder(client, {
    load: { ...load, seconds: world.seconds + 2 },
    port,
    first: gateways[0]!,
    start,
  });
  const sum = micros.reduce((sum, one) => sum + one, 0);
  return {
    "cpu µs/request, all together": sum / requests,
    "share of the busiest": Math.max(...micros) / sum,
    "requests/s": requests / seconds,
    "p50 ms": p50Millis,
    "p99 ms": p99Millis,
    ...restarted,
  };
}

/** What clients see: of their own connections, or of a proxy's. */
async function restartUnder(
  client: Client,
  { load, port, first, start }: {
    load: HttpLoad;
    port: number;
    first: Child;
    start: () => Promise<unknown>;
  },
): Promise<Sample> {
  const under = client.run({ port }, load);
  await pause(500);
  Deno.kill(first.pid, "SIGTERM");
  await first.ended;
  await start();
  const { requests, errors, broken } = await under;
  return {
    "answered while one restarts": requests,
    "of them with an error": errors - broken,
    "connections refused or broken meanwhile": broken,
  };
}

async function startOne(
  port: number,
  { natsUrl, flags = [] }: { natsUrl: string; flags?: readonly string[] },
): Promise<Child> {
  const all = ["--listen", `127.0.0.1:${port}`, "--nats-url", natsUrl, ...flags];
  const args = gatewayArgs([...all, "--log-format", "json"]);
  const child = new Child(Deno.execPath(), args, { output: "stderr" });
  await child.nextLine((line) => line.includes('"nats connected"'));
  child.ignoreOutput().catch(() => {});
  return child;
}
