import assert from "node:assert/strict";
import { listen, setUp } from "../harness/setup.ts";
import { Client, HANDSHAKE, rawHandshake } from "../harness/websocket.ts";

const WORD = "0123456789abcdef";

Deno.test("the gateway answers a client's word, and no workload hears of it", async () => {
  await using setup = await setUp();
  const heard = await listen(setup.nc, "h8s.ws.ws.>");
  for (const protocol of ["h8s.plain.v1", "chat"]) {
    const url = `ws://127.0.0.1:${setup.gateway.port}/ping`;
    await using client = await Client.connect(url, [protocol, `h8s.ping.${WORD}`]);
    assert.equal(client.protocol, protocol);
    client.send(WORD);
    assert.equal(await client.next(), WORD);
    client.send(`${WORD} and more`);
    const { data, headers } = await heard.next();
    assert.equal(new TextDecoder().decode(data), `${WORD} and more`);
    assert.doesNotMatch(String(headers), new RegExp(`ping.${WORD}`));
  }
  assert.equal(heard.all.length, 2);
});

Deno.test("the word of one client is none of another's", async () => {
  await using setup = await setUp();
  const heard = await listen(setup.nc, "h8s.ws.ws.>");
  await using client = await Client.connect(`ws://127.0.0.1:${setup.gateway.port}/ping`);
  client.send(WORD);
  assert.equal(new TextDecoder().decode((await heard.next()).data), WORD);
});

Deno.test("a word that a client could say by chance is refused", async () => {
  await using setup = await setUp();
  const lines = [...HANDSHAKE, "Sec-WebSocket-Protocol: h8s.plain.v1, h8s.ping.hello"];
  const { conn, response } = await rawHandshake(setup.gateway.port, lines);
  conn.close();
  assert.match(response, /^HTTP\/1.1 400 /);
});
