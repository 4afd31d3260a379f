/**
 * The worker behind the rooms: no inbound port, no permission but the net.
 *
 * `deno run --allow-net examples/rooms/worker.ts [NATS_URL] [PREFIX]`
 *
 * @module
 */
import { connect } from "../../lib/workload/mod.ts";
import { startWork } from "./start.ts";

const [natsUrl = "nats://127.0.0.1:4222", prefix = "h8s"] = Deno.args;

const nc = await connect({ servers: natsUrl, name: "rooms" });
try {
  await using _work = await startWork(nc, { prefix, onError: report });
  console.log(`rooms: at work for ${prefix}.> on ${natsUrl}`);
  await untilInterrupted();
} catch (error) {
  console.error(`rooms: ${error instanceof Error ? error.message : error}`);
  Deno.exitCode = 1;
} finally {
  await nc.close();
}

function report(error: unknown): void {
  console.error("rooms:", error);
}

function untilInterrupted(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  Deno.addSignalListener("SIGINT", resolve);
  if (Deno.build.os !== "windows") Deno.addSignalListener("SIGTERM", resolve);
  return promise;
}
