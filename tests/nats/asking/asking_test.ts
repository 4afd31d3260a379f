import assert from "node:assert/strict";
import { askConnections, closeConnection } from "../../../lib/nats/asking/connections.ts";
import { GatewayList } from "../../../lib/nats/asking/gateways.ts";
import { Session } from "../../../lib/nats/client/session.ts";
import { VERSION } from "../../../lib/version.ts";
import { listen, setUp } from "../../harness/setup.ts";
import { Client } from "../../harness/websocket.ts";
import { FakeBus } from "../fake_bus.ts";

Deno.test("who asks hears of all connections of all gateways, and can close one", async () => {
  // Small enough for several pages.
  await using setup = await setUp([], { config: "max_payload: 8192" });
  const { nats, nc, gateway } = setup;
  await using bus = await open(nats.url);
  const established = await listen(nc, "h8s.control.ws.conn.established");
  const clients: Client[] = [];
  for (let index = 0; index < 40; index++) {
    clients.push(await Client.connect(`ws://127.0.0.1:${gateway.port}/room/${index % 2}/${index}`));
    await established.next();
  }
  const { gateways, connections, isPartial } = await askConnections(bus, { prefix: "h8s" });
  assert.equal(connections.length, 40);
  assert.equal(isPartial, false);
  assert.equal(gateways.length, 1);
  assert.equal(gateways[0]?.about?.version, VERSION);
  assert.equal(gateways[0]?.about?.connections, 40);

  const filter = { host: "127.0.0.1:1", path: "/room/1/" };
  const some = await askConnections(bus, { prefix: "h8s", filter });
  assert.equal(some.connections.length, 20);
  const few = await askConnections(bus, { prefix: "h8s", limit: 3 });
  assert.equal(few.connections.length, 3);
  assert.equal(few.isPartial, true);
  const who = await askConnections(bus, { prefix: "h8s", limit: 0 });
  assert.deepEqual([who.connections.length, who.gateways.length, who.isPartial], [0, 1, false]);

  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  closeConnection(bus, connections[0]!.inbox, { code: 4000, reason: "moved" });
  const { headers } = await closed.next();
  assert.equal(headers?.get("X-H8s-Close-Code"), "4000");
  assert.equal(headers?.get("X-H8s-Close-Reason"), "moved");
  for (const client of clients) await client.close();
});

Deno.test("where there is no gateway, nobody is waited for", async () => {
  await using setup = await setUp();
  await using bus = await open(setup.nats.url);
  const { gateways, connections, isPartial } = await askConnections(bus, { prefix: "other" });
  assert.deepEqual([gateways, connections, isPartial], [[], [], false]);
});

Deno.test("a gateway is known while it beats, with what it tells; an older one tells nothing", () => {
  const bus = new FakeBus();
  let time = 0;
  using list = new GatewayList(bus, { prefix: "h8s", now: () => time });
  const now = new Date().toISOString();
  const about = { version: "9.9.9", listen: "[::]:80", since: now, now, connections: 2 };
  bus.deliver("h8s.control.gateway.B.alive", JSON.stringify(about));
  bus.deliver("h8s.control.gateway.A.alive", "");
  bus.deliver("h8s.control.gateway.A.draining", "");
  bus.deliver("h8s.control.gateway.A.alive", "");
  const [a, b] = list.list();
  assert.deepEqual([a?.gateway, a?.isDraining, a?.about], ["A", true, undefined]);
  assert.deepEqual([b?.gateway, b?.isDraining, b?.about], ["B", false, about]);
  assert.ok(Math.abs(b!.aheadMs!) < 60_000);
  bus.deliver("h8s.control.gateway.A.gone", "");
  assert.deepEqual(list.list().map(({ gateway }) => gateway), ["B"]);
  time = 60_000;
  assert.deepEqual(list.list(), []);
});

async function open(url: string): Promise<Session> {
  const session = new Session({
    ...{ login: { servers: [url] }, name: "asks" },
    onRetry: (error) => assert.fail(error),
    onError: (error) => assert.fail(error),
  });
  await new Promise<void>((resolve) =>
    session.onState((state) => state === "connected" && resolve())
  );
  return session;
}
