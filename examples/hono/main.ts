/**
 * The app behind NATS, with no port: `deno run --allow-net examples/hono/main.ts [nats://127.0.0.1:4222]`.
 *
 * @module
 */
import { connect, serve } from "../../lib/workload/mod.ts";
import { app } from "./app.ts";

const nc = await connect({ servers: Deno.args[0] ?? "nats://127.0.0.1:4222" });
const service = serve(nc, { host: "*" }, app.fetch);
await service.ready;
console.log("hono: serving every host");
await service.finished;
