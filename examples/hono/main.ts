/**
 * The app behind NATS, with no port:
 * `deno run --allow-net examples/hono/main.ts [nats://127.0.0.1:4222 [example.com]]`.
 *
 * Without a host it serves any, which needs a gateway that says which host was asked for.
 *
 * @module
 */
import { connect, serve } from "../../lib/workload/mod.ts";
import { app } from "./app.ts";

const [servers = "nats://127.0.0.1:4222", host = "*"] = Deno.args;
const nc = await connect({ servers });
const service = serve(nc, { host }, app.fetch);
await service.ready;
console.log(`hono: serving ${host === "*" ? "every host" : host}`);
await service.finished;
