import assert from "node:assert/strict";
import { COMMON_FLAGS, GatewayProcess } from "../harness/gateway.ts";
import { Program } from "../harness/program.ts";
import { answer, listen, setUp } from "../harness/setup.ts";
import { Client } from "../harness/websocket.ts";

/** So many that one of two gets none of them once in a billion runs. */
const CONNECTIONS = 32;

Deno.test("gateways that share a port share the connections, each under its own id", async () => {
  await using setup = await setUp(["--share-port"]);
  await using second = await startSecond(setup);
  const established = await listen(setup.nc, "h8s.control.ws.conn.established");
  const received = await listen(setup.nc, "h8s.ws.ws.>");
  await using clients = new AsyncDisposableStack();
  const gateways = new Set<string>();
  for (let count = 0; count < CONNECTIONS; count++) {
    const client = clients.use(await Client.connect(`ws://127.0.0.1:${second.port}/chat`));
    const event = await established.next();
    gateways.add(event.headers!.get("X-H8s-Gateway-Id"));
    client.send(`from ${count}`);
    assert.equal((await received.next()).string(), `from ${count}`);
    setup.nc.publish(event.reply!, `to ${count}`);
    assert.equal(await client.next(), `to ${count}`);
  }
  const ids = await Promise.all(
    [setup.gateway, second].map(async (gateway) => (await gateway.logged("listening")).gateway),
  );
  assert.deepEqual([...gateways].toSorted(), ids.toSorted());
});

Deno.test("one of two that share a port stops, and the other goes on", async () => {
  await using setup = await setUp(["--share-port"]);
  await using second = await startSecond(setup);
  await answer(setup.nc, "h8s.http.GET.>", () => ({ data: "hello" }));
  await get(second.port);
  setup.gateway.kill("SIGTERM");
  assert.equal((await setup.gateway.ended).code, 0);
  for (let count = 0; count < CONNECTIONS; count++) assert.equal(await get(second.port), "hello");
});

// Where every gateway shares its port, there is none.
const ignore = COMMON_FLAGS.includes("--share-port");

Deno.test({ name: "a port that is not shared is taken", ignore }, async () => {
  await using setup = await setUp();
  const address = `127.0.0.1:${setup.gateway.port}`;
  await using second = new Program(
    ["--listen", address, "--share-port", "--nats-url", setup.nats.url],
  );
  assert.equal((await second.ended).code, 1);
  assert.match(second.noise.join("\n"), /in use/);
});

function startSecond(
  { nats, gateway }: Awaited<ReturnType<typeof setUp>>,
): Promise<GatewayProcess> {
  return GatewayProcess.start(["--nats-url", nats.url, "--share-port"], { port: gateway.port });
}

/** On a connection of its own. */
async function get(port: number): Promise<string> {
  const response = await fetch(`http://127.0.0.1:${port}/`, { headers: { connection: "close" } });
  return await response.text();
}
