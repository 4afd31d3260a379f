import assert from "node:assert/strict";
import { type Listing, parseListing } from "../../lib/mapping/listing.ts";
import { listen, setUp } from "../harness/setup.ts";
import { Client, HANDSHAKE, rawHandshake } from "../harness/websocket.ts";

Deno.test("a gateway lists its connections to whoever asks", async (t) => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const established = await listen(nc, "h8s.control.ws.conn.established");
  await using _room = await Client.connect(`ws://127.0.0.1:${gateway.port}/room?x=1`, ["chat"]);
  const first = await established.next();
  const { conn } = await rawHandshake(gateway.port, HANDSHAKE);
  await established.next();
  const list = async (request: unknown): Promise<Listing> => {
    const payload = request === undefined ? "" : JSON.stringify(request);
    return parseListing((await nc.request("h8s.control.ws.conn.list", payload)).data);
  };

  await t.step("all of them, with what the contract names", async () => {
    const { gateway: id, connections, cursor } = await list(undefined);
    assert.equal(cursor, undefined);
    assert.equal(connections.length, 2);
    const { since, ...info } = connections[0]!;
    assert.ok(Math.abs(Date.now() - Date.parse(since)) < 60_000);
    assert.deepEqual(info, {
      id: first.headers?.get("X-H8s-Connection-Id"),
      inbox: first.reply,
      subject: "h8s.ws.ws.127.0.0.1.room",
      host: `127.0.0.1:${gateway.port}`,
      path: "/room",
      query: "x=1",
      remote: "127.0.0.1",
      protocol: "chat",
    });
    assert.equal(id, first.headers?.get("X-H8s-Gateway-Id"));
  });
  await t.step("those of a subject, of a host", async () => {
    assert.equal((await list({ subject: "h8s.ws.ws.127.0.0.1.room" })).connections.length, 1);
    assert.equal((await list({ host: "chat.example.com:443" })).connections.length, 1);
    assert.equal((await list({ host: "other.example.com" })).connections.length, 0);
  });
  await t.step("page by page", async () => {
    const one = await list({ limit: 1 });
    assert.equal(one.connections.length, 1);
    const subject = `h8s.control.ws.conn.list.${one.gateway}`;
    const request = JSON.stringify({ limit: 1, cursor: one.cursor });
    const two = parseListing((await nc.request(subject, request)).data);
    assert.notEqual(two.connections[0]!.id, one.connections[0]!.id);
    assert.equal(two.cursor, undefined);
  });
  await t.step("a request that cannot be read is logged, not answered", async () => {
    nc.publish("h8s.control.ws.conn.list", "{", { reply: "x" });
    await gateway.logged("a list request cannot be read");
  });
  conn.close();
});

Deno.test("more connections than fit into one message come in pages", async () => {
  await using setup = await setUp([], { config: "max_payload: 8192" });
  const { nc, gateway } = setup;
  const established = await listen(nc, "h8s.control.ws.conn.established");
  const clients: Client[] = [];
  for (let index = 0; index < 60; index++) {
    clients.push(await Client.connect(`ws://127.0.0.1:${gateway.port}/${index}`));
    await established.next();
  }
  const ids = new Set<string>();
  let pages = 0;
  let subject = "h8s.control.ws.conn.list";
  for (let cursor: string | undefined = "0"; cursor !== undefined; pages++) {
    const message = await nc.request(subject, JSON.stringify({ cursor }));
    const listing = parseListing(message.data);
    for (const { id } of listing.connections) ids.add(id);
    subject = `h8s.control.ws.conn.list.${listing.gateway}`;
    cursor = listing.cursor;
  }
  assert.equal(ids.size, 60);
  assert.ok(pages > 1);
  for (const client of clients) await client.close();
});

Deno.test("a gateway beats while it lives, and says that it is gone once all is told", async () => {
  await using setup = await setUp();
  const { nc, gateway } = setup;
  const beats = await listen(nc, "h8s.control.gateway.*.*");
  await using _client = await Client.connect(`ws://127.0.0.1:${gateway.port}/`);
  const alive = await beats.next();
  assert.match(alive.subject, /^h8s\.control\.gateway\.\w+\.alive$/);
  const events = await listen(nc, "h8s.control.>");
  gateway.kill("SIGTERM");
  let message = await events.next();
  let isClosedTold = false;
  while (!message.subject.endsWith(".gone")) {
    isClosedTold ||= message.subject === "h8s.control.ws.conn.closed";
    message = await events.next();
  }
  assert.ok(isClosedTold);
  assert.equal((await gateway.ended).code, 0);
});
