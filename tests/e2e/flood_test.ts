import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { GatewayProcess } from "../harness/gateway.ts";
import { startNats } from "../harness/nats_server.ts";
import { listen } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";
import { Relay } from "../nats/relay.ts";

const CHUNK = new Uint8Array(64 * 1024);

Deno.test("who floods while NATS is slow is closed 1008 and told; the others feel nothing", async () => {
  await using nats = await startNats({ jetstream: false });
  await using relay = new Relay(nats.port);
  await using gateway = await GatewayProcess.start(["--nats-url", relay.url]);
  const nc = await connect({ servers: nats.url });
  const heard = await listen(nc, "h8s.ws.ws.127.0.0.1.modest");
  const url = `ws://127.0.0.1:${gateway.port}`;
  await using modest = await Client.connect(`${url}/modest`);
  await using flooding = await Client.connect(`${url}/flooding`);
  modest.send("before");
  assert.equal((await heard.next()).string(), "before");
  relay.stall();
  const { promise: over, resolve } = Promise.withResolvers<void>();
  const closed = flooding.closed.then((event) => (resolve(), event));
  // Kernel buffers take some MiB before anything waits in the gateway.
  for (let sent = 0; sent < 64 * 1024 * 1024; sent += CHUNK.length) flooding.send(CHUNK);
  modest.send("meanwhile");
  await over;
  const { code, reason } = await closed;
  assert.equal(code, 1008);
  assert.match(reason, /too fast/);
  // The client sees its close frame before the gateway has its answer.
  await gateway.measures("h8s_websockets_open", (count) => count === 1);
  relay.resume();
  assert.equal((await heard.next()).string(), "meanwhile");
  modest.send("after");
  assert.equal((await heard.next()).string(), "after");
  await nc.close();
});
