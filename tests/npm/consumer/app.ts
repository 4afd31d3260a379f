/**
 * What somebody writes who has installed the package: a Hono app behind NATS.
 *
 * @module
 */
import process from "node:process";
import { connect, Router, serve, type SocketHandlers } from "@h8s/gateway/workload";
import { connect as connectClient } from "@h8s/gateway/client";
import { Router as SameRouter } from "@h8s/gateway/router";
import { Hono } from "hono";
import { streamText } from "hono/streaming";

const app = new Hono();
app.get("/", (c) => c.text("hello"));
app.get("/stream", (c) =>
  streamText(c, async (stream) => {
    for (let line = 1; line <= 3; line++) await stream.writeln(`line ${line}`);
  }));
app.post("/upload", async (c) => {
  let sum = 0;
  let bytes = 0;
  for await (const chunk of c.req.raw.body!) {
    bytes += chunk.length;
    for (const byte of chunk) sum = (sum * 31 + byte) % 65_521;
  }
  return c.json({ bytes, sum });
});
app.get("/others", (c) => c.json([new Router() instanceof SameRouter, typeof connectClient]));
app.get("/connections", (c) => c.json(service.registry!.connections().map(({ path }) => path)));

const websocket: SocketHandlers = {
  open: (conn) => void conn.send("welcome"),
  message: (conn, data) => void conn.send(data),
};
const nc = await connect({ servers: process.argv[2]! });
const service = serve(nc, { host: "127.0.0.1", websocket }, app.fetch);
process.once("SIGTERM", () => void service.stop());
await service.ready;
console.log("ready");
await service.finished;
await nc.close();
