import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { stringify } from "yaml";
import { serve, type SocketHandlers } from "../../lib/workload/mod.ts";
import { Certificate } from "../harness/certificate.ts";
import { freePort } from "../harness/free_port.ts";
import { GatewayProcess } from "../harness/gateway.ts";
import { startNats } from "../harness/nats_server.ts";
import { Program } from "../harness/program.ts";
import { Client } from "../harness/websocket.ts";
import { RestartableNats } from "../nats/restartable_nats.ts";

const LARGE = "x".repeat(3_000_000);

for (const scheme of ["ws", "wss"]) {
  Deno.test(`the gateway reaches NATS over ${scheme}://, with the net permission alone`, async () => {
    await using certificate = await Certificate.create();
    const port = freePort();
    const { certFile, keyFile } = certificate;
    const tls = `tls { cert_file: "${certFile}", key_file: "${keyFile}" }`;
    const config = `websocket { port: ${port}, ${scheme === "ws" ? "no_tls: true" : tls} }`;
    await using nats = await RestartableNats.start({ config });
    const natsUrl = [`${scheme}://localhost:${port}`];
    const stdin = stringify({
      natsUrl,
      maxBodySize: "4MiB",
      ...(scheme === "ws" ? {} : { natsCa: certificate.ca }),
    });
    await using gateway = await GatewayProcess.start(["--config", "-"], { stdin });
    await tryAll(gateway, nats.url);

    await nats.restart({ config });
    await gateway.logged("nats connected", 2);
    await tryAll(gateway, nats.url);
  });
}

Deno.test("the reverse daemon reaches NATS over WebSocket", async () => {
  await using backend = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    async (request) => new Response(await request.text()),
  );
  const port = freePort();
  const config = `websocket { port: ${port}, no_tls: true }`;
  await using _nats = await startNats({ jetstream: false, config });
  const natsUrl = ["--nats-url", `ws://127.0.0.1:${port}`];
  const flags = [
    "--hostname",
    "127.0.0.1",
    "--backend-url",
    `http://127.0.0.1:${backend.addr.port}`,
  ];
  await using daemon = new Program(["reverse", ...flags, ...natsUrl]);
  await daemon.logged("serving");
  await using gateway = await GatewayProcess.start(natsUrl);
  const response = await fetch(gateway.url, { method: "POST", body: "hello" });
  assert.equal(await response.text(), "hello");
});

/** A request, an upload and a response that take many messages, and a WebSocket. */
async function tryAll(gateway: GatewayProcess, natsUrl: string): Promise<void> {
  const nc = await connect({ servers: natsUrl });
  const websocket: SocketHandlers = { message: (conn, data) => void conn.send(data) };
  const service = serve(nc, { host: "127.0.0.1", websocket }, async (request) => {
    return new Response(request.method === "POST" ? await request.text() : "hello");
  });
  await service.ready;
  assert.equal(await (await fetch(gateway.url)).text(), "hello");
  const large = await fetch(gateway.url, { method: "POST", body: LARGE });
  assert.ok(await large.text() === LARGE);
  await using client = await Client.connect(gateway.url.replace("http", "ws"));
  client.send("hello");
  assert.equal(await client.next(), "hello");
  await client.close();
  await service.stop();
  await nc.close();
}
