/**
 * nats-server, the gateway and a workload in one go: `deno task demo [HOST:PORT]`.
 *
 * @module
 */
import { connect } from "@nats-io/transport";
import { ConfigError, ListenError, startGateway } from "../lib/mod.ts";
import { findNats, startNats } from "../tests/harness/nats_server.ts";
import { hello } from "./hello.ts";

const { path, version, source } = await findNats();
console.log(`nats-server ${version}, ${source}: ${path}`);
const code = await demo(Deno.args[0] ?? "127.0.0.1:8080");
Deno.exit(code);

async function demo(listen: string): Promise<number> {
  await using nats = await startNats();
  const nc = await connect({ servers: nats.url });
  hello(nc);
  try {
    await using gateway = startGateway({ listen, natsUrl: [nats.url], logLevel: "warn" });
    await gateway.connected;
    console.log(render(`http://localhost:${gateway.address.port}`, nats.url));
    await untilInterrupted();
    console.log("\nStopping …");
    return 0;
  } catch (error) {
    if (!(error instanceof ListenError || error instanceof ConfigError)) throw error;
    console.error(`${error.message}\nOr: deno task demo 127.0.0.1:0   (any free port)`);
    return 1;
  } finally {
    await nc.close();
  }
}

function render(url: string, natsUrl: string): string {
  return `
Open  ${url}/

Or try
  curl ${url}/hello/you
  curl -N ${url}/ticks
  curl -i -X POST ${url}/nobody

The first two are answered over NATS (${natsUrl}) by examples/hello.ts, the last by nobody: a 503
at once. Ctrl-C stops everything.`;
}

function untilInterrupted(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", resolve);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", resolve);
  return promise;
}
