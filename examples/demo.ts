/**
 * The rooms in one go: nats-server, the gateway and the worker behind it.
 * `deno task demo [HOST:PORT]`
 *
 * @module
 */
import { ConfigError, type Gateway, ListenError, startGateway } from "../lib/mod.ts";
import { announceNats, startNats } from "../tests/harness/nats_server.ts";
import { GATEWAY_OPTIONS } from "./rooms/gateway_options.ts";
import { WorkerProcess } from "./rooms/worker_process.ts";

const HELP = `Usage: deno task demo [HOST:PORT]

Starts nats-server, the gateway on HOST:PORT [127.0.0.1:8080] and a workload: rooms to talk in.
Port 0 is any free one. Ctrl-C stops everything.`;

const [listen = "127.0.0.1:8080"] = Deno.args;
if (listen === "--help" || listen === "-h") {
  console.log(HELP);
  Deno.exit(0);
}
await announceNats();
Deno.exit(await demo(listen));

async function demo(listen: string): Promise<number> {
  const interrupted = untilInterrupted();
  await using nats = await startNats();
  try {
    await using gateway = startGateway({
      ...GATEWAY_OPTIONS,
      listen,
      natsUrl: [nats.url],
      logLevel: "warn",
    });
    await gateway.connected;
    await using _worker = await WorkerProcess.start(nats.url, GATEWAY_OPTIONS.prefix);
    console.log(render(gateway, nats.url));
    await interrupted;
    console.log("\nStopping …");
    return 0;
  } catch (error) {
    if (!(error instanceof ListenError || error instanceof ConfigError)) throw error;
    console.error(`${error.message}\nOr: deno task demo 127.0.0.1:0   (any free port)`);
    return 1;
  }
}

function render({ address }: Gateway, natsUrl: string): string {
  const url = `http://localhost:${address.port}`;
  return `
Open  ${url}/lobby   in two windows, one of them private, and talk to yourself.

Or try
  curl -i ${url}/lobby
      the page, from examples/rooms/worker.ts, a process without an open port
  curl -i --data '{"name":"Ada"}' ${url}/users
      200 at once; a stream keeps the name until the worker has taken it
  curl ${url}/lobby/messages
      what was said: nothing, until you have said something in the page

All of it crosses ${natsUrl}.
Ctrl-C stops everything.`;
}

function untilInterrupted(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", resolve);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", resolve);
  return promise;
}
