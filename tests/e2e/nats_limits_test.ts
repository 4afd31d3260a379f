import assert from "node:assert/strict";
import { connect } from "@nats-io/transport";
import { GatewayProcess } from "../harness/gateway.ts";
import { answer, listen } from "../harness/setup.ts";
import { Client, HANDSHAKE, rawHandshake } from "../harness/websocket.ts";
import { RestartableNats } from "../nats/restartable_nats.ts";

const LARGE = new Uint8Array(200_000);

Deno.test("a server that comes back with a smaller max_payload costs nobody else anything", async (t) => {
  await using nats = await RestartableNats.start({ config: "max_payload: 1048576" });
  await using gateway = await GatewayProcess.start(["--nats-url", nats.url]);
  const url = `ws://127.0.0.1:${gateway.port}`;
  await using sender = await Client.connect(`${url}/sender`);
  await using holder = await Client.connect(`${url}/holder`);
  await using other = await Client.connect(`${url}/other`);
  await nats.kill();
  await gateway.logged("nats disconnected");
  holder.send(LARGE);
  other.send("held");
  // The gateway has both when it has answered what came after them.
  for (let held = 0; held < 2;) {
    held = await gateway.metric('h8s_websocket_messages_total{direction="in"}');
  }
  await nats.restart({ config: "max_payload: 65536" });
  await gateway.logged("nats connected", 2);
  const nc = await connect({ servers: nats.url });
  const heard = await listen(nc, "h8s.ws.ws.>");
  await answer(nc, "h8s.http.>", ({ data }) => ({ data: String(data.length) }));

  await t.step("what was held and does not fit: its client is told", async () => {
    const { code, reason } = await holder.closed;
    assert.equal(code, 1009);
    assert.match(reason, /^message larger than 6\d{4} bytes$/);
  });
  await t.step("a message that is too large now: 1009", async () => {
    sender.send(LARGE);
    assert.equal((await sender.closed).code, 1009);
  });
  await t.step("a body that is too large now: 413, and one that fits passes", async () => {
    const post = (body: Uint8Array<ArrayBuffer>) => fetch(gateway.url, { method: "POST", body });
    const refused = await post(LARGE);
    assert.equal(refused.status, 413);
    await refused.body?.cancel();
    assert.equal(await (await post(LARGE.subarray(0, 50_000))).text(), "50000");
  });
  await t.step("another client is heard as before", async () => {
    other.send("hello");
    let text = "";
    while (text !== "hello") text = (await heard.next()).string();
  });
  await nc.close();
  assert.deepEqual(gateway.noise, []);
});

Deno.test("an end is told in a shorter form where the client's own headers do not fit any more", async () => {
  await using nats = await RestartableNats.start();
  await using gateway = await GatewayProcess.start(["--nats-url", nats.url]);
  const lines = [...HANDSHAKE, `X-Large: ${"x".repeat(9000)}`];
  const { conn, response } = await rawHandshake(gateway.port, lines);
  assert.match(response, /^HTTP\/1.1 101/);
  await nats.restart({ config: "max_payload: 8000" });
  await gateway.logged("nats connected", 2);
  const nc = await connect({ servers: nats.url });
  const closed = await listen(nc, "h8s.control.ws.conn.closed");
  conn.close();
  const { headers } = await closed.next();
  assert.equal(headers?.get("X-H8s-Close-Code"), "1006");
  assert.match(headers?.get("X-H8s-Connection-Id"), /./);
  assert.equal(headers?.has("X-Large"), false);
  await nc.close();
});
